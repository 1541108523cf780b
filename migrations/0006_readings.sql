-- Readings: a hypertable whose natural key makes every repeat harmless. There is no foreign key to sensors: it would
-- be checked for every reading, and readings are only ever written for sensors looked up in the same request.

create table sensor_data (
    time timestamptz not null,
    sensor_id uuid not null,
    machine_id uuid not null,
    value double precision not null,
    -- 0 normal, 1 warning, 2 critical
    status smallint not null,
    metadata jsonb,
    id bigint not null generated always as identity,
    constraint sensor_data_natural_key primary key (sensor_id, time)
);
select create_hypertable('sensor_data', by_range('time', interval '6 hours'), create_default_indexes => false);
create index sensor_data_newest on sensor_data (time desc);

-- The newest reading of each sensor, so that no query has to search for it. Every batch changes it: it has no index but
-- the key, and free room in each page, so that updates stay in place.
create table sensor_latest (
    sensor_id uuid primary key references sensors (id) on delete cascade,
    time timestamptz not null,
    value double precision not null,
    status smallint not null,
    updated_at timestamptz not null default now()
) with (fillfactor = 50);

-- Payloads and readings that could not be used, with the reason.
create table dead_letters (
    id bigint generated always as identity primary key,
    received_at timestamptz not null,
    created_at timestamptz not null default now(),
    topic text not null,
    payload bytea not null,
    reason text not null,
    -- SHA-256 of topic, reason and payload, so that a repeated delivery gives one row
    digest bytea not null,
    constraint dead_letters_once unique (digest, received_at)
);
create index dead_letters_newest on dead_letters (received_at desc);

grant select, insert, update, delete on sensor_data, sensor_latest, dead_letters to pm_app;
grant usage on sequence sensor_data_id_seq, dead_letters_id_seq to pm_app;
