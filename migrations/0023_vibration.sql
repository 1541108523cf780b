-- Vibration: bursts of samples, and the elements of machines whose frequencies are looked for.

-- A burst is written once. There is no foreign key to sensors, as for readings; clear_deleted() removes those of deleted
-- sensors.
create table waveforms (
    time timestamptz not null,
    sensor_id uuid not null,
    machine_id uuid not null,
    id uuid not null default uuid_v7(),
    received_at timestamptz not null default now(),
    rate_hz double precision not null,
    samples integer not null,
    unit text,
    axis text,
    rpm double precision,
    -- 32-bit floating-point numbers, little endian, deflated
    data bytea not null,
    -- features and diagnosis, as pm-api's WaveformAnalysis
    analysis jsonb not null,
    constraint waveforms_natural_key primary key (sensor_id, time)
);
select create_hypertable('waveforms', by_range('time', interval '1 day'), create_default_indexes => false);
create index waveforms_by_id on waveforms (id);
create index waveforms_newest on waveforms (time desc);

-- What turns in a machine; the id is that of the machine.
create table machine_elements (
    id uuid primary key constraint machine_elements_machine_exists references machines (id) on delete cascade,
    updated_at timestamptz not null default now(),
    -- pm-api's StoredElement
    elements jsonb not null,
    constraint machine_elements_array check (jsonb_typeof(elements) = 'array')
);
create trigger machine_elements_stamp before update on machine_elements for each row execute function stamp_updated_at();
create trigger machine_elements_audit after insert or update or delete on machine_elements
    for each row execute function audit_row('machine_elements');

grant select, insert, update, delete on waveforms, machine_elements to pm_app;
grant select on waveforms, machine_elements to pm_ingest, pm_read;
