-- Retention of old data, and removal of what deleted sensors leave behind.

-- Up to which time each class of data has been dropped.
create table retention_marks (
    class text primary key,
    dropped_before timestamptz not null default 'epoch',
    constraint retention_marks_class_known check (class in ('readings', 'readings_1m', 'readings_1h', 'predictions', 'waveforms'))
);
insert into retention_marks (class) values ('readings'), ('readings_1m'), ('readings_1h'), ('predictions'), ('waveforms');

-- The time of the newest data of a class that is not dated ahead; roll-ups have that of the readings.
create function newest_of(class text) returns timestamptz
language plpgsql stable
set search_path = public, pg_temp
as $$
begin
    if class = 'predictions' then
        return (select max(time) from predictions where time <= now());
    end if;
    if class = 'waveforms' then
        return (select max(time) from waveforms where time <= now());
    end if;
    return (select max(time) from sensor_data where time <= now());
end
$$;

-- Only a table's owner may drop its chunks, so this function runs with the owner's rights. It takes one word of a list and
-- a time that lies a day or more before the newest data, so it reaches neither other tables nor what is new.
--
-- Drops the chunks of a class that lie wholly before edge (the functions decide on it), and records the time up to which it
-- dropped. It drops nothing if readings before edge are not rolled up.
create function drop_old(class text, edge timestamptz) returns integer
language plpgsql security definer
set search_path = public, pg_temp
set lock_timeout = '2s'
as $$
declare
    newest timestamptz;
    dropped_to timestamptz;
    dropped integer;
begin
    if not exists (select from retention_marks m where m.class = drop_old.class) then
        raise exception 'there is no class %', class using errcode = '22023';
    end if;
    newest := newest_of(class);
    if coalesce(edge > newest - interval '1 day', true) then
        raise exception 'edge must lie a day before the newest data' using errcode = '22023';
    end if;
    if class = 'readings' and exists (select from rollup_changes where minute < edge) then
        return 0;
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

-- Deleted sensors whose readings, predictions and roll-ups may still be stored. A deletion answers at once, however much
-- was measured; clear_deleted() removes the data in bounded steps.
create table deleted_sensors (
    sensor_id uuid primary key,
    deleted_at timestamptz not null default now(),
    -- since when nothing of it is stored
    emptied_at timestamptz
);

-- Removes up to max_rows readings and predictions of deleted sensors, oldest first, for about budget_ms; returns how many
-- it removed. A sensor leaves the list after a second pass of those that were emptied before emptied_before, when every
-- statement that was running when it was deleted has ended.
create function clear_deleted(max_rows integer, budget_ms integer, emptied_before timestamptz) returns bigint
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
        where emptied_at is null or emptied_at < emptied_before order by deleted_at limit 100
    loop
        exit when left_over <= 0 or clock_timestamp() - now() > budget_ms * interval '1 millisecond';
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
        delete from waveforms where sensor_id = gone;
        delete from readings_1m where sensor_id = gone;
        with hours as (delete from readings_1h where sensor_id = gone returning bucket, count)
        update reading_totals t set count = t.count - hours.count from hours where t.hour = hours.bucket;
        delete from deleted_sensors where sensor_id = gone and emptied_at is not null;
        update deleted_sensors set emptied_at = now() where sensor_id = gone;
    end loop;
    return max_rows - left_over;
end
$$;

grant select on retention_marks to pm_app;
grant select, insert, update, delete on deleted_sensors to pm_app;
revoke execute on function drop_old(text, timestamptz) from public;
grant execute on function drop_old(text, timestamptz) to pm_app;
