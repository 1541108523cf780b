-- What the migrations give, for reading and review. Written by `./pm schema`; a test compares.

CREATE SCHEMA public;

COMMENT ON SCHEMA public IS 'standard public schema';

CREATE FUNCTION public.acting_user() RETURNS uuid
    LANGUAGE sql STABLE
    AS $$ select (nullif(current_setting('pm.actor', true), '')::jsonb ->> 'user_id')::uuid $$;

CREATE FUNCTION public.activate_model(target uuid) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
    update models m set status = 'retired'
    from models t
    where t.id = target and m.id <> target and m.status = 'active' and m.name = t.name
      and m.machine_class is not distinct from t.machine_class and m.machine_id is not distinct from t.machine_id;
    update models set status = 'active', activated_at = now() where id = target;
    return found;
end
$$;

CREATE FUNCTION public.uuid_v7() RETURNS uuid
    LANGUAGE sql PARALLEL SAFE
    AS $$
    select encode(
        set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6), 52, 1), 53, 1),
        'hex')::uuid
$$;

CREATE TABLE public.alarms (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    machine_id uuid NOT NULL,
    sensor_id uuid,
    prediction_id uuid,
    kind text NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    condition_active boolean DEFAULT true NOT NULL,
    occurrences bigint DEFAULT 1 NOT NULL,
    triggered_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    resolved_at timestamp with time zone,
    resolved_by uuid,
    resolution_notes text,
    verdict text,
    shelved_until timestamp with time zone,
    shelved_by uuid,
    shelve_reason text,
    case_id uuid,
    metadata jsonb,
    CONSTRAINT alarms_kind_known CHECK ((kind = ANY (ARRAY['threshold'::text, 'prediction'::text, 'reported'::text, 'stale'::text, 'manual'::text]))),
    CONSTRAINT alarms_metadata_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT alarms_resolved_has_time CHECK (((status = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT alarms_severity_known CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text]))),
    CONSTRAINT alarms_status_known CHECK ((status = ANY (ARRAY['open'::text, 'acknowledged'::text, 'resolved'::text]))),
    CONSTRAINT alarms_verdict_known CHECK ((verdict = ANY (ARRAY['true_fault'::text, 'false_alarm'::text, 'maintenance'::text, 'unknown'::text]))),
    CONSTRAINT alarms_verdict_when_resolved CHECK (((verdict IS NULL) OR (status = 'resolved'::text)))
);

