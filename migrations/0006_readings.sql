-- Readings: a hypertable whose natural key makes every repeat harmless. There is no foreign key to sensors: it would
-- be checked for every reading, and readings are only ever written for sensors looked up in the same request.

create table sensor_data (
    time timestamptz not null,
    sensor_id uuid not null,
    machine_id uuid not null,
    value double precision not null,
    received_at timestamptz not null default now(),
    -- 0 normal, 1 warning, 2 critical
    status smallint not null,
    -- 0 good; the others are pm-api's words of Quality in their order, and such a reading is never summed up
    quality smallint not null default 0,
    -- stored without any effect on alarms: late, marked by its sender as historical, or older than what was evaluated
    history boolean not null default false,
    metadata jsonb,
    id bigint not null generated always as identity,
    constraint sensor_data_natural_key primary key (sensor_id, time)
);
select create_hypertable('sensor_data', by_range('time', interval '6 hours'), create_default_indexes => false);
create index sensor_data_newest on sensor_data (time desc);
create index sensor_data_marked on sensor_data (sensor_id, time) where quality <> 0;

-- The newest good reading of each sensor, dated at most by the server's clock, so that no query has to search for it. Every batch changes it: it has no index but
-- the key, and free room in each page, so that updates stay in place.
create table sensor_latest (
    sensor_id uuid primary key references sensors (id) on delete cascade,
    time timestamptz not null,
    value double precision not null,
    status smallint not null,
    updated_at timestamptz not null default now()
) with (fillfactor = 50);

-- Payloads and readings that could not be used, with the reason. Those of a topic with the same reason within a minute (a
-- notice: within a day) are one row, which counts them and holds the newest.
create table dead_letters (
    id bigint generated always as identity primary key,
    -- of the newest
    received_at timestamptz not null,
    created_at timestamptz not null default now(),
    topic text not null,
    payload bytea not null,
    reason text not null,
    count bigint not null default 1,
    -- SHA-256 of topic and reason
    cause bytea not null,
    -- begin of the minute or day
    bucket timestamptz not null,
    -- SHA-256 of the newest payload: a repeated delivery is not counted again
    digest bytea not null,
    -- when its payload was read again and all its values were stored
    replayed_at timestamptz,
    constraint dead_letters_once unique (cause, bucket)
);
create index dead_letters_newest on dead_letters (received_at desc);

-- New sensors by the hundred make the planner's statistics wrong at once, and statements slow until the next autovacuum. Only
-- a table's owner may analyze it, so this function runs with the owner's rights.
create function refresh_statistics() returns void
language plpgsql security definer
set search_path = public, pg_temp
as $$
begin
    if pg_try_advisory_xact_lock(hashtext('refresh_statistics')) then
        analyze machines, sensors, sensor_state, sensor_latest;
    end if;
end
$$;
revoke execute on function refresh_statistics() from public;
grant execute on function refresh_statistics() to pm_app;

grant select, insert, update, delete on sensor_data, sensor_latest, dead_letters to pm_app;
grant usage on sequence sensor_data_id_seq, dead_letters_id_seq to pm_app;
