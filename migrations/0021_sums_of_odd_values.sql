-- Sums of measured values have room and are exact enough, whatever was measured: a double goes up to 1e308 and down to
-- 1e-323, and PostgreSQL refuses a sum or a product that does not fit. One such reading stopped the roll-ups of all sensors.

-- A value as it is summed up. (`pm_domain::held::summand` is the same.)
create function summand(value double precision) returns double precision
language sql immutable parallel safe
as $$
    select case when abs(value) < 1e-100 then 0 else greatest(-1e140, least(1e140, value)) end
$$;

create or replace function held_area(value double precision, from_time timestamptz, to_time timestamptz)
returns double precision
language sql immutable parallel safe
as $$
    select summand(value) * extract(epoch from to_time - from_time)::double precision
$$;

-- Rolls up the changed minutes up to the one that begins at ended, oldest first, until budget_ms have passed; returns how many changes were
-- processed. A change is removed first, then its minute is computed from the rows that are visible: a reading whose change
-- is not visible yet is rolled up by the next call. Minutes whose readings have been dropped stay as they are.
create or replace function roll_up(budget_ms integer, ended timestamptz) returns bigint
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

-- What was summed up before: of single readings, since several of them were refused.
update readings_1m set sum = summand(sum) * count where abs(sum) > 1e140 or (sum <> 0 and abs(sum) < 1e-100);
update readings_1h set sum = summand(sum) * count where abs(sum) > 1e140 or (sum <> 0 and abs(sum) < 1e-100);