CREATE FUNCTION public.alarm_event(alarm public.alarms, change text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object('id', alarm.id, 'machine_id', alarm.machine_id, 'sensor_id', alarm.sensor_id,
        'kind', alarm.kind, 'severity', alarm.severity, 'message', alarm.message, 'status', alarm.status,
        'condition_active', alarm.condition_active, 'triggered_at', alarm.triggered_at,
        'resolved_at', alarm.resolved_at, 'shelved_until', alarm.shelved_until,
        'case_id', coalesce(alarm.case_id, alarm.id), 'change', change)
$$;

CREATE FUNCTION public.attachment_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    attachment constant attachments := case when tg_op = 'DELETE' then old else new end;
begin
    if tg_op = 'DELETE' and old.storage_key is not null then
        insert into stray_objects (storage_key) values (old.storage_key)
        on conflict (storage_key) do update set remove_after = now();
    end if;
    insert into outbox (event_type, data)
    values (
        'attachment.' || case tg_op when 'INSERT' then 'created' else 'deleted' end,
        jsonb_build_object('id', attachment.id, 'resource_type', attachment.resource_type,
            'resource_id', attachment.resource_id, 'filename', attachment.filename,
            'content_type', attachment.content_type, 'file_size', attachment.file_size,
            'uploaded_by', attachment.uploaded_by));
    return null;
end
$$;

CREATE FUNCTION public.audit_row() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    actor jsonb := nullif(current_setting('pm.actor', true), '')::jsonb;
    was jsonb;
    is_now jsonb;
    before jsonb;
    after jsonb;
    is_secret boolean;
begin
    if actor is null then
        return null;
    end if;
    was := case when tg_op <> 'INSERT' then to_jsonb(old) end;
    is_now := case when tg_op <> 'DELETE' then to_jsonb(new) end;
    before := was;
    after := is_now;
    if tg_op = 'UPDATE' then
        if was - 'updated_at' = is_now - 'updated_at' then
            return null;
        end if;
        select jsonb_object_agg(key, value) into before from jsonb_each(was) where is_now -> key is distinct from value;
        select jsonb_object_agg(key, value) into after from jsonb_each(is_now) where was -> key is distinct from value;
    end if;
    is_secret := coalesce((was ->> 'is_secret')::boolean, false) or coalesce((is_now ->> 'is_secret')::boolean, false);
    insert into audit_log (user_id, action_type, resource_type, resource_id, details, metadata, ip_address, user_agent)
    values (
        (actor ->> 'user_id')::uuid,
        coalesce(actor ->> 'action', case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end),
        tg_argv[0],
        coalesce(coalesce(is_now, was) ->> 'id', coalesce(is_now, was) ->> 'user_id'),
        actor ->> 'details',
        jsonb_strip_nulls(jsonb_build_object(
            'before', nullif(audit_visible(tg_table_name, before, is_secret), '{}'),
            'after', nullif(audit_visible(tg_table_name, after, is_secret), '{}'))),
        actor ->> 'ip_address',
        actor ->> 'user_agent'
    );
    return null;
end
$$;

CREATE FUNCTION public.audit_visible(source text, entry jsonb, is_secret boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    AS $$
    select case
        when source = 'settings' and is_secret and shown ->> 'value' <> '' then shown || '{"value": "********"}'
        else shown
    end
    from (select entry - (
        array['password_hash', 'secret', 'previous_secret', 'token_hash', 'recovery_code_hashes', 'updated_at', 'lease_id',
              'lease_until']
        || case source when 'webhooks' then array['headers'] else '{}' end
    ) as shown) visible
$$;

CREATE FUNCTION public.challenge_with_model(target uuid) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
begin
    update models m set status = 'registered'
    from models t
    where t.id = target and m.id <> target and m.status = 'shadow' and m.name = t.name
      and m.machine_class is not distinct from t.machine_class and m.machine_id is not distinct from t.machine_id;
    update models set status = 'shadow' where id = target;
    return found;
end
$$;

CREATE FUNCTION public.clear_deleted(max_rows integer, budget_ms integer, emptied_before timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.comment_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    comment constant comments := case when tg_op = 'DELETE' then old else new end;
begin
    insert into outbox (event_type, data)
    values (
        'comment.' || case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
        -- without the text: some receivers of events may not read internal comments
        jsonb_build_object('id', comment.id, 'resource_type', comment.resource_type, 'resource_id', comment.resource_id,
            'user_id', comment.user_id, 'is_internal', comment.is_internal, 'created_at', comment.created_at));
    return null;
end
$$;

CREATE FUNCTION public.count_readings(of_sensor uuid, of_machine uuid, from_time timestamp with time zone, to_time timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
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

CREATE FUNCTION public.count_up(from_minute timestamp with time zone, running_minute timestamp with time zone, keep_from timestamp with time zone, overview_from timestamp with time zone, valid_until timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.csv_number(value double precision) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ select case when value::text ~ '[.eE]|Infinity|NaN' then value::text else value::text || '.0' end $$;

CREATE FUNCTION public.deletion_counts(of_machine uuid, of_sensor uuid) RETURNS TABLE(sensors bigint, readings bigint, predictions bigint, alarms bigint, tickets bigint, comments bigint, attachments bigint)
    LANGUAGE sql STABLE
    AS $$
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

CREATE FUNCTION public.drop_old(class text, edge timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET lock_timeout TO '2s'
    AS $$
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

CREATE FUNCTION public.drop_old_audit(edge timestamp with time zone, max_rows bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
    removed bigint;
begin
    if edge > now() - interval '30 days' + interval '1 minute' then
        raise exception 'entries of the last 30 days stay' using errcode = '22023';
    end if;
    delete from audit_log where id in (
        select id from audit_log where created_at < edge order by created_at limit max_rows);
    get diagnostics removed = row_count;
    return removed;
end
$$;

CREATE FUNCTION public.epoch_us(us bigint) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ select timestamptz 'epoch' + us * interval '1 microsecond' $$;

CREATE FUNCTION public.held_area(value double precision, from_time timestamp with time zone, to_time timestamp with time zone) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select summand(value) * extract(epoch from to_time - from_time)::double precision
$$;

CREATE FUNCTION public.kept_readings(of_sensor uuid) RETURNS bigint
    LANGUAGE sql STABLE
    AS $$
    select (select coalesce(sum(count), 0)::bigint from readings_1h where sensor_id = of_sensor)
         + (select count(*) from sensor_data
            where sensor_id = of_sensor
              and time >= (select coalesce(min(minute), 'infinity') from rollup_changes where sensor_id is null))
$$;

CREATE FUNCTION public.list_builtin_model(model_name text, model_version text, model_path text, model_card jsonb) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
declare
    known models := (select m from models m where m.name = model_name and m.version = model_version);
    holder models := (
        select m from models m
        where m.name = model_name and m.status = 'active' and m.machine_class is null and m.machine_id is null);
    free boolean := holder.id is null
        or (holder.version <> model_version and not exists (select from model_records where model_id = holder.id));
begin
    if known.id is null then
        insert into models (name, version, description, path, card)
        values (model_name, model_version, 'came with the program', model_path, model_card)
        on conflict (name, version) do nothing;
        known := (select m from models m where m.name = model_name and m.version = model_version);
    end if;
    if free and known.status <> 'active' then
        perform activate_model(known.id);
    end if;
    return known.id;
end
$$;

CREATE FUNCTION public.machine_status_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into outbox (event_type, data) values ('machine.status', jsonb_build_object(
        'id', new.id, 'machine_id', new.id, 'name', new.name, 'status', new.status, 'previous_status', old.status,
        'criticality', new.criticality));
    return null;
end
$$;

CREATE FUNCTION public.model_for(machine uuid, wanted text) RETURNS uuid
    LANGUAGE sql STABLE
    AS $$
    select m.id
    from models m join model_records r on r.model_id = m.id left join machines k on k.id = machine
    where m.status = wanted
      and (m.machine_id is null or m.machine_id = machine)
      and (m.machine_class is null or m.machine_class = k.machine_class)
    order by m.machine_id is null, m.machine_class is null
    limit 1
$$;

CREATE FUNCTION public.newest_of(class text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.outbox_take_position() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    perform pg_advisory_xact_lock(hashtext('outbox_position'));
    update outbox set position = nextval('outbox_position') where id = new.id;
    return null;
end
$$;

CREATE FUNCTION public.refresh_statistics() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    if pg_try_advisory_xact_lock(hashtext('refresh_statistics')) then
        analyze machines, sensors, sensor_state, sensor_latest;
    end if;
end
$$;

CREATE FUNCTION public.remove_belongings() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    delete from comments where resource_type = tg_argv[0] and resource_id = old.id;
    delete from attachments where resource_type = tg_argv[0] and resource_id = old.id;
    return null;
end
$$;

CREATE FUNCTION public.roles_keep_system() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if old.is_system then
        raise exception 'violates constraint "roles_system_fixed"'
            using errcode = 'check_violation', constraint = 'roles_system_fixed';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;

CREATE FUNCTION public.roll_hours(of_sensors uuid[], hours timestamp with time zone[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.roll_up(budget_ms integer, ended timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.stamp_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.updated_at := now();
    return new;
end
$$;

CREATE FUNCTION public.summand(value double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    select case when abs(value) < 1e-100 then 0 else greatest(-1e140, least(1e140, value)) end
$$;

CREATE FUNCTION public.ticket_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    event constant jsonb := ticket_event(new, case when tg_op = 'UPDATE' then old.assignee end);
begin
    if tg_op = 'INSERT' then
        insert into ticket_transitions (ticket_id, field, is_now, by_user)
        values (new.id, 'status', new.status, acting_user());
        insert into outbox (event_type, data) values ('ticket.created', event);
        -- the assignee of an automatic ticket is notified of the alarm itself
        if new.assignee is not null and not new.auto_created then
            insert into outbox (event_type, data) values ('ticket.assigned', event);
        end if;
        return null;
    end if;
    insert into ticket_transitions (ticket_id, field, was, is_now, by_user, note)
    select new.id, field, was, is_now, acting_user(),
           case when field = 'status' and ticket_is_closed(new.status) then new.resolution_notes end
    from (values
        ('status', old.status, new.status),
        ('assignee', old.assignee, new.assignee),
        ('priority', old.priority, new.priority),
        ('due_at', to_char(old.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                   to_char(new.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) c (field, was, is_now)
    where was is distinct from is_now;
    insert into outbox (event_type, data) values ('ticket.updated', event);
    if new.assignee is distinct from old.assignee and new.assignee is not null then
        insert into outbox (event_type, data) values ('ticket.assigned', event);
    end if;
    return null;
end
$$;

CREATE TABLE public.tickets (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    machine_id uuid NOT NULL,
    alarm_id uuid,
    title text NOT NULL,
    priority text DEFAULT 'medium'::text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    assignee text,
    description text,
    due_at timestamp with time zone,
    auto_created boolean DEFAULT false NOT NULL,
    resolution_notes text,
    closing_code text,
    metadata jsonb,
    CONSTRAINT tickets_closing_code_known CHECK ((closing_code = ANY (ARRAY['repaired'::text, 'part_replaced'::text, 'sensor_replaced'::text, 'overhaul'::text, 'no_fault_found'::text]))),
    CONSTRAINT tickets_metadata_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT tickets_priority_known CHECK ((priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT tickets_status_known CHECK ((status = ANY (ARRAY['open'::text, 'assigned'::text, 'in_progress'::text, 'resolved'::text, 'closed'::text, 'cancelled'::text])))
);

CREATE FUNCTION public.ticket_event(ticket public.tickets, previous_assignee text) RETURNS jsonb
    LANGUAGE sql STABLE
    AS $$
    select jsonb_build_object('id', ticket.id, 'machine_id', ticket.machine_id, 'alarm_id', ticket.alarm_id,
        'title', ticket.title, 'priority', ticket.priority, 'status', ticket.status, 'assignee', ticket.assignee,
        'due_at', ticket.due_at, 'previous_assignee', previous_assignee, 'by', acting_user())
$$;

CREATE FUNCTION public.ticket_is_closed(status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select status in ('resolved', 'closed', 'cancelled')
$$;

CREATE FUNCTION public.users_keep_an_admin() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
    perform pg_advisory_xact_lock(hashtext('users_keep_an_admin'));
    if not exists (select from users where role = 'admin' and is_active) then
        raise exception 'violates constraint "users_last_admin"'
            using errcode = 'check_violation', constraint = 'users_last_admin';
    end if;
    return null;
end
$$;

CREATE TABLE public.alarm_notices (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    escalation_id uuid NOT NULL,
    subject text NOT NULL,
    repetition bigint NOT NULL,
    step bigint NOT NULL,
    recipient text NOT NULL,
    reason text NOT NULL,
    user_id uuid,
    channel text,
    channel_id uuid,
    address text,
    fate text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    finished_at timestamp with time zone,
    error text,
    CONSTRAINT alarm_notices_address_one_line CHECK (((address !~ '[\r\n]'::text) AND ((length(address) >= 1) AND (length(address) <= 320)))),
    CONSTRAINT alarm_notices_fate_known CHECK ((fate = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT alarm_notices_subject_known CHECK ((subject = ANY (ARRAY['alarm'::text, 'answered'::text, 'resolved'::text])))
);

CREATE TABLE public.alarm_rules (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    sensor_id uuid,
    machine_id uuid,
    machine_class text,
    sensor_type text,
    on_delay_s bigint,
    off_delay_s bigint,
    dead_band double precision,
    plausible_low double precision,
    plausible_high double precision,
    max_rate_per_min double precision,
    expected_interval_s bigint,
    priority text,
    cause text,
    consequence text,
    response text,
    link text,
    CONSTRAINT alarm_rules_dead_band_range CHECK ((dead_band >= (0)::double precision)),
    CONSTRAINT alarm_rules_expected_interval_range CHECK (((expected_interval_s >= 1) AND (expected_interval_s <= 604800))),
    CONSTRAINT alarm_rules_max_rate_range CHECK ((max_rate_per_min > (0)::double precision)),
    CONSTRAINT alarm_rules_off_delay_range CHECK (((off_delay_s >= 0) AND (off_delay_s <= 86400))),
    CONSTRAINT alarm_rules_on_delay_range CHECK (((on_delay_s >= 0) AND (on_delay_s <= 86400))),
    CONSTRAINT alarm_rules_plausible_order CHECK ((plausible_low < plausible_high)),
    CONSTRAINT alarm_rules_priority_known CHECK ((priority = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT alarm_rules_scope CHECK (((num_nonnulls(sensor_id, sensor_type) = 1) AND (num_nonnulls(sensor_id, machine_id, machine_class) <= 1)))
);

CREATE TABLE public.alarm_transitions (
    id bigint NOT NULL,
    alarm_id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    change text NOT NULL,
    by_user uuid,
    note text
);

ALTER TABLE public.alarm_transitions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alarm_transitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.api_keys (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    token_hash bytea NOT NULL,
    permissions text[] NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);

CREATE TABLE public.attachment_contents (
    attachment_id uuid NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE ONLY public.attachment_contents ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE public.attachments (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    filename text NOT NULL,
    content_type text NOT NULL,
    file_size bigint NOT NULL,
    sha256 bytea NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid,
    uploaded_by uuid,
    storage_key text,
    CONSTRAINT attachments_resource_known CHECK ((resource_type = ANY (ARRAY['general'::text, 'alarm'::text, 'ticket'::text])))
);

CREATE TABLE public.audit_log (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    user_id uuid,
    action_type text NOT NULL,
    resource_type text NOT NULL,
    resource_id text,
    details text,
    metadata jsonb,
    ip_address text,
    user_agent text
);

CREATE TABLE public.backtest_outcomes (
    backtest_id uuid NOT NULL,
    progress bytea NOT NULL,
    outcome jsonb
);

CREATE TABLE public.backtests (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid,
    name text,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    scope jsonb NOT NULL,
    rules jsonb NOT NULL,
    sensors bigint NOT NULL,
    job_id uuid,
    CONSTRAINT backtests_in_order CHECK ((starts_at < ends_at))
);

CREATE TABLE public.clock_tasks (
    task text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    failed_at timestamp with time zone
);

CREATE TABLE public.comments (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    user_id uuid NOT NULL,
    content text NOT NULL,
    is_internal boolean DEFAULT false NOT NULL,
    CONSTRAINT comments_resource_known CHECK ((resource_type = ANY (ARRAY['alarm'::text, 'ticket'::text])))
);

CREATE TABLE public.counts (
    name text NOT NULL,
    value bigint NOT NULL,
    valid_until timestamp with time zone NOT NULL
);

CREATE TABLE public.dead_letters (
    id bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL,
    count bigint DEFAULT 1 NOT NULL,
    cause bytea NOT NULL,
    bucket timestamp with time zone NOT NULL,
    digest bytea NOT NULL,
    replayed_at timestamp with time zone
);

ALTER TABLE public.dead_letters ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letters_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.deleted_sensors (
    sensor_id uuid NOT NULL,
    deleted_at timestamp with time zone DEFAULT now() NOT NULL,
    emptied_at timestamp with time zone
);

CREATE TABLE public.escalation_chains (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    active_since timestamp with time zone,
    machine_id uuid,
    machine_class text,
    minimum_severity text NOT NULL,
    steps jsonb NOT NULL,
    repeat_every_s bigint NOT NULL,
    repeats bigint NOT NULL,
    CONSTRAINT escalation_chains_one_scope CHECK (((machine_id IS NULL) OR (machine_class IS NULL))),
    CONSTRAINT escalation_chains_repeat_range CHECK (((repeat_every_s >= 2) AND (repeat_every_s <= 604800))),
    CONSTRAINT escalation_chains_repeats_range CHECK (((repeats >= 0) AND (repeats <= 50))),
    CONSTRAINT escalation_chains_severity_known CHECK ((minimum_severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
);

CREATE TABLE public.escalations (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    case_id uuid NOT NULL,
    machine_id uuid NOT NULL,
    chain_id uuid,
    chain_name text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    next_due_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_reason text,
    resolved_at timestamp with time zone,
    CONSTRAINT escalations_ended_first CHECK (((resolved_at IS NULL) OR (ended_at IS NOT NULL)))
);

CREATE UNLOGGED TABLE public.event_streams (
    user_id uuid NOT NULL,
    slot integer NOT NULL,
    stream_id uuid NOT NULL,
    renewed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    fingerprint bigint NOT NULL,
    status integer,
    body bytea
);

CREATE TABLE public.import_parts (
    import_id uuid NOT NULL,
    number integer NOT NULL,
    payload bytea NOT NULL,
    packed boolean NOT NULL,
    stored_at timestamp with time zone,
    counts jsonb,
    reasons jsonb
);

CREATE TABLE public.imports (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    rules jsonb NOT NULL,
    job_id uuid
);

CREATE TABLE public.jobs (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    job_type text NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    progress integer DEFAULT 0 NOT NULL,
    result jsonb,
    error_message text,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    created_by uuid,
    metadata jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    lease_id uuid,
    lease_until timestamp with time zone,
    CONSTRAINT jobs_progress_percent CHECK (((progress >= 0) AND (progress <= 100))),
    CONSTRAINT jobs_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text])))
);

CREATE TABLE public.login_throttle (
    key text NOT NULL,
    failures integer NOT NULL,
    window_started_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone
);

CREATE TABLE public.machine_elements (
    id uuid NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    elements jsonb NOT NULL,
    CONSTRAINT machine_elements_array CHECK ((jsonb_typeof(elements) = 'array'::text))
);

CREATE TABLE public.machine_state (
    machine_id uuid NOT NULL,
    score_state bytea NOT NULL,
    "time" timestamp with time zone NOT NULL,
    score double precision,
    shares jsonb NOT NULL,
    explained jsonb DEFAULT '[]'::jsonb NOT NULL
);

CREATE TABLE public.machines (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    location text,
    description text,
    machine_class text,
    status text DEFAULT 'online'::text NOT NULL,
    criticality text DEFAULT 'medium'::text NOT NULL,
    metadata jsonb,
    last_service_date date,
    thresholds jsonb,
    mqtt_id text,
    CONSTRAINT machines_criticality_known CHECK ((criticality = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text]))),
    CONSTRAINT machines_metadata_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT machines_status_known CHECK ((status = ANY (ARRAY['online'::text, 'offline'::text, 'maintenance'::text, 'degraded'::text]))),
    CONSTRAINT machines_thresholds_object CHECK ((jsonb_typeof(thresholds) = 'object'::text))
);

CREATE TABLE public.mails (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    channel text DEFAULT 'mail'::text NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    body_text text DEFAULT ''::text NOT NULL,
    body_html text,
    digest jsonb,
    dedupe_key text,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    attempts_allowed integer NOT NULL,
    next_attempt_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    error text,
    CONSTRAINT mails_channel_known CHECK ((channel = ANY (ARRAY['mail'::text, 'slack'::text]))),
    CONSTRAINT mails_recipient_one_line CHECK (((recipient !~ '[\r\n]'::text) AND ((length(recipient) >= 1) AND (length(recipient) <= 320)))),
    CONSTRAINT mails_size CHECK (((length(body_text) <= 200000) AND (length(body_html) <= 400000))),
    CONSTRAINT mails_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'sending'::text, 'sent'::text, 'failed'::text]))),
    CONSTRAINT mails_subject_one_line CHECK (((subject !~ '[\r\n]'::text) AND (length(subject) <= 300)))
);

CREATE TABLE public.maintenance_windows (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by uuid,
    reason text NOT NULL,
    machine_id uuid,
    machine_class text,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    repeats text,
    repeats_until timestamp with time zone,
    zone text DEFAULT 'UTC'::text NOT NULL,
    CONSTRAINT maintenance_windows_in_order CHECK ((starts_at < ends_at)),
    CONSTRAINT maintenance_windows_one_scope CHECK (((machine_id IS NULL) OR (machine_class IS NULL))),
    CONSTRAINT maintenance_windows_repeats_known CHECK ((repeats = ANY (ARRAY['daily'::text, 'weekly'::text])))
);

CREATE TABLE public.mappings (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    rules jsonb NOT NULL
);

CREATE TABLE public.model_drift (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    model_version text NOT NULL,
    sensors integer NOT NULL,
    rows_used integer NOT NULL,
    worst double precision NOT NULL,
    features jsonb NOT NULL
);

CREATE TABLE public.model_records (
    model_id uuid NOT NULL,
    record bytea NOT NULL
);

CREATE TABLE public.model_shadow (
    model_id uuid NOT NULL,
    day date NOT NULL,
    scored bigint NOT NULL,
    active_anomalous bigint NOT NULL,
    challenger_anomalous bigint NOT NULL,
    both_anomalous bigint NOT NULL,
    difference double precision NOT NULL
);

CREATE TABLE public.models (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    version text NOT NULL,
    description text,
    path text,
    metadata jsonb,
    status text DEFAULT 'registered'::text NOT NULL,
    machine_class text,
    machine_id uuid,
    card jsonb,
    report jsonb,
    activated_at timestamp with time zone,
    CONSTRAINT models_one_scope CHECK (((machine_class IS NULL) OR (machine_id IS NULL))),
    CONSTRAINT models_status_known CHECK ((status = ANY (ARRAY['registered'::text, 'shadow'::text, 'active'::text, 'retired'::text])))
);

CREATE TABLE public.newest_alarms (
    machine_id uuid NOT NULL,
    alarm_id uuid NOT NULL
);

CREATE TABLE public.notice_channels (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    url text NOT NULL,
    secret text,
    CONSTRAINT notice_channels_kind_known CHECK ((kind = ANY (ARRAY['teams'::text, 'slack'::text, 'pagerduty'::text, 'opsgenie'::text, 'ntfy'::text, 'generic'::text])))
);

CREATE TABLE public.notices (
    id bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    channel text NOT NULL,
    recipient text NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL,
    title text NOT NULL,
    machine text,
    at timestamp with time zone NOT NULL,
    path text NOT NULL
);

ALTER TABLE public.notices ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.notices_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.notification_preferences (
    user_id uuid NOT NULL,
    alarms boolean NOT NULL,
    predictions boolean NOT NULL,
    ticket_assignments boolean NOT NULL,
    minimum_severity text NOT NULL,
    machine_ids text[] DEFAULT '{}'::text[] NOT NULL,
    machine_classes text[] DEFAULT '{}'::text[] NOT NULL,
    hours_from bigint,
    hours_to bigint,
    zone text,
    summary_at bigint,
    summary_due_at timestamp with time zone,
    CONSTRAINT notification_preferences_hours_both CHECK (((hours_from IS NULL) = (hours_to IS NULL))),
    CONSTRAINT notification_preferences_severity_known CHECK ((minimum_severity = ANY (ARRAY['info'::text, 'warning'::text, 'critical'::text])))
);

CREATE TABLE public.on_call_overrides (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    schedule_id uuid NOT NULL,
    user_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT on_call_overrides_in_order CHECK ((starts_at < ends_at))
);

CREATE TABLE public.on_call_schedules (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    zone text NOT NULL,
    people text[] NOT NULL,
    turn_days bigint NOT NULL,
    starts_on text NOT NULL,
    hand_over_minute bigint NOT NULL,
    holidays jsonb NOT NULL,
    CONSTRAINT on_call_schedules_hand_over_range CHECK (((hand_over_minute >= 0) AND (hand_over_minute <= 1439))),
    CONSTRAINT on_call_schedules_turn_range CHECK (((turn_days >= 1) AND (turn_days <= 28)))
);

CREATE TABLE public.outbox (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    "position" bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    event_type text NOT NULL,
    data jsonb NOT NULL,
    traceparent text
);

CREATE TABLE public.outbox_cursors (
    consumer text NOT NULL,
    "position" bigint NOT NULL
);

CREATE SEQUENCE public.outbox_position
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.password_resets (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE public.predictions (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    "time" timestamp with time zone NOT NULL,
    sensor_id uuid NOT NULL,
    machine_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    score double precision NOT NULL,
    status text NOT NULL,
    anomaly_type text NOT NULL,
    prediction text NOT NULL,
    confidence double precision NOT NULL,
    health_percent double precision NOT NULL,
    remaining_hours double precision,
    remaining_lower_hours double precision,
    remaining_upper_hours double precision,
    remaining_method text,
    remaining_model text,
    model_version text NOT NULL,
    response_time_ms double precision NOT NULL,
    contributing_features jsonb NOT NULL
);

CREATE TABLE public.predictions_1m (
    bucket timestamp with time zone NOT NULL,
    normal bigint NOT NULL,
    warning bigint NOT NULL,
    critical bigint NOT NULL,
    buffering bigint NOT NULL
);

CREATE UNLOGGED TABLE public.provider_documents (
    issuer text NOT NULL,
    configuration text NOT NULL,
    keys text NOT NULL,
    fetched_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.reading_totals (
    hour timestamp with time zone NOT NULL,
    count bigint NOT NULL
);

CREATE TABLE public.readings_1h (
    bucket timestamp with time zone NOT NULL,
    sensor_id uuid NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    last double precision NOT NULL,
    worst smallint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    area double precision NOT NULL
);

CREATE TABLE public.readings_1m (
    bucket timestamp with time zone NOT NULL,
    sensor_id uuid NOT NULL,
    count bigint NOT NULL,
    sum double precision NOT NULL,
    min double precision NOT NULL,
    max double precision NOT NULL,
    last double precision NOT NULL,
    worst smallint NOT NULL,
    first_time timestamp with time zone NOT NULL,
    last_time timestamp with time zone NOT NULL,
    area double precision NOT NULL
);

CREATE TABLE public.reference_restarts (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    machine_id uuid NOT NULL,
    sensor_id uuid,
    reason text NOT NULL,
    note text,
    by_user uuid,
    CONSTRAINT reference_restarts_reason_known CHECK ((reason = ANY (ARRAY['sensor_replaced'::text, 'overhaul'::text])))
);

CREATE TABLE public.refresh_families (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    current_token_id uuid NOT NULL,
    previous_token_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    rotated_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ip_address text,
    user_agent text,
    revoked_at timestamp with time zone,
    revoked_reason text,
    identity_provider text
);

CREATE TABLE public.report_pieces (
    report_id uuid NOT NULL,
    number integer NOT NULL,
    content bytea NOT NULL
);

CREATE TABLE public.report_schedules (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    format text NOT NULL,
    cadence text NOT NULL,
    weekday smallint DEFAULT 0 NOT NULL,
    hour smallint NOT NULL,
    utc_offset_minutes smallint DEFAULT 0 NOT NULL,
    zone text,
    machine_id uuid,
    sensor_id uuid,
    recipients text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_by uuid,
    next_run_at timestamp with time zone NOT NULL,
    leased_until timestamp with time zone,
    attempts smallint DEFAULT 0 NOT NULL,
    last_run_at timestamp with time zone,
    last_error text,
    CONSTRAINT report_schedules_cadence_known CHECK ((cadence = ANY (ARRAY['daily'::text, 'weekly'::text]))),
    CONSTRAINT report_schedules_format_known CHECK ((format = ANY (ARRAY['csv'::text, 'pdf'::text, 'xlsx'::text]))),
    CONSTRAINT report_schedules_hour_known CHECK (((hour >= 0) AND (hour <= 23))),
    CONSTRAINT report_schedules_offset_known CHECK (((utc_offset_minutes >= '-720'::integer) AND (utc_offset_minutes <= 840))),
    CONSTRAINT report_schedules_weekday_known CHECK (((weekday >= 0) AND (weekday <= 6)))
);

CREATE TABLE public.reports (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    format text NOT NULL,
    title text NOT NULL,
    params jsonb NOT NULL,
    readings bigint DEFAULT 0 NOT NULL,
    truncated boolean DEFAULT false NOT NULL,
    file_size bigint DEFAULT 0 NOT NULL,
    sha256 bytea,
    created_by uuid,
    schedule_id uuid,
    recipients text[] DEFAULT '{}'::text[] NOT NULL,
    completed_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT reports_format_known CHECK ((format = ANY (ARRAY['csv'::text, 'pdf'::text, 'xlsx'::text]))),
    CONSTRAINT reports_params_object CHECK ((jsonb_typeof(params) = 'object'::text))
);

CREATE UNLOGGED TABLE public.request_counts (
    client text NOT NULL,
    minute bigint NOT NULL,
    requests bigint NOT NULL
);

CREATE TABLE public.retention_marks (
    class text NOT NULL,
    dropped_before timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    CONSTRAINT retention_marks_class_known CHECK ((class = ANY (ARRAY['readings'::text, 'readings_1m'::text, 'readings_1h'::text, 'predictions'::text, 'waveforms'::text])))
);

CREATE TABLE public.roles (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    description text,
    permissions text[] DEFAULT '{}'::text[] NOT NULL,
    is_system boolean DEFAULT false NOT NULL,
    CONSTRAINT roles_system_permits_by_table CHECK (((NOT is_system) OR (permissions = '{}'::text[])))
);

CREATE TABLE public.rollup_changes (
    id bigint NOT NULL,
    minute timestamp with time zone NOT NULL,
    sensor_id uuid,
    readings bigint NOT NULL
);

ALTER TABLE public.rollup_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rollup_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sensor_data (
    "time" timestamp with time zone NOT NULL,
    sensor_id uuid NOT NULL,
    machine_id uuid NOT NULL,
    value double precision NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    status smallint NOT NULL,
    quality smallint DEFAULT 0 NOT NULL,
    history boolean DEFAULT false NOT NULL,
    metadata jsonb,
    id bigint NOT NULL
);

ALTER TABLE public.sensor_data ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sensor_data_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.sensor_latest (
    sensor_id uuid NOT NULL,
    "time" timestamp with time zone NOT NULL,
    value double precision NOT NULL,
    status smallint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.sensor_state (
    sensor_id uuid NOT NULL,
    score_state bytea,
    scored_through timestamp with time zone,
    threshold_condition smallint DEFAULT 0 NOT NULL,
    prediction_condition smallint DEFAULT 0 NOT NULL,
    reported_condition smallint DEFAULT 0 NOT NULL,
    stale_condition smallint DEFAULT 0 NOT NULL,
    delay_state jsonb,
    delay_due_at timestamp with time zone,
    evaluated_through timestamp with time zone
)
WITH (fillfactor='50');

CREATE TABLE public.sensors (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    machine_id uuid NOT NULL,
    name text NOT NULL,
    sensor_type text NOT NULL,
    unit text,
    min_threshold double precision,
    max_threshold double precision,
    warning_threshold double precision,
    critical_threshold double precision,
    warning_low double precision,
    critical_low double precision,
    metadata jsonb,
    mqtt_id text,
    CONSTRAINT sensors_metadata_object CHECK ((jsonb_typeof(metadata) = 'object'::text))
);

CREATE TABLE public.service_reports (
    name text NOT NULL,
    kind text NOT NULL,
    reported_at timestamp with time zone NOT NULL,
    report jsonb NOT NULL
);

CREATE TABLE public.settings (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    key text NOT NULL,
    value text,
    value_type text DEFAULT 'string'::text NOT NULL,
    description text,
    category text DEFAULT 'general'::text NOT NULL,
    is_public boolean DEFAULT false NOT NULL,
    is_secret boolean DEFAULT false NOT NULL,
    metadata jsonb,
    CONSTRAINT settings_secret_is_not_public CHECK ((NOT (is_secret AND is_public))),
    CONSTRAINT settings_value_type_known CHECK ((value_type = ANY (ARRAY['string'::text, 'number'::text, 'boolean'::text, 'json'::text])))
);

CREATE UNLOGGED TABLE public.spent_tickets (
    id uuid NOT NULL,
    spent_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.stray_objects (
    storage_key text NOT NULL,
    remove_after timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.suppressed_conditions (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    machine_id uuid NOT NULL,
    sensor_id uuid NOT NULL,
    kind text NOT NULL,
    window_id uuid,
    day date NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    occurrences bigint NOT NULL
);

CREATE TABLE public.ticket_transitions (
    id bigint NOT NULL,
    ticket_id uuid NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    field text NOT NULL,
    was text,
    is_now text,
    by_user uuid,
    note text,
    CONSTRAINT ticket_transitions_field_known CHECK ((field = ANY (ARRAY['status'::text, 'assignee'::text, 'priority'::text, 'due_at'::text])))
);

ALTER TABLE public.ticket_transitions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ticket_transitions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.user_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.user_roles (
    user_id uuid NOT NULL,
    role_id uuid NOT NULL
);

CREATE TABLE public.user_totp (
    user_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    secret text NOT NULL,
    confirmed_at timestamp with time zone,
    last_step bigint DEFAULT 0 NOT NULL,
    recovery_code_hashes text[] DEFAULT '{}'::text[] NOT NULL
);

CREATE TABLE public.users (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    email text NOT NULL,
    full_name text,
    role text NOT NULL,
    password_hash text,
    password_change_required boolean DEFAULT false NOT NULL,
    last_login timestamp with time zone,
    is_active boolean DEFAULT true NOT NULL,
    is_service boolean DEFAULT false NOT NULL,
    CONSTRAINT users_role_known CHECK ((role = ANY (ARRAY['operator'::text, 'viewer'::text, 'engineer'::text, 'admin'::text]))),
    CONSTRAINT users_service_without_password CHECK (((NOT is_service) OR (password_hash IS NULL)))
);

CREATE TABLE public.waveforms (
    "time" timestamp with time zone NOT NULL,
    sensor_id uuid NOT NULL,
    machine_id uuid NOT NULL,
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    rate_hz double precision NOT NULL,
    samples integer NOT NULL,
    unit text,
    axis text,
    rpm double precision,
    data bytea NOT NULL,
    analysis jsonb NOT NULL
);

CREATE TABLE public.webhook_deliveries (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    status text DEFAULT 'pending'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone,
    last_attempt_at timestamp with time zone,
    request_url text,
    request_body text NOT NULL,
    traceparent text,
    response_status integer,
    response_body text,
    error text,
    duration_ms integer,
    CONSTRAINT webhook_deliveries_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
);

CREATE TABLE public.webhooks (
    id uuid DEFAULT public.uuid_v7() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    name text NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    previous_secret text,
    previous_secret_expires_at timestamp with time zone,
    events text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    disabled_reason text,
    headers jsonb,
    timeout_seconds integer DEFAULT 5 NOT NULL,
    retry_count integer DEFAULT 14 NOT NULL,
    metadata jsonb,
    CONSTRAINT webhooks_retries_bounded CHECK (((retry_count >= 0) AND (retry_count <= 14))),
    CONSTRAINT webhooks_timeout_bounded CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 30)))
);

ALTER TABLE ONLY public.alarm_notices
    ADD CONSTRAINT alarm_notices_once UNIQUE (escalation_id, subject, repetition, step, recipient);

ALTER TABLE ONLY public.alarm_notices
    ADD CONSTRAINT alarm_notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alarm_rules
    ADD CONSTRAINT alarm_rules_one_per_scope UNIQUE NULLS NOT DISTINCT (sensor_id, sensor_type, machine_id, machine_class);

ALTER TABLE ONLY public.alarm_rules
    ADD CONSTRAINT alarm_rules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alarm_transitions
    ADD CONSTRAINT alarm_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_token_hash_unique UNIQUE (token_hash);

ALTER TABLE ONLY public.attachment_contents
    ADD CONSTRAINT attachment_contents_pkey PRIMARY KEY (attachment_id);

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.backtest_outcomes
    ADD CONSTRAINT backtest_outcomes_pkey PRIMARY KEY (backtest_id);

ALTER TABLE ONLY public.backtests
    ADD CONSTRAINT backtests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.clock_tasks
    ADD CONSTRAINT clock_tasks_pkey PRIMARY KEY (task);

ALTER TABLE ONLY public.comments
    ADD CONSTRAINT comments_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.counts
    ADD CONSTRAINT counts_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_once UNIQUE (cause, bucket);

ALTER TABLE ONLY public.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.deleted_sensors
    ADD CONSTRAINT deleted_sensors_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY public.escalation_chains
    ADD CONSTRAINT escalation_chains_name_unique UNIQUE (name);

ALTER TABLE ONLY public.escalation_chains
    ADD CONSTRAINT escalation_chains_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.escalations
    ADD CONSTRAINT escalations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.event_streams
    ADD CONSTRAINT event_streams_pkey PRIMARY KEY (user_id, slot);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_once PRIMARY KEY (user_id, key);

ALTER TABLE ONLY public.import_parts
    ADD CONSTRAINT import_parts_pkey PRIMARY KEY (import_id, number);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.login_throttle
    ADD CONSTRAINT login_throttle_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.machine_elements
    ADD CONSTRAINT machine_elements_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.machine_state
    ADD CONSTRAINT machine_state_pkey PRIMARY KEY (machine_id);

ALTER TABLE ONLY public.machines
    ADD CONSTRAINT machines_mqtt_id_unique UNIQUE (mqtt_id);

ALTER TABLE ONLY public.machines
    ADD CONSTRAINT machines_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mails
    ADD CONSTRAINT mails_dedupe_key_unique UNIQUE (dedupe_key);

ALTER TABLE ONLY public.mails
    ADD CONSTRAINT mails_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.maintenance_windows
    ADD CONSTRAINT maintenance_windows_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mappings
    ADD CONSTRAINT mappings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.model_drift
    ADD CONSTRAINT model_drift_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.model_records
    ADD CONSTRAINT model_records_pkey PRIMARY KEY (model_id);

ALTER TABLE ONLY public.model_shadow
    ADD CONSTRAINT model_shadow_pkey PRIMARY KEY (model_id, day);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_name_version_unique UNIQUE (name, version);

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.newest_alarms
    ADD CONSTRAINT newest_alarms_pkey PRIMARY KEY (machine_id);

ALTER TABLE ONLY public.notice_channels
    ADD CONSTRAINT notice_channels_name_unique UNIQUE (name);

ALTER TABLE ONLY public.notice_channels
    ADD CONSTRAINT notice_channels_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_once UNIQUE (channel, recipient, event_id);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notification_preferences
    ADD CONSTRAINT notification_preferences_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.on_call_overrides
    ADD CONSTRAINT on_call_overrides_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.on_call_schedules
    ADD CONSTRAINT on_call_schedules_name_unique UNIQUE (name);

ALTER TABLE ONLY public.on_call_schedules
    ADD CONSTRAINT on_call_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbox_cursors
    ADD CONSTRAINT outbox_cursors_pkey PRIMARY KEY (consumer);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_position_key UNIQUE ("position");

ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.predictions_1m
    ADD CONSTRAINT predictions_1m_pkey PRIMARY KEY (bucket);

ALTER TABLE ONLY public.predictions
    ADD CONSTRAINT predictions_natural_key PRIMARY KEY (sensor_id, "time");

ALTER TABLE ONLY public.provider_documents
    ADD CONSTRAINT provider_documents_pkey PRIMARY KEY (issuer);

ALTER TABLE ONLY public.reading_totals
    ADD CONSTRAINT reading_totals_pkey PRIMARY KEY (hour);

ALTER TABLE ONLY public.readings_1h
    ADD CONSTRAINT readings_1h_key PRIMARY KEY (sensor_id, bucket);

ALTER TABLE ONLY public.readings_1m
    ADD CONSTRAINT readings_1m_key PRIMARY KEY (sensor_id, bucket);

ALTER TABLE ONLY public.reference_restarts
    ADD CONSTRAINT reference_restarts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT refresh_families_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.report_pieces
    ADD CONSTRAINT report_pieces_pkey PRIMARY KEY (report_id, number);

ALTER TABLE ONLY public.report_schedules
    ADD CONSTRAINT report_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_name_unique UNIQUE (name);

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.request_counts
    ADD CONSTRAINT request_counts_pkey PRIMARY KEY (client, minute);

ALTER TABLE ONLY public.retention_marks
    ADD CONSTRAINT retention_marks_pkey PRIMARY KEY (class);

ALTER TABLE ONLY public.roles
    ADD CONSTRAINT roles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.rollup_changes
    ADD CONSTRAINT rollup_changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sensor_data
    ADD CONSTRAINT sensor_data_natural_key PRIMARY KEY (sensor_id, "time");

ALTER TABLE ONLY public.sensor_latest
    ADD CONSTRAINT sensor_latest_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY public.sensor_state
    ADD CONSTRAINT sensor_state_pkey PRIMARY KEY (sensor_id);

ALTER TABLE ONLY public.sensors
    ADD CONSTRAINT sensors_mqtt_id_unique UNIQUE (machine_id, mqtt_id);

ALTER TABLE ONLY public.sensors
    ADD CONSTRAINT sensors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.service_reports
    ADD CONSTRAINT service_reports_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_key_unique UNIQUE (key);

ALTER TABLE ONLY public.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.spent_tickets
    ADD CONSTRAINT spent_tickets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.stray_objects
    ADD CONSTRAINT stray_objects_pkey PRIMARY KEY (storage_key);

ALTER TABLE ONLY public.suppressed_conditions
    ADD CONSTRAINT suppressed_conditions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.ticket_transitions
    ADD CONSTRAINT ticket_transitions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_one_of_a_provider UNIQUE (user_id, issuer);

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_pkey PRIMARY KEY (issuer, subject);

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_pkey PRIMARY KEY (user_id, role_id);

ALTER TABLE ONLY public.user_totp
    ADD CONSTRAINT user_totp_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.waveforms
    ADD CONSTRAINT waveforms_natural_key PRIMARY KEY (sensor_id, "time");

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_once UNIQUE (webhook_id, event_id);

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);

CREATE INDEX alarm_notices_due ON public.alarm_notices USING btree (next_attempt_at) WHERE (fate = 'pending'::text);

CREATE INDEX alarm_notices_newest ON public.alarm_notices USING btree (created_at DESC, id DESC);

CREATE INDEX alarm_notices_of_channel ON public.alarm_notices USING btree (channel_id) WHERE (channel_id IS NOT NULL);

CREATE INDEX alarm_notices_of_user ON public.alarm_notices USING btree (user_id) WHERE (user_id IS NOT NULL);

CREATE INDEX alarm_rules_of_machine ON public.alarm_rules USING btree (machine_id) WHERE (machine_id IS NOT NULL);

CREATE INDEX alarm_transitions_of_alarm ON public.alarm_transitions USING btree (alarm_id, id);

CREATE INDEX alarms_active ON public.alarms USING btree (triggered_at DESC, id DESC) WHERE (status <> 'resolved'::text);

CREATE INDEX alarms_by_change ON public.alarms USING btree (updated_at DESC, id DESC);

CREATE INDEX alarms_newest ON public.alarms USING btree (triggered_at DESC, id DESC);

CREATE INDEX alarms_of_case ON public.alarms USING btree (COALESCE(case_id, id));

CREATE INDEX alarms_of_machine ON public.alarms USING btree (machine_id, triggered_at DESC);

CREATE INDEX alarms_of_prediction ON public.alarms USING btree (prediction_id) WHERE (prediction_id IS NOT NULL);

CREATE INDEX alarms_of_sensor ON public.alarms USING btree (sensor_id, triggered_at DESC);

CREATE UNIQUE INDEX alarms_one_per_cause ON public.alarms USING btree (machine_id, sensor_id, kind) NULLS NOT DISTINCT WHERE ((status <> 'resolved'::text) AND (kind <> 'manual'::text));

CREATE INDEX api_keys_of_user ON public.api_keys USING btree (user_id, created_at DESC, id DESC);

CREATE INDEX attachments_of_resource ON public.attachments USING btree (resource_type, resource_id, created_at DESC);

CREATE INDEX audit_log_newest ON public.audit_log USING btree (created_at DESC, id DESC);

CREATE INDEX audit_log_of_resource ON public.audit_log USING btree (resource_type, resource_id, created_at DESC);

CREATE INDEX audit_log_of_user ON public.audit_log USING btree (user_id, created_at DESC);

CREATE INDEX backtests_newest ON public.backtests USING btree (created_at DESC, id DESC);

CREATE INDEX backtests_of_job ON public.backtests USING btree (job_id);

CREATE INDEX comments_of_resource ON public.comments USING btree (resource_type, resource_id, created_at DESC);

CREATE INDEX dead_letters_newest ON public.dead_letters USING btree (received_at DESC);

CREATE INDEX escalation_chains_of_machine ON public.escalation_chains USING btree (machine_id) WHERE (machine_id IS NOT NULL);

CREATE INDEX escalations_of_case ON public.escalations USING btree (case_id);

CREATE INDEX escalations_of_chain ON public.escalations USING btree (chain_id) WHERE (chain_id IS NOT NULL);

CREATE INDEX escalations_of_machine ON public.escalations USING btree (machine_id);

CREATE UNIQUE INDEX escalations_one_per_case ON public.escalations USING btree (case_id) WHERE (ended_at IS NULL);

CREATE INDEX escalations_unresolved ON public.escalations USING btree (id) WHERE (resolved_at IS NULL);

CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX jobs_newest ON public.jobs USING btree (created_at DESC, id DESC);

CREATE INDEX jobs_to_do ON public.jobs USING btree (job_type, created_at) WHERE (status = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX machines_newest ON public.machines USING btree (created_at DESC, id DESC);

CREATE INDEX mails_due ON public.mails USING btree (channel, next_attempt_at) WHERE (status = ANY (ARRAY['pending'::text, 'sending'::text]));

CREATE INDEX mails_finished ON public.mails USING btree (finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX mails_of_recipient ON public.mails USING btree (recipient, created_at) WHERE (digest IS NOT NULL);

CREATE INDEX maintenance_windows_newest ON public.maintenance_windows USING btree (starts_at DESC, id DESC);

CREATE INDEX model_drift_newest ON public.model_drift USING btree (created_at DESC);

CREATE UNIQUE INDEX models_one_active ON public.models USING btree (name, machine_class, machine_id) NULLS NOT DISTINCT WHERE (status = 'active'::text);

CREATE UNIQUE INDEX models_one_challenger ON public.models USING btree (name, machine_class, machine_id) NULLS NOT DISTINCT WHERE (status = 'shadow'::text);

CREATE INDEX notification_preferences_summaries ON public.notification_preferences USING btree (summary_due_at) WHERE (summary_due_at IS NOT NULL);

CREATE INDEX on_call_overrides_of_schedule ON public.on_call_overrides USING btree (schedule_id, ends_at);

CREATE INDEX on_call_overrides_of_user ON public.on_call_overrides USING btree (user_id);

CREATE INDEX outbox_by_age ON public.outbox USING btree (created_at);

CREATE INDEX password_resets_of_user ON public.password_resets USING btree (user_id);

CREATE INDEX predictions_by_id ON public.predictions USING btree (id);

CREATE INDEX predictions_newest ON public.predictions USING btree ("time" DESC);

CREATE INDEX readings_1h_by_bucket ON public.readings_1h USING btree (bucket);

CREATE INDEX reference_restarts_of_machine ON public.reference_restarts USING btree (machine_id, created_at DESC);

CREATE INDEX refresh_families_by_expiry ON public.refresh_families USING btree (expires_at);

CREATE INDEX refresh_families_of_user ON public.refresh_families USING btree (user_id, created_at DESC, id DESC);

CREATE INDEX report_schedules_due ON public.report_schedules USING btree (next_run_at) WHERE is_active;

CREATE INDEX reports_by_expiry ON public.reports USING btree (expires_at);

CREATE INDEX reports_newest ON public.reports USING btree (created_at DESC, id DESC);

CREATE INDEX reports_of_user ON public.reports USING btree (created_by, created_at DESC);

CREATE UNIQUE INDEX roles_name_unique ON public.roles USING btree (lower(name));

CREATE INDEX rollup_changes_by_minute ON public.rollup_changes USING btree (minute);

CREATE INDEX sensor_data_marked ON public.sensor_data USING btree (sensor_id, "time") WHERE (quality <> 0);

CREATE INDEX sensor_data_newest ON public.sensor_data USING btree ("time" DESC);

CREATE INDEX sensor_state_delay_due ON public.sensor_state USING btree (delay_due_at) WHERE (delay_due_at IS NOT NULL);

CREATE INDEX sensor_state_stale ON public.sensor_state USING btree (sensor_id) WHERE (stale_condition <> 0);

CREATE INDEX sensors_newest ON public.sensors USING btree (created_at DESC, id DESC);

CREATE INDEX suppressed_conditions_newest ON public.suppressed_conditions USING btree (last_seen_at DESC, id DESC);

CREATE UNIQUE INDEX suppressed_conditions_of_day ON public.suppressed_conditions USING btree (sensor_id, kind, window_id, day) NULLS NOT DISTINCT;

CREATE INDEX suppressed_conditions_of_machine ON public.suppressed_conditions USING btree (machine_id, last_seen_at DESC);

CREATE INDEX ticket_transitions_of_ticket ON public.ticket_transitions USING btree (ticket_id, id);

CREATE INDEX tickets_by_change ON public.tickets USING btree (updated_at DESC, id DESC);

CREATE INDEX tickets_by_due ON public.tickets USING btree (COALESCE(due_at, '9999-12-31 00:00:00+00'::timestamp with time zone), id);

CREATE INDEX tickets_newest ON public.tickets USING btree (created_at DESC, id DESC);

CREATE INDEX tickets_of_alarm ON public.tickets USING btree (alarm_id) WHERE (alarm_id IS NOT NULL);

CREATE INDEX tickets_of_machine ON public.tickets USING btree (machine_id, created_at DESC);

CREATE UNIQUE INDEX tickets_one_auto_per_alarm ON public.tickets USING btree (alarm_id) WHERE auto_created;

CREATE INDEX user_roles_of_role ON public.user_roles USING btree (role_id);

CREATE UNIQUE INDEX users_email_unique ON public.users USING btree (lower(email));

CREATE INDEX users_newest ON public.users USING btree (created_at DESC, id DESC);

CREATE INDEX waveforms_by_id ON public.waveforms USING btree (id);

CREATE INDEX waveforms_newest ON public.waveforms USING btree ("time" DESC);

CREATE INDEX webhook_deliveries_by_age ON public.webhook_deliveries USING btree (created_at);

CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (next_attempt_at) WHERE (status = 'pending'::text);

CREATE INDEX webhook_deliveries_of_webhook ON public.webhook_deliveries USING btree (webhook_id, created_at DESC, id DESC);

CREATE TRIGGER alarm_rules_audit AFTER INSERT OR DELETE OR UPDATE ON public.alarm_rules FOR EACH ROW EXECUTE FUNCTION public.audit_row('alarm_rule');

CREATE TRIGGER alarm_rules_stamp BEFORE UPDATE ON public.alarm_rules FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER alarms_audit AFTER INSERT OR DELETE OR UPDATE ON public.alarms FOR EACH ROW EXECUTE FUNCTION public.audit_row('alarm');

CREATE TRIGGER alarms_belongings AFTER DELETE ON public.alarms FOR EACH ROW EXECUTE FUNCTION public.remove_belongings('alarm');

CREATE TRIGGER alarms_stamp BEFORE UPDATE ON public.alarms FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER api_keys_audit AFTER INSERT OR DELETE OR UPDATE ON public.api_keys FOR EACH ROW EXECUTE FUNCTION public.audit_row('api_key');

CREATE TRIGGER attachments_audit AFTER INSERT OR DELETE OR UPDATE ON public.attachments FOR EACH ROW EXECUTE FUNCTION public.audit_row('attachment');

CREATE TRIGGER attachments_changed AFTER INSERT OR DELETE ON public.attachments FOR EACH ROW EXECUTE FUNCTION public.attachment_changed();

CREATE TRIGGER backtests_audit AFTER INSERT OR DELETE OR UPDATE ON public.backtests FOR EACH ROW EXECUTE FUNCTION public.audit_row('backtest');

CREATE TRIGGER comments_audit AFTER INSERT OR DELETE OR UPDATE ON public.comments FOR EACH ROW EXECUTE FUNCTION public.audit_row('comment');

CREATE TRIGGER comments_changed AFTER INSERT OR DELETE OR UPDATE ON public.comments FOR EACH ROW EXECUTE FUNCTION public.comment_changed();

CREATE TRIGGER comments_stamp BEFORE UPDATE ON public.comments FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER escalation_chains_audit AFTER INSERT OR DELETE OR UPDATE ON public.escalation_chains FOR EACH ROW EXECUTE FUNCTION public.audit_row('escalation_chain');

CREATE TRIGGER escalation_chains_stamp BEFORE UPDATE ON public.escalation_chains FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER imports_audit AFTER INSERT OR DELETE OR UPDATE ON public.imports FOR EACH ROW EXECUTE FUNCTION public.audit_row('import');

CREATE TRIGGER jobs_audit AFTER INSERT OR DELETE OR UPDATE ON public.jobs FOR EACH ROW EXECUTE FUNCTION public.audit_row('job');

CREATE TRIGGER jobs_stamp BEFORE UPDATE ON public.jobs FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER machine_elements_audit AFTER INSERT OR DELETE OR UPDATE ON public.machine_elements FOR EACH ROW EXECUTE FUNCTION public.audit_row('machine_elements');

CREATE TRIGGER machine_elements_stamp BEFORE UPDATE ON public.machine_elements FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER machines_audit AFTER INSERT OR DELETE OR UPDATE ON public.machines FOR EACH ROW EXECUTE FUNCTION public.audit_row('machine');

CREATE TRIGGER machines_stamp BEFORE UPDATE ON public.machines FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER machines_status_changed AFTER UPDATE OF status ON public.machines FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION public.machine_status_changed();

CREATE TRIGGER maintenance_windows_audit AFTER INSERT OR DELETE OR UPDATE ON public.maintenance_windows FOR EACH ROW EXECUTE FUNCTION public.audit_row('maintenance_window');

CREATE TRIGGER maintenance_windows_stamp BEFORE UPDATE ON public.maintenance_windows FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER mappings_audit AFTER INSERT OR DELETE OR UPDATE ON public.mappings FOR EACH ROW EXECUTE FUNCTION public.audit_row('mapping');

CREATE TRIGGER mappings_stamp BEFORE UPDATE ON public.mappings FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER models_audit AFTER INSERT OR DELETE OR UPDATE ON public.models FOR EACH ROW EXECUTE FUNCTION public.audit_row('ai_model');

CREATE TRIGGER models_stamp BEFORE UPDATE ON public.models FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER notice_channels_audit AFTER INSERT OR DELETE OR UPDATE ON public.notice_channels FOR EACH ROW EXECUTE FUNCTION public.audit_row('notice_channel');

CREATE TRIGGER notice_channels_stamp BEFORE UPDATE ON public.notice_channels FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER notification_preferences_audit AFTER INSERT OR DELETE OR UPDATE ON public.notification_preferences FOR EACH ROW EXECUTE FUNCTION public.audit_row('notification_preferences');

CREATE TRIGGER on_call_overrides_audit AFTER INSERT OR DELETE OR UPDATE ON public.on_call_overrides FOR EACH ROW EXECUTE FUNCTION public.audit_row('on_call_override');

CREATE TRIGGER on_call_schedules_audit AFTER INSERT OR DELETE OR UPDATE ON public.on_call_schedules FOR EACH ROW EXECUTE FUNCTION public.audit_row('on_call_schedule');

CREATE TRIGGER on_call_schedules_stamp BEFORE UPDATE ON public.on_call_schedules FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE CONSTRAINT TRIGGER outbox_position_at_commit AFTER INSERT ON public.outbox DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.outbox_take_position();

CREATE TRIGGER reference_restarts_audit AFTER INSERT ON public.reference_restarts FOR EACH ROW EXECUTE FUNCTION public.audit_row('reference');

CREATE TRIGGER report_schedules_audit AFTER INSERT OR DELETE OR UPDATE ON public.report_schedules FOR EACH ROW EXECUTE FUNCTION public.audit_row('report_schedule');

CREATE TRIGGER report_schedules_stamp BEFORE UPDATE ON public.report_schedules FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER reports_audit AFTER INSERT OR DELETE ON public.reports FOR EACH ROW EXECUTE FUNCTION public.audit_row('report');

CREATE TRIGGER roles_audit AFTER INSERT OR DELETE OR UPDATE ON public.roles FOR EACH ROW EXECUTE FUNCTION public.audit_row('role');

CREATE TRIGGER roles_keep_system BEFORE DELETE OR UPDATE ON public.roles FOR EACH ROW EXECUTE FUNCTION public.roles_keep_system();

CREATE TRIGGER roles_stamp BEFORE UPDATE ON public.roles FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER sensors_audit AFTER INSERT OR DELETE OR UPDATE ON public.sensors FOR EACH ROW EXECUTE FUNCTION public.audit_row('sensor');

CREATE TRIGGER sensors_stamp BEFORE UPDATE ON public.sensors FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER settings_audit AFTER INSERT OR DELETE OR UPDATE ON public.settings FOR EACH ROW EXECUTE FUNCTION public.audit_row('setting');

CREATE TRIGGER settings_stamp BEFORE UPDATE ON public.settings FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER tickets_audit AFTER INSERT OR DELETE OR UPDATE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.audit_row('ticket');

CREATE TRIGGER tickets_belongings AFTER DELETE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.remove_belongings('ticket');

CREATE TRIGGER tickets_changed_insert AFTER INSERT ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.ticket_changed();

CREATE TRIGGER tickets_changed_update AFTER UPDATE ON public.tickets FOR EACH ROW WHEN ((((((((((old.status IS DISTINCT FROM new.status) OR (old.assignee IS DISTINCT FROM new.assignee)) OR (old.priority IS DISTINCT FROM new.priority)) OR (old.due_at IS DISTINCT FROM new.due_at)) OR (old.title IS DISTINCT FROM new.title)) OR (old.description IS DISTINCT FROM new.description)) OR (old.resolution_notes IS DISTINCT FROM new.resolution_notes)) OR (old.closing_code IS DISTINCT FROM new.closing_code)) OR (old.metadata IS DISTINCT FROM new.metadata))) EXECUTE FUNCTION public.ticket_changed();

CREATE TRIGGER tickets_stamp BEFORE UPDATE ON public.tickets FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.predictions FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.readings_1h FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.readings_1m FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.sensor_data FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.waveforms FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER user_identities_audit AFTER INSERT OR DELETE OR UPDATE ON public.user_identities FOR EACH ROW EXECUTE FUNCTION public.audit_row('user_identity');

CREATE TRIGGER user_roles_audit AFTER INSERT OR DELETE ON public.user_roles FOR EACH ROW EXECUTE FUNCTION public.audit_row('user_role');

CREATE TRIGGER user_totp_audit AFTER INSERT OR DELETE OR UPDATE ON public.user_totp FOR EACH ROW EXECUTE FUNCTION public.audit_row('second_factor');

CREATE TRIGGER users_audit AFTER INSERT OR DELETE OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.audit_row('user');

CREATE TRIGGER users_keep_an_admin_delete AFTER DELETE ON public.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND old.is_active)) EXECUTE FUNCTION public.users_keep_an_admin();

CREATE TRIGGER users_keep_an_admin_update AFTER UPDATE OF role, is_active ON public.users FOR EACH ROW WHEN (((old.role = 'admin'::text) AND old.is_active AND ((new.role <> 'admin'::text) OR (NOT new.is_active)))) EXECUTE FUNCTION public.users_keep_an_admin();

CREATE TRIGGER users_stamp BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

CREATE TRIGGER webhooks_audit AFTER INSERT OR DELETE OR UPDATE ON public.webhooks FOR EACH ROW EXECUTE FUNCTION public.audit_row('webhook');

CREATE TRIGGER webhooks_stamp BEFORE UPDATE ON public.webhooks FOR EACH ROW EXECUTE FUNCTION public.stamp_updated_at();

ALTER TABLE ONLY public.alarm_notices
    ADD CONSTRAINT alarm_notices_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES public.notice_channels(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarm_notices
    ADD CONSTRAINT alarm_notices_escalation_id_fkey FOREIGN KEY (escalation_id) REFERENCES public.escalations(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarm_notices
    ADD CONSTRAINT alarm_notices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarm_rules
    ADD CONSTRAINT alarm_rules_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarm_rules
    ADD CONSTRAINT alarm_rules_sensor_exists FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarm_transitions
    ADD CONSTRAINT alarm_transitions_alarm_id_fkey FOREIGN KEY (alarm_id) REFERENCES public.alarms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarm_transitions
    ADD CONSTRAINT alarm_transitions_by_user_fkey FOREIGN KEY (by_user) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_acknowledged_by_fkey FOREIGN KEY (acknowledged_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.alarms(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_resolved_by_fkey FOREIGN KEY (resolved_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_sensor_exists FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.alarms
    ADD CONSTRAINT alarms_shelved_by_fkey FOREIGN KEY (shelved_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attachment_contents
    ADD CONSTRAINT attachment_contents_attachment_id_fkey FOREIGN KEY (attachment_id) REFERENCES public.attachments(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attachments
    ADD CONSTRAINT attachments_uploaded_by_fkey FOREIGN KEY (uploaded_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.backtest_outcomes
    ADD CONSTRAINT backtest_outcomes_backtest_id_fkey FOREIGN KEY (backtest_id) REFERENCES public.backtests(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.backtests
    ADD CONSTRAINT backtests_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.backtests
    ADD CONSTRAINT backtests_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.comments
    ADD CONSTRAINT comments_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE RESTRICT;

ALTER TABLE ONLY public.escalation_chains
    ADD CONSTRAINT escalation_chains_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.escalations
    ADD CONSTRAINT escalations_case_id_fkey FOREIGN KEY (case_id) REFERENCES public.alarms(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.escalations
    ADD CONSTRAINT escalations_chain_id_fkey FOREIGN KEY (chain_id) REFERENCES public.escalation_chains(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.escalations
    ADD CONSTRAINT escalations_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.event_streams
    ADD CONSTRAINT event_streams_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.import_parts
    ADD CONSTRAINT import_parts_import_id_fkey FOREIGN KEY (import_id) REFERENCES public.imports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.machine_elements
    ADD CONSTRAINT machine_elements_machine_exists FOREIGN KEY (id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.machine_state
    ADD CONSTRAINT machine_state_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.maintenance_windows
    ADD CONSTRAINT maintenance_windows_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.maintenance_windows
    ADD CONSTRAINT maintenance_windows_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_records
    ADD CONSTRAINT model_records_model_id_fkey FOREIGN KEY (model_id) REFERENCES public.models(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.model_shadow
    ADD CONSTRAINT model_shadow_model_id_fkey FOREIGN KEY (model_id) REFERENCES public.models(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.models
    ADD CONSTRAINT models_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.newest_alarms
    ADD CONSTRAINT newest_alarms_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notification_preferences
    ADD CONSTRAINT notification_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.on_call_overrides
    ADD CONSTRAINT on_call_overrides_schedule_exists FOREIGN KEY (schedule_id) REFERENCES public.on_call_schedules(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.on_call_overrides
    ADD CONSTRAINT on_call_overrides_user_exists FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.password_resets
    ADD CONSTRAINT password_resets_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reference_restarts
    ADD CONSTRAINT reference_restarts_by_user_fkey FOREIGN KEY (by_user) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.reference_restarts
    ADD CONSTRAINT reference_restarts_machine_id_fkey FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reference_restarts
    ADD CONSTRAINT reference_restarts_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.refresh_families
    ADD CONSTRAINT refresh_families_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.report_pieces
    ADD CONSTRAINT report_pieces_report_id_fkey FOREIGN KEY (report_id) REFERENCES public.reports(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.report_schedules
    ADD CONSTRAINT report_schedules_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.report_schedules
    ADD CONSTRAINT report_schedules_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.report_schedules
    ADD CONSTRAINT report_schedules_sensor_exists FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.reports
    ADD CONSTRAINT reports_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES public.report_schedules(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.sensor_latest
    ADD CONSTRAINT sensor_latest_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sensor_state
    ADD CONSTRAINT sensor_state_sensor_id_fkey FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sensors
    ADD CONSTRAINT sensors_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.suppressed_conditions
    ADD CONSTRAINT suppressed_conditions_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.suppressed_conditions
    ADD CONSTRAINT suppressed_conditions_sensor_exists FOREIGN KEY (sensor_id) REFERENCES public.sensors(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.ticket_transitions
    ADD CONSTRAINT ticket_transitions_by_user_fkey FOREIGN KEY (by_user) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.ticket_transitions
    ADD CONSTRAINT ticket_transitions_ticket_id_fkey FOREIGN KEY (ticket_id) REFERENCES public.tickets(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_alarm_exists FOREIGN KEY (alarm_id) REFERENCES public.alarms(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_machine_exists FOREIGN KEY (machine_id) REFERENCES public.machines(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_identities
    ADD CONSTRAINT user_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES public.roles(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_roles
    ADD CONSTRAINT user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.user_totp
    ADD CONSTRAINT user_totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES public.webhooks(id) ON DELETE CASCADE;

GRANT USAGE ON SCHEMA public TO pm_app;
GRANT USAGE ON SCHEMA public TO pm_ingest;
GRANT USAGE ON SCHEMA public TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarms TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.alarms TO pm_ingest;
GRANT SELECT ON TABLE public.alarms TO pm_read;

REVOKE ALL ON FUNCTION public.drop_old(class text, edge timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drop_old(class text, edge timestamp with time zone) TO pm_app;

REVOKE ALL ON FUNCTION public.drop_old_audit(edge timestamp with time zone, max_rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.drop_old_audit(edge timestamp with time zone, max_rows bigint) TO pm_app;

REVOKE ALL ON FUNCTION public.refresh_statistics() FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_statistics() TO pm_app;
GRANT ALL ON FUNCTION public.refresh_statistics() TO pm_ingest;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tickets TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.tickets TO pm_ingest;
GRANT SELECT ON TABLE public.tickets TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_notices TO pm_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_rules TO pm_app;
GRANT SELECT ON TABLE public.alarm_rules TO pm_ingest;
GRANT SELECT ON TABLE public.alarm_rules TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.alarm_transitions TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.alarm_transitions TO pm_ingest;
GRANT SELECT ON TABLE public.alarm_transitions TO pm_read;

GRANT USAGE ON SEQUENCE public.alarm_transitions_id_seq TO pm_app;
GRANT USAGE ON SEQUENCE public.alarm_transitions_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.alarm_transitions_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.api_keys TO pm_auth;
GRANT DELETE ON TABLE public.api_keys TO pm_work;

GRANT SELECT(id) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(id) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(id) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(user_id) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(user_id) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(user_id) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(token_hash) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(token_hash) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(token_hash) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(permissions) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(permissions) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(permissions) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(expires_at) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(expires_at) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(expires_at) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.api_keys TO pm_read;

GRANT SELECT(revoked_at) ON TABLE public.api_keys TO pm_work;
GRANT SELECT(revoked_at) ON TABLE public.api_keys TO pm_ingest;
GRANT SELECT(revoked_at) ON TABLE public.api_keys TO pm_read;

GRANT SELECT,INSERT ON TABLE public.attachment_contents TO pm_app;
GRANT SELECT ON TABLE public.attachment_contents TO pm_ingest;
GRANT SELECT ON TABLE public.attachment_contents TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.attachments TO pm_app;
GRANT SELECT ON TABLE public.attachments TO pm_ingest;
GRANT SELECT ON TABLE public.attachments TO pm_read;

GRANT SELECT,INSERT ON TABLE public.audit_log TO pm_app;
GRANT SELECT,INSERT ON TABLE public.audit_log TO pm_ingest;
GRANT SELECT,INSERT ON TABLE public.audit_log TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.backtest_outcomes TO pm_app;
GRANT SELECT ON TABLE public.backtest_outcomes TO pm_ingest;
GRANT SELECT ON TABLE public.backtest_outcomes TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.backtests TO pm_app;
GRANT SELECT ON TABLE public.backtests TO pm_ingest;
GRANT SELECT ON TABLE public.backtests TO pm_read;

GRANT SELECT,INSERT,UPDATE ON TABLE public.clock_tasks TO pm_app;
GRANT SELECT ON TABLE public.clock_tasks TO pm_ingest;
GRANT SELECT ON TABLE public.clock_tasks TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.comments TO pm_app;
GRANT SELECT ON TABLE public.comments TO pm_ingest;
GRANT SELECT ON TABLE public.comments TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.counts TO pm_app;
GRANT SELECT ON TABLE public.counts TO pm_ingest;
GRANT SELECT ON TABLE public.counts TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.dead_letters TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.dead_letters TO pm_ingest;
GRANT SELECT ON TABLE public.dead_letters TO pm_read;

GRANT USAGE ON SEQUENCE public.dead_letters_id_seq TO pm_app;
GRANT USAGE ON SEQUENCE public.dead_letters_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.dead_letters_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.deleted_sensors TO pm_app;
GRANT SELECT ON TABLE public.deleted_sensors TO pm_ingest;
GRANT SELECT ON TABLE public.deleted_sensors TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.escalation_chains TO pm_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.escalations TO pm_app;

GRANT SELECT ON TABLE public.event_streams TO pm_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.event_streams TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.idempotency_keys TO pm_app;
GRANT SELECT ON TABLE public.idempotency_keys TO pm_ingest;
GRANT SELECT ON TABLE public.idempotency_keys TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.import_parts TO pm_app;
GRANT SELECT ON TABLE public.import_parts TO pm_ingest;
GRANT SELECT ON TABLE public.import_parts TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.imports TO pm_app;
GRANT SELECT ON TABLE public.imports TO pm_ingest;
GRANT SELECT ON TABLE public.imports TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.jobs TO pm_app;
GRANT SELECT ON TABLE public.jobs TO pm_ingest;
GRANT SELECT ON TABLE public.jobs TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_throttle TO pm_auth;
GRANT DELETE ON TABLE public.login_throttle TO pm_work;

GRANT SELECT(key) ON TABLE public.login_throttle TO pm_work;

GRANT SELECT(window_started_at) ON TABLE public.login_throttle TO pm_work;

GRANT SELECT(blocked_until) ON TABLE public.login_throttle TO pm_work;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.machine_elements TO pm_app;
GRANT SELECT ON TABLE public.machine_elements TO pm_ingest;
GRANT SELECT ON TABLE public.machine_elements TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.machine_state TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.machine_state TO pm_ingest;
GRANT SELECT ON TABLE public.machine_state TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.machines TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.machines TO pm_ingest;
GRANT SELECT ON TABLE public.machines TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mails TO pm_app;
GRANT SELECT ON TABLE public.mails TO pm_ingest;
GRANT SELECT ON TABLE public.mails TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.maintenance_windows TO pm_app;
GRANT SELECT ON TABLE public.maintenance_windows TO pm_ingest;
GRANT SELECT ON TABLE public.maintenance_windows TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mappings TO pm_app;
GRANT SELECT ON TABLE public.mappings TO pm_ingest;
GRANT SELECT ON TABLE public.mappings TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.model_drift TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.model_drift TO pm_ingest;
GRANT SELECT ON TABLE public.model_drift TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.model_records TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.model_records TO pm_ingest;
GRANT SELECT ON TABLE public.model_records TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.model_shadow TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.model_shadow TO pm_ingest;
GRANT SELECT ON TABLE public.model_shadow TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.models TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.models TO pm_ingest;
GRANT SELECT ON TABLE public.models TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.newest_alarms TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.newest_alarms TO pm_ingest;
GRANT SELECT ON TABLE public.newest_alarms TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notice_channels TO pm_work;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notices TO pm_app;
GRANT SELECT ON TABLE public.notices TO pm_ingest;
GRANT SELECT ON TABLE public.notices TO pm_read;

GRANT USAGE ON SEQUENCE public.notices_id_seq TO pm_app;
GRANT USAGE ON SEQUENCE public.notices_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.notices_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notification_preferences TO pm_app;
GRANT SELECT ON TABLE public.notification_preferences TO pm_ingest;
GRANT SELECT ON TABLE public.notification_preferences TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.on_call_overrides TO pm_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.on_call_schedules TO pm_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.outbox TO pm_ingest;
GRANT SELECT ON TABLE public.outbox TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.outbox_cursors TO pm_app;
GRANT SELECT ON TABLE public.outbox_cursors TO pm_ingest;
GRANT SELECT ON TABLE public.outbox_cursors TO pm_read;

GRANT USAGE ON SEQUENCE public.outbox_position TO pm_ingest;
GRANT SELECT ON SEQUENCE public.outbox_position TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.password_resets TO pm_auth;
GRANT DELETE ON TABLE public.password_resets TO pm_work;

GRANT SELECT(expires_at) ON TABLE public.password_resets TO pm_work;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.predictions TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.predictions TO pm_ingest;
GRANT SELECT ON TABLE public.predictions TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.predictions_1m TO pm_app;
GRANT SELECT ON TABLE public.predictions_1m TO pm_ingest;
GRANT SELECT ON TABLE public.predictions_1m TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.provider_documents TO pm_auth;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reading_totals TO pm_app;
GRANT SELECT ON TABLE public.reading_totals TO pm_ingest;
GRANT SELECT ON TABLE public.reading_totals TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.readings_1h TO pm_app;
GRANT SELECT ON TABLE public.readings_1h TO pm_ingest;
GRANT SELECT ON TABLE public.readings_1h TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.readings_1m TO pm_app;
GRANT SELECT ON TABLE public.readings_1m TO pm_ingest;
GRANT SELECT ON TABLE public.readings_1m TO pm_read;

GRANT SELECT,INSERT ON TABLE public.reference_restarts TO pm_app;
GRANT SELECT ON TABLE public.reference_restarts TO pm_ingest;
GRANT SELECT ON TABLE public.reference_restarts TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.refresh_families TO pm_auth;
GRANT DELETE ON TABLE public.refresh_families TO pm_work;

GRANT SELECT(id) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(id) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(id) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT(user_id) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(user_id) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(user_id) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(last_used_at),UPDATE(last_used_at) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT(expires_at) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(expires_at) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(expires_at) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT(revoked_at) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(revoked_at) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(revoked_at) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT(identity_provider) ON TABLE public.refresh_families TO pm_work;
GRANT SELECT(identity_provider) ON TABLE public.refresh_families TO pm_ingest;
GRANT SELECT(identity_provider) ON TABLE public.refresh_families TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.report_pieces TO pm_app;
GRANT SELECT ON TABLE public.report_pieces TO pm_ingest;
GRANT SELECT ON TABLE public.report_pieces TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.report_schedules TO pm_app;
GRANT SELECT ON TABLE public.report_schedules TO pm_ingest;
GRANT SELECT ON TABLE public.report_schedules TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.reports TO pm_app;
GRANT SELECT ON TABLE public.reports TO pm_ingest;
GRANT SELECT ON TABLE public.reports TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.request_counts TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.request_counts TO pm_ingest;
GRANT SELECT,INSERT,UPDATE ON TABLE public.request_counts TO pm_read;

GRANT SELECT ON TABLE public.retention_marks TO pm_app;
GRANT SELECT ON TABLE public.retention_marks TO pm_ingest;
GRANT SELECT ON TABLE public.retention_marks TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.roles TO pm_app;
GRANT SELECT ON TABLE public.roles TO pm_ingest;
GRANT SELECT ON TABLE public.roles TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rollup_changes TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.rollup_changes TO pm_ingest;
GRANT SELECT ON TABLE public.rollup_changes TO pm_read;

GRANT USAGE ON SEQUENCE public.rollup_changes_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.rollup_changes_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sensor_data TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.sensor_data TO pm_ingest;
GRANT SELECT ON TABLE public.sensor_data TO pm_read;

GRANT USAGE ON SEQUENCE public.sensor_data_id_seq TO pm_app;
GRANT USAGE ON SEQUENCE public.sensor_data_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.sensor_data_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sensor_latest TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.sensor_latest TO pm_ingest;
GRANT SELECT ON TABLE public.sensor_latest TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sensor_state TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.sensor_state TO pm_ingest;
GRANT SELECT ON TABLE public.sensor_state TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sensors TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.sensors TO pm_ingest;
GRANT SELECT ON TABLE public.sensors TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.service_reports TO pm_app;
GRANT SELECT ON TABLE public.service_reports TO pm_ingest;
GRANT SELECT ON TABLE public.service_reports TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.settings TO pm_app;
GRANT SELECT ON TABLE public.settings TO pm_ingest;
GRANT SELECT ON TABLE public.settings TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.spent_tickets TO pm_auth;
GRANT SELECT,INSERT ON TABLE public.spent_tickets TO pm_read;
GRANT DELETE ON TABLE public.spent_tickets TO pm_work;

GRANT SELECT(spent_at) ON TABLE public.spent_tickets TO pm_work;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.stray_objects TO pm_app;
GRANT SELECT ON TABLE public.stray_objects TO pm_ingest;
GRANT SELECT ON TABLE public.stray_objects TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.suppressed_conditions TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.suppressed_conditions TO pm_ingest;
GRANT SELECT ON TABLE public.suppressed_conditions TO pm_read;

GRANT SELECT,INSERT ON TABLE public.ticket_transitions TO pm_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.ticket_transitions TO pm_ingest;
GRANT SELECT ON TABLE public.ticket_transitions TO pm_read;

GRANT USAGE ON SEQUENCE public.ticket_transitions_id_seq TO pm_app;
GRANT USAGE ON SEQUENCE public.ticket_transitions_id_seq TO pm_ingest;
GRANT SELECT ON SEQUENCE public.ticket_transitions_id_seq TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_identities TO pm_auth;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_roles TO pm_app;
GRANT SELECT ON TABLE public.user_roles TO pm_ingest;
GRANT SELECT ON TABLE public.user_roles TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.user_totp TO pm_auth;

GRANT SELECT(user_id) ON TABLE public.user_totp TO pm_work;
GRANT SELECT(user_id) ON TABLE public.user_totp TO pm_ingest;
GRANT SELECT(user_id) ON TABLE public.user_totp TO pm_read;

GRANT SELECT(confirmed_at) ON TABLE public.user_totp TO pm_work;
GRANT SELECT(confirmed_at) ON TABLE public.user_totp TO pm_ingest;
GRANT SELECT(confirmed_at) ON TABLE public.user_totp TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO pm_auth;

GRANT SELECT(id) ON TABLE public.users TO pm_app;
GRANT SELECT(id) ON TABLE public.users TO pm_ingest;
GRANT SELECT(id) ON TABLE public.users TO pm_read;

GRANT SELECT(created_at) ON TABLE public.users TO pm_app;
GRANT SELECT(created_at) ON TABLE public.users TO pm_ingest;
GRANT SELECT(created_at) ON TABLE public.users TO pm_read;

GRANT SELECT(updated_at) ON TABLE public.users TO pm_app;
GRANT SELECT(updated_at) ON TABLE public.users TO pm_ingest;
GRANT SELECT(updated_at) ON TABLE public.users TO pm_read;

GRANT SELECT(email) ON TABLE public.users TO pm_app;
GRANT SELECT(email) ON TABLE public.users TO pm_ingest;
GRANT SELECT(email) ON TABLE public.users TO pm_read;

GRANT SELECT(full_name) ON TABLE public.users TO pm_app;
GRANT SELECT(full_name) ON TABLE public.users TO pm_ingest;
GRANT SELECT(full_name) ON TABLE public.users TO pm_read;

GRANT SELECT(role) ON TABLE public.users TO pm_app;
GRANT SELECT(role) ON TABLE public.users TO pm_ingest;
GRANT SELECT(role) ON TABLE public.users TO pm_read;

GRANT SELECT(password_change_required) ON TABLE public.users TO pm_app;
GRANT SELECT(password_change_required) ON TABLE public.users TO pm_ingest;
GRANT SELECT(password_change_required) ON TABLE public.users TO pm_read;

GRANT SELECT(last_login) ON TABLE public.users TO pm_app;
GRANT SELECT(last_login) ON TABLE public.users TO pm_ingest;
GRANT SELECT(last_login) ON TABLE public.users TO pm_read;

GRANT SELECT(is_active) ON TABLE public.users TO pm_app;
GRANT SELECT(is_active) ON TABLE public.users TO pm_ingest;
GRANT SELECT(is_active) ON TABLE public.users TO pm_read;

GRANT SELECT(is_service) ON TABLE public.users TO pm_app;
GRANT SELECT(is_service) ON TABLE public.users TO pm_ingest;
GRANT SELECT(is_service) ON TABLE public.users TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.waveforms TO pm_app;
GRANT SELECT ON TABLE public.waveforms TO pm_ingest;
GRANT SELECT ON TABLE public.waveforms TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhook_deliveries TO pm_app;
GRANT SELECT ON TABLE public.webhook_deliveries TO pm_ingest;
GRANT SELECT ON TABLE public.webhook_deliveries TO pm_read;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.webhooks TO pm_app;

GRANT SELECT(id) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(id) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(id) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(created_at) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(created_at) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(created_at) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(updated_at) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(updated_at) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(updated_at) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(name) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(name) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(name) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(url) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(url) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(url) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(previous_secret_expires_at) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(previous_secret_expires_at) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(previous_secret_expires_at) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(events) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(events) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(events) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(is_active) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(is_active) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(is_active) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(disabled_reason) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(disabled_reason) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(disabled_reason) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(timeout_seconds) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(timeout_seconds) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(timeout_seconds) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(retry_count) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(retry_count) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(retry_count) ON TABLE public.webhooks TO pm_read;

GRANT SELECT(metadata) ON TABLE public.webhooks TO pm_app;
GRANT SELECT(metadata) ON TABLE public.webhooks TO pm_ingest;
GRANT SELECT(metadata) ON TABLE public.webhooks TO pm_read;
