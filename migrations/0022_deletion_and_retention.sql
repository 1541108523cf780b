-- Counting, deleting, and letting go of what is old.

-- Readings of a sensor: whole hours from the roll-ups, what is not rolled up yet from the readings themselves.
create function kept_readings(of_sensor uuid) returns bigint
language sql stable
as $$
    select (select coalesce(sum(count), 0)::bigint from readings_1h where sensor_id = of_sensor)
         + (select count(*) from sensor_data
            where sensor_id = of_sensor
              and time >= (select coalesce(min(minute), 'infinity') from rollup_changes where sensor_id is null))
$$;

-- How many readings a filter finds, from from_time to to_time, both included. Counted one by one up to 10,000;
-- beyond, by whole hours; of everything, as of the last tick.
create function count_readings(of_sensor uuid, of_machine uuid, from_time timestamptz, to_time timestamptz)
returns bigint
language plpgsql stable
as $$
declare
    few constant integer := 10000;
    found bigint;
begin
    if of_sensor is null and of_machine is null and from_time <= 'epoch' and to_time > now() then
        select value into found from counts where name = 'readings' and counted_at > now() - interval '15 seconds';
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

-- What the deletion of a machine, or of a sensor, takes along. Predictions are counted up to 100,000 a sensor.
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

-- Sensors that are gone and whose readings, predictions and roll-ups are still there. A deletion answers at once,
-- however much was measured; clear_deleted() removes it in bounded steps.
create table deleted_sensors (
    sensor_id uuid primary key,
    deleted_at timestamptz not null default now(),
    -- since when nothing of it is left
    emptied_at timestamptz
);
grant select, insert, update, delete on deleted_sensors to pm_app;

-- Removes up to max_rows readings and predictions of deleted sensors, oldest first, for a second at most; returns how many
-- are gone. A sensor leaves the list after a second look, when every statement that may have been under way when it was
-- deleted has long ended.
create function clear_deleted(max_rows integer) returns bigint
language plpgsql
as $$
declare
    gone uuid;
    edge timestamptz;
    left_over bigint := max_rows;
    removed bigint;
begin
    if not pg_try_advisory_xact_lock(hashtext('clear_deleted')) then
        return 0;
    end if;
    for gone in
        select sensor_id from deleted_sensors
        where emptied_at is null or emptied_at < now() - interval '5 minutes' order by deleted_at limit 100
    loop
        exit when left_over <= 0 or clock_timestamp() - now() > interval '1 second';
        -- the time of the first reading that stays, so that one index range is deleted
        select time into edge from sensor_data where sensor_id = gone order by time offset left_over limit 1;
        delete from sensor_data where sensor_id = gone and time < coalesce(edge, 'infinity');
        get diagnostics removed = row_count;
        left_over := left_over - removed;
        continue when edge is not null;
        select time into edge from predictions where sensor_id = gone order by time offset left_over limit 1;
        delete from predictions where sensor_id = gone and time < coalesce(edge, 'infinity');
        get diagnostics removed = row_count;
        left_over := left_over - removed;
        continue when edge is not null;
        delete from readings_1m where sensor_id = gone;
        with hours as (delete from readings_1h where sensor_id = gone returning bucket, count)
        update reading_totals t set count = t.count - hours.count from hours where t.hour = hours.bucket;
        delete from deleted_sensors where sensor_id = gone and emptied_at is not null;
        update deleted_sensors set emptied_at = now() where sensor_id = gone;
    end loop;
    return max_rows - left_over;
end
$$;

-- Retention. Only a table's owner may drop its chunks, so this runs with the owner's rights and takes nothing but a word
-- of a list and a number within bounds: it reaches neither other tables nor what is younger than a day.
--
-- Drops the chunks of a class that lie wholly keep_days or more before its newest row (not the clock, so a clock that
-- jumps ahead drops nothing by itself), and remembers up to where. Readings are dropped only once they are rolled up.
create function drop_old(class text, keep_days integer) returns integer
language plpgsql security definer
set search_path = public, pg_temp
set lock_timeout = '2s'
as $$
declare
    newest timestamptz;
    edge timestamptz;
    dropped_to timestamptz;
    dropped integer;
begin
    if keep_days is null or keep_days not between 1 and 36500 then
        raise exception 'keep_days must be 1 to 36500' using errcode = '22023';
    end if;
    case class
        when 'readings' then select max(time) into newest from sensor_data where time <= now();
        when 'predictions' then select max(time) into newest from predictions where time <= now();
        when 'readings_1m' then select max(time) into newest from sensor_data where time <= now();
        when 'readings_1h' then select max(time) into newest from sensor_data where time <= now();
        else raise exception 'there is no class %', class using errcode = '22023';
    end case;
    edge := newest - keep_days * interval '1 day';
    if class = 'readings' then
        edge := least(edge, (select min(minute) from rollup_changes));
    end if;
    select max(c.range_end), count(*) into dropped_to, dropped
    from timescaledb_information.chunks c
    where c.hypertable_schema = 'public' and c.range_end <= edge
      and c.hypertable_name = case class when 'readings' then 'sensor_data' else class end;
    if dropped > 0 then
        perform drop_chunks(format('public.%I', case class when 'readings' then 'sensor_data' else class end)::regclass,
                            older_than => edge);
        update retention_marks m set dropped_before = greatest(m.dropped_before, dropped_to) where m.class = drop_old.class;
    end if;
    return dropped;
end
$$;
revoke execute on function drop_old(text, integer) from public;
grant execute on function drop_old(text, integer) to pm_app;
