-- Counts of many rows: kept up to date where they are needed often, estimated by the hour where they are large.

-- Counts that are read often, refreshed by the tick.
create table counts (
    name text primary key,
    value bigint not null,
    -- from then on the reader counts by itself
    valid_until timestamptz not null
);

-- Refreshes the counts: predictions by minute from from_minute (null: none) to the one that runs, predictions since
-- overview_from, and stored readings. Counts of minutes before keep_from are dropped.
create function count_up(from_minute timestamptz, running_minute timestamptz, keep_from timestamptz,
                         overview_from timestamptz, valid_until timestamptz) returns void
language plpgsql
as $$
begin
    if not pg_try_advisory_xact_lock(hashtext('count_up')) then
        return;
    end if;
    if from_minute is not null then
        insert into predictions_1m as p (bucket, normal, warning, critical, buffering)
        select m.bucket, count(*) filter (where d.status = 'normal'), count(*) filter (where d.status = 'warning'),
               count(*) filter (where d.status = 'critical'), count(*) filter (where d.status = 'buffering')
        from generate_series(from_minute, running_minute - interval '1 minute', interval '1 minute') m (bucket)
        left join predictions d on d.time >= m.bucket and d.time < m.bucket + interval '1 minute'
        group by m.bucket
        on conflict (bucket) do update set
            normal = excluded.normal, warning = excluded.warning, critical = excluded.critical,
            buffering = excluded.buffering;
        delete from predictions_1m where bucket < keep_from;
    end if;
    insert into counts (name, value, valid_until)
    select 'predictions_24h',
           (select coalesce(sum(normal + warning + critical + buffering), 0)::bigint from predictions_1m
            where bucket >= overview_from and bucket < running_minute)
           + (select count(*) from predictions where time >= running_minute),
           count_up.valid_until
    union all
    select 'readings',
           (select coalesce(sum(count), 0)::bigint from reading_totals
            where hour >= (select dropped_before from retention_marks where class = 'readings'))
           + (select coalesce(sum(readings), 0)::bigint from rollup_changes),
           count_up.valid_until
    on conflict (name) do update set value = excluded.value, valid_until = excluded.valid_until;
end
$$;

-- Number of readings of a sensor: whole hours from the roll-ups, the rest from the readings themselves.
create function kept_readings(of_sensor uuid) returns bigint
language sql stable
as $$
    select (select coalesce(sum(count), 0)::bigint from readings_1h where sensor_id = of_sensor)
         + (select count(*) from sensor_data
            where sensor_id = of_sensor
              and time >= (select coalesce(min(minute), 'infinity') from rollup_changes where sensor_id is null))
$$;

-- How many readings a filter finds, from from_time to to_time, both included. The result is exact up to 10,000; larger
-- ones are counted by whole hours, and without a filter taken from the last tick.
create function count_readings(of_sensor uuid, of_machine uuid, from_time timestamptz, to_time timestamptz)
returns bigint
language plpgsql stable
as $$
declare
    few constant integer := 10000;
    found bigint;
begin
    if of_sensor is null and of_machine is null and from_time <= 'epoch' and to_time > now() then
        select value into found from counts where name = 'readings' and valid_until > now();
        if found > few then
            return found;
        end if;
    end if;
    if of_sensor is not null then
        select count(*) into found from (
            select from sensor_data d
            where d.sensor_id = of_sensor and (of_machine is null or d.machine_id = of_machine)
              and d.time >= from_time and d.time <= to_time limit few + 1) f;
        if found > few then
            select greatest(found, coalesce(sum(count), 0)::bigint) into found from readings_1h
            where sensor_id = of_sensor and bucket > from_time - interval '1 hour' and bucket <= to_time;
        end if;
    elsif of_machine is not null then
        select count(*) into found from (
            select from sensors s join sensor_data d on d.sensor_id = s.id
            where s.machine_id = of_machine and d.time >= from_time and d.time <= to_time limit few + 1) f;
        if found > few then
            select greatest(found, coalesce(sum(h.count), 0)::bigint) into found
            from sensors s join readings_1h h on h.sensor_id = s.id
            where s.machine_id = of_machine and h.bucket > from_time - interval '1 hour' and h.bucket <= to_time;
        end if;
    else
        select count(*) into found from (
            select from sensor_data d where d.time >= from_time and d.time <= to_time limit few + 1) f;
        if found > few then
            select greatest(found, coalesce(sum(count), 0)::bigint) into found from reading_totals
            where hour > from_time - interval '1 hour' and hour <= to_time
              and hour >= (select dropped_before from retention_marks where class = 'readings');
        end if;
    end if;
    return found;
end
$$;

-- What is deleted along with a machine or a sensor. Predictions are counted up to 100,000 per sensor.
create function deletion_counts(of_machine uuid, of_sensor uuid)
returns table (sensors bigint, readings bigint, predictions bigint, alarms bigint, tickets bigint, comments bigint,
               attachments bigint)
language sql stable
as $$
    with gone as materialized (select id from sensors where id = of_sensor or machine_id = of_machine),
    alarm as materialized (select id from alarms where machine_id = of_machine or sensor_id = of_sensor),
    ticket as materialized (select id from tickets where machine_id = of_machine)
    select (select count(*) from gone),
           (select coalesce(sum(kept_readings(id)), 0)::bigint from gone),
           (select coalesce(sum((select count(*) from (
                select from predictions p where p.sensor_id = gone.id limit 100000) few)), 0)::bigint from gone),
           (select count(*) from alarm), (select count(*) from ticket),
           (select count(*) from comments where (resource_type = 'alarm' and resource_id in (select id from alarm))
                                             or (resource_type = 'ticket' and resource_id in (select id from ticket))),
           (select count(*) from attachments where (resource_type = 'alarm' and resource_id in (select id from alarm))
                                                or (resource_type = 'ticket' and resource_id in (select id from ticket)))
$$;

grant select, insert, update, delete on counts to pm_app;
