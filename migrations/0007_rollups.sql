-- Roll-ups of readings by minute and hour. One function, called by the tick, keeps them. It works in every edition of
-- TimescaleDB: what it writes for a bucket is always computed from all rows of the level below.

create table readings_1m (
    bucket timestamptz not null,
    sensor_id uuid not null,
    count bigint not null,
    sum double precision not null,
    min double precision not null,
    max double precision not null,
    last double precision not null,
    -- 0 normal, 1 warning, 2 critical
    worst smallint not null,
    constraint readings_1m_key primary key (sensor_id, bucket)
);
select create_hypertable('readings_1m', by_range('bucket', interval '1 day'), create_default_indexes => false);

create table readings_1h (like readings_1m, constraint readings_1h_key primary key (sensor_id, bucket));
select create_hypertable('readings_1h', by_range('bucket', interval '30 days'), create_default_indexes => false);
create index readings_1h_by_bucket on readings_1h (bucket);

-- Readings of all sensors by hour.
create table reading_totals (
    hour timestamptz primary key,
    count bigint not null
);

-- Minutes with readings that are not in the roll-ups yet. They are written in the statement that stores the readings, so
-- that a transaction sees a change exactly when it sees its readings. Rows are only appended, so that storing never waits.
create table rollup_changes (
    id bigint generated always as identity primary key,
    minute timestamptz not null,
    -- null: all sensors that reported in that minute
    sensor_id uuid,
    -- number of readings stored
    readings bigint not null
);
create index rollup_changes_by_minute on rollup_changes (minute);

-- Rolls up the hours of the given sensors from their minutes. (In plpgsql, because it plans one statement after the other:
-- the second must know the chunk that the first may have created.)
create function roll_hours(of_sensors uuid[], hours timestamptz[]) returns void
language plpgsql
as $$
begin
    insert into readings_1h (bucket, sensor_id, count, sum, min, max, last, worst)
    select c.hour, c.sensor_id, a.count, a.sum, a.min, a.max, a.last, a.worst
    from (select distinct sensor_id, hour from unnest(of_sensors, hours) u (sensor_id, hour)) c
    cross join lateral (
        select sum(m.count)::bigint as count, sum(m.sum order by m.bucket) as sum, min(m.min) as min, max(m.max) as max,
               last(m.last, m.bucket) as last, max(m.worst) as worst
        from readings_1m m
        where m.sensor_id = c.sensor_id and m.bucket >= c.hour and m.bucket < c.hour + interval '1 hour') a
    where a.count > 0
    on conflict (sensor_id, bucket) do update set
        count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
        worst = excluded.worst;
    insert into reading_totals (hour, count)
    select bucket, sum(count)::bigint from readings_1h where bucket = any (hours) group by bucket
    on conflict (hour) do update set count = excluded.count;
end
$$;

-- Rolls up the changed minutes up to the one that begins at ended, oldest first, until budget_ms have passed; returns how many changes were
-- processed. A change is removed first, then its minute is computed from the rows that are visible: a reading whose change
-- is not visible yet is rolled up by the next call. Minutes whose readings have been dropped stay as they are.
create function roll_up(budget_ms integer, ended timestamptz) returns bigint
language plpgsql
as $$
declare
    started constant timestamptz := clock_timestamp();
    kept_from timestamptz;
    this timestamptz;
    late_sensors uuid[];
    minutes timestamptz[];
    hours timestamptz[] := '{}';
    taken bigint := 0;
    counted bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('roll_up')) then
        return 0;
    end if;
    select dropped_before into kept_from from retention_marks where class = 'readings';
    delete from rollup_changes where minute < kept_from;

    -- late readings of single sensors
    while clock_timestamp() - started < budget_ms * interval '1 millisecond' loop
        with took as (
            delete from rollup_changes where id in (
                select id from rollup_changes where sensor_id is not null and minute <= ended order by minute limit 1000)
            returning sensor_id, minute)
        select array_agg(sensor_id), array_agg(minute), coalesce(sum(n), 0) into late_sensors, minutes, counted
        from (select sensor_id, minute, count(*) as n from took group by sensor_id, minute) t;
        exit when minutes is null;
        taken := taken + counted;
        insert into readings_1m (bucket, sensor_id, count, sum, min, max, last, worst)
        select c.minute, c.sensor_id, a.count, a.sum, a.min, a.max, a.last, a.worst
        from unnest(late_sensors, minutes) c (sensor_id, minute)
        cross join lateral (
            select count(*) as count, sum(d.value order by d.time) as sum, min(d.value) as min, max(d.value) as max,
                   last(d.value, d.time) as last, max(d.status) as worst
            from sensor_data d
            where d.sensor_id = c.sensor_id and d.time >= c.minute and d.time < c.minute + interval '1 minute') a
        where a.count > 0
        on conflict (sensor_id, bucket) do update set
            count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
            worst = excluded.worst;
        perform roll_hours(late_sensors, (select array_agg(time_bucket('1 hour', m) order by ord)
                                     from unnest(minutes) with ordinality u (m, ord)));
    end loop;

    -- minutes of all sensors
    while clock_timestamp() - started < budget_ms * interval '1 millisecond' loop
        select minute into this from rollup_changes
        where sensor_id is null and minute <= ended order by minute limit 1;
        exit when not found;
        delete from rollup_changes where sensor_id is null and minute = this;
        get diagnostics counted = row_count;
        taken := taken + counted;
        insert into readings_1m (bucket, sensor_id, count, sum, min, max, last, worst)
        select this, d.sensor_id, count(*), sum(d.value order by d.time), min(d.value), max(d.value),
               last(d.value, d.time), max(d.status)
        from sensor_data d where d.time >= this and d.time < this + interval '1 minute'
        group by d.sensor_id
        on conflict (sensor_id, bucket) do update set
            count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
            worst = excluded.worst;
        if not time_bucket('1 hour', this) = any (hours) then
            hours := hours || time_bucket('1 hour', this);
        end if;
    end loop;
    foreach this in array hours loop
        perform roll_hours(array_agg(id), array_agg(this)) from sensors;
    end loop;
    return taken;
end
$$;

grant select, insert, update, delete on readings_1m, readings_1h, reading_totals, rollup_changes to pm_app;
