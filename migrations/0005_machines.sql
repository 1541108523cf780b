-- Machines and their sensors. mqtt_id is their name in MQTT payloads.

create table machines (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    location text,
    description text,
    machine_class text,
    status text not null default 'online',
    criticality text not null default 'medium',
    metadata jsonb,
    last_service_date date,
    thresholds jsonb,
    mqtt_id text,
    constraint machines_mqtt_id_unique unique (mqtt_id),
    constraint machines_status_known check (status in ('online', 'offline', 'maintenance', 'degraded')),
    constraint machines_criticality_known check (criticality in ('low', 'medium', 'high', 'critical')),
    constraint machines_metadata_object check (jsonb_typeof(metadata) = 'object'),
    constraint machines_thresholds_object check (jsonb_typeof(thresholds) = 'object')
);
create index machines_newest on machines (created_at desc, id desc);
create trigger machines_stamp before update on machines for each row execute function stamp_updated_at();
create trigger machines_audit after insert or update or delete on machines for each row execute function audit_row('machine');

-- Reports every change of a machine's status, whether a person or the system made it.
create function machine_status_changed() returns trigger
language plpgsql
as $$
begin
    insert into outbox (event_type, data) values ('machine.status', jsonb_build_object(
        'id', new.id, 'machine_id', new.id, 'name', new.name, 'status', new.status, 'previous_status', old.status,
        'criticality', new.criticality));
    return null;
end
$$;
create trigger machines_status_changed after update of status on machines for each row
    when (old.status is distinct from new.status) execute function machine_status_changed();

create table sensors (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    machine_id uuid not null constraint sensors_machine_exists references machines (id) on delete cascade,
    name text not null,
    sensor_type text not null,
    unit text,
    min_threshold double precision,
    max_threshold double precision,
    warning_threshold double precision,
    critical_threshold double precision,
    warning_low double precision,
    critical_low double precision,
    metadata jsonb,
    mqtt_id text,
    constraint sensors_mqtt_id_unique unique (machine_id, mqtt_id),
    constraint sensors_metadata_object check (jsonb_typeof(metadata) = 'object')
);
create index sensors_newest on sensors (created_at desc, id desc);
create trigger sensors_stamp before update on sensors for each row execute function stamp_updated_at();
create trigger sensors_audit after insert or update or delete on sensors for each row execute function audit_row('sensor');

-- How payloads of a topic are read (pm_domain::payload::mapping); the bridge gets those that are active.
create table mappings (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    -- of several mappings for a topic, the one with the lowest position counts
    position bigint not null default 0,
    is_active boolean not null default true,
    rules jsonb not null
);
create trigger mappings_stamp before update on mappings for each row execute function stamp_updated_at();
create trigger mappings_audit after insert or update or delete on mappings for each row execute function audit_row('mapping');

grant select, insert, update, delete on machines, sensors, mappings to pm_app;
