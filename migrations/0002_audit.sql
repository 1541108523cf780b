-- Audit of row changes.

create table audit_log (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    user_id uuid,
    action_type text not null,
    resource_type text not null,
    resource_id text,
    details text,
    metadata jsonb,
    ip_address text,
    user_agent text
);
create index audit_log_newest on audit_log (created_at desc, id desc);
create index audit_log_of_resource on audit_log (resource_type, resource_id, created_at desc);
create index audit_log_of_user on audit_log (user_id, created_at desc);

-- Entries are added and read, never changed. They are removed by age alone, by drop_old_audit().
grant select, insert on audit_log to pm_app;

-- Removes up to max_rows entries that are older than edge, oldest first; returns how many. It runs with the owner's rights,
-- because the functions may not delete entries, and it removes none of the last 30 days.
create function drop_old_audit(edge timestamptz, max_rows bigint) returns bigint
language plpgsql security definer
set search_path = public, pg_temp
as $$
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
revoke execute on function drop_old_audit(timestamptz, bigint) from public;
grant execute on function drop_old_audit(timestamptz, bigint) to pm_app;

-- The account that makes the change, if a person makes it.
create function acting_user() returns uuid
language sql stable
as $$ select (nullif(current_setting('pm.actor', true), '')::jsonb ->> 'user_id')::uuid $$;

-- The parts of a row (or of some of its columns) that the audit log may show. `is_secret` is about a setting. Contents of
-- attachments are in a table that is not audited; the text of comments is for administrators to read.
create function audit_visible(source text, entry jsonb, is_secret boolean) returns jsonb
language sql immutable
as $$
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

-- Writes the entry of one changed row. A statement made for a person carries the actor in the setting pm.actor, local to
-- its transaction: {"user_id", "action"?, "details"?, "ip_address", "user_agent"}. Changes that the system makes have no
-- actor and are not audited here, because alarms and tickets have a history of their own. An update that changed nothing
-- (a secret that was to stay as it is) makes no entry.
create function audit_row() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
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
