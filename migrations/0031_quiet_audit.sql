-- An update that changed nothing (a secret that was to stay as it is) is no entry of the audit log.
create or replace function audit_row() returns trigger
language plpgsql security definer set search_path = public
as $$
declare
    actor jsonb := nullif(current_setting('pm.actor', true), '')::jsonb;
    hidden constant text[] := array['password_hash', 'secret', 'previous_secret', 'updated_at', 'lease_id', 'lease_until']
        || case tg_table_name when 'attachments' then array['content'] when 'webhooks' then array['headers'] else '{}' end;
    was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - hidden end;
    is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - hidden end;
    before jsonb := was;
    after jsonb := is_now;
begin
    if actor is null then
        return null;
    end if;
    if tg_op = 'UPDATE' then
        if to_jsonb(old) - 'updated_at' = to_jsonb(new) - 'updated_at' then
            return null;
        end if;
        select jsonb_object_agg(key, value) into before from jsonb_each(was) where is_now -> key is distinct from value;
        select jsonb_object_agg(key, value) into after from jsonb_each(is_now) where was -> key is distinct from value;
    end if;
    if tg_table_name = 'settings' and ((was ->> 'is_secret')::boolean or (is_now ->> 'is_secret')::boolean) then
        before := case when before ->> 'value' <> '' then before || '{"value": "********"}' else before end;
        after := case when after ->> 'value' <> '' then after || '{"value": "********"}' else after end;
    end if;
    insert into audit_log (user_id, action_type, resource_type, resource_id, details, metadata, ip_address, user_agent)
    values (
        (actor ->> 'user_id')::uuid,
        coalesce(actor ->> 'action', case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end),
        tg_argv[0],
        coalesce(coalesce(is_now, was) ->> 'id', coalesce(is_now, was) ->> 'user_id'),
        actor ->> 'details',
        jsonb_strip_nulls(jsonb_build_object('before', before, 'after', after)),
        actor ->> 'ip_address',
        actor ->> 'user_agent'
    );
    return null;
end
$$;
