-- What the audit log hides is said in one place; a job type without a worker is gone.

-- What of a row (or of a part of it) may be read in the audit log. `is_secret` is about a setting. Contents of attachments
-- lie in a table that is not audited, and the text of comments is for administrators to read.
create function audit_visible(source text, entry jsonb, is_secret boolean) returns jsonb
language sql immutable
as $$
    select case
        when source = 'settings' and is_secret and shown ->> 'value' <> '' then shown || '{"value": "********"}'
        else shown
    end
    from (select entry - (
        array['password_hash', 'secret', 'previous_secret', 'updated_at', 'lease_id', 'lease_until']
        || case source when 'webhooks' then array['headers'] else '{}' end
    ) as shown) visible
$$;

create or replace function audit_row() returns trigger
language plpgsql security definer set search_path = public
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

-- Reports are made by POST /reports/generate and by schedules; no worker ever took such a job.
delete from jobs where job_type = 'report';
