-- Roll-ups of good readings by minute and hour. One function, called by the tick, keeps them. It works in every edition of
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
    -- times of the first and the last reading, and between them the sum of each value times the seconds until the next one
    first_time timestamptz not null,
    last_time timestamptz not null,
    area double precision not null,
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

-- A value as it is summed up: a double goes up to 1e308 and down to 1e-323, and PostgreSQL refuses a sum or a product that
-- does not fit. (`pm_domain::held::summand` is the same.)
create function summand(value double precision) returns double precision
language sql immutable parallel safe
as $$
    select case when abs(value) < 1e-100 then 0 else greatest(-1e140, least(1e140, value)) end
$$;

-- A value times the seconds until the next one; values are bounded so that no sum overflows.
create function held_area(value double precision, from_time timestamptz, to_time timestamptz) returns double precision
language sql immutable parallel safe
as $$
    select summand(value) * extract(epoch from to_time - from_time)::double precision
$$;

-- Rolls up the hours of the given sensors from their minutes. (In plpgsql, because it plans one statement after the other:
-- the second must know the chunk that the first may have created.)
create function roll_hours(of_sensors uuid[], hours timestamptz[]) returns void
language plpgsql
as $$
begin
    insert into readings_1h (bucket, sensor_id, count, sum, min, max, last, worst, first_time, last_time, area)
    select c.hour, c.sensor_id, a.count, a.sum, a.min, a.max, a.last, a.worst, a.first_time, a.last_time, a.area
    from (select distinct sensor_id, hour from unnest(of_sensors, hours) u (sensor_id, hour)) c
    cross join lateral (
        select sum(m.count)::bigint as count, sum(m.sum order by m.bucket) as sum, min(m.min) as min, max(m.max) as max,
               last(m.last, m.bucket) as last, max(m.worst) as worst, min(m.first_time) as first_time,
               max(m.last_time) as last_time, sum(m.area + coalesce(m.gap, 0)) as area
        from (
            select *, held_area(last, last_time, lead(first_time) over (order by bucket)) as gap
            from readings_1m
            where sensor_id = c.sensor_id and bucket >= c.hour and bucket < c.hour + interval '1 hour') m) a
    where a.count > 0
    on conflict (sensor_id, bucket) do update set
        count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
        worst = excluded.worst, first_time = excluded.first_time, last_time = excluded.last_time, area = excluded.area;
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
        insert into readings_1m (bucket, sensor_id, count, sum, min, max, last, worst, first_time, last_time, area)
        select c.minute, c.sensor_id, a.count, a.sum, a.min, a.max, a.last, a.worst, a.first_time, a.last_time, a.area
        from unnest(late_sensors, minutes) c (sensor_id, minute)
        cross join lateral (
            select count(*) as count, sum(summand(d.value) order by d.time) as sum, min(d.value) as min, max(d.value) as max,
                   last(d.value, d.time) as last, max(d.status) as worst, min(d.time) as first_time,
                   max(d.time) as last_time, coalesce(sum(d.held), 0) as area
            from (
                select time, value, status, held_area(value, time, lead(time) over (order by time)) as held
                from sensor_data
                where sensor_id = c.sensor_id and quality = 0 and time >= c.minute
                  and time < c.minute + interval '1 minute') d) a
        where a.count > 0
        on conflict (sensor_id, bucket) do update set
            count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
            worst = excluded.worst, first_time = excluded.first_time, last_time = excluded.last_time, area = excluded.area;
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
        insert into readings_1m (bucket, sensor_id, count, sum, min, max, last, worst, first_time, last_time, area)
        select this, d.sensor_id, count(*), sum(summand(d.value) order by d.time), min(d.value), max(d.value),
               last(d.value, d.time), max(d.status), min(d.time), max(d.time), coalesce(sum(d.held), 0)
        from (
            select sensor_id, time, value, status,
                   held_area(value, time, lead(time) over (partition by sensor_id order by time)) as held
            from sensor_data where time >= this and time < this + interval '1 minute' and quality = 0) d
        group by d.sensor_id
        on conflict (sensor_id, bucket) do update set
            count = excluded.count, sum = excluded.sum, min = excluded.min, max = excluded.max, last = excluded.last,
            worst = excluded.worst, first_time = excluded.first_time, last_time = excluded.last_time, area = excluded.area;
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
