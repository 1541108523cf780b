-- Audit, settings, jobs, and what the native parts say of themselves.

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

create table settings (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    key text not null,
    value text,
    value_type text not null default 'string',
    description text,
    category text not null default 'general',
    is_public boolean not null default false,
    metadata jsonb,
    constraint settings_key_unique unique (key),
    constraint settings_value_type_known check (value_type in ('string', 'number', 'boolean', 'json'))
);
create trigger settings_stamp before update on settings for each row execute function stamp_updated_at();

create table jobs (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    job_type text not null,
    status text not null default 'pending',
    progress integer not null default 0,
    result jsonb,
    error_message text,
    started_at timestamptz,
    completed_at timestamptz,
    created_by uuid references users (id) on delete set null,
    metadata jsonb,
    constraint jobs_status_known check (status in ('pending', 'running', 'completed', 'failed')),
    constraint jobs_progress_percent check (progress between 0 and 100)
);
create trigger jobs_stamp before update on jobs for each row execute function stamp_updated_at();

-- The last report of each native part, e.g. a bridge.
create table service_reports (
    name text primary key,
    kind text not null,
    reported_at timestamptz not null,
    report jsonb not null
);

-- Audit of row changes. A statement made for a person carries the actor in the setting pm.actor, local to its
-- transaction: {"user_id", "action"?, "ip_address", "user_agent"}. What the system does by itself has no actor and is
-- not audited here (its alarms and tickets carry their own history).
create function audit_row() returns trigger
language plpgsql security definer set search_path = public
as $$
declare
    actor jsonb := nullif(current_setting('pm.actor', true), '')::jsonb;
    hidden constant text[] := array['password_hash', 'secret', 'previous_secret', 'content', 'updated_at'];
    was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - hidden end;
    is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - hidden end;
    before jsonb := was;
    after jsonb := is_now;
begin
    if actor is null then
        return null;
    end if;
    if tg_op = 'UPDATE' then
        select jsonb_object_agg(key, value) into before from jsonb_each(was) where is_now -> key is distinct from value;
        select jsonb_object_agg(key, value) into after from jsonb_each(is_now) where was -> key is distinct from value;
    end if;
    insert into audit_log (user_id, action_type, resource_type, resource_id, details, metadata, ip_address, user_agent)
    values (
        (actor ->> 'user_id')::uuid,
        coalesce(actor ->> 'action', case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end),
        tg_argv[0],
        coalesce(is_now, was) ->> 'id',
        actor ->> 'details',
        jsonb_strip_nulls(jsonb_build_object('before', before, 'after', after)),
        actor ->> 'ip_address',
        actor ->> 'user_agent'
    );
    return null;
end
$$;

create trigger users_audit after insert or update or delete on users for each row execute function audit_row('user');
create trigger machines_audit after insert or update or delete on machines for each row execute function audit_row('machine');
create trigger sensors_audit after insert or update or delete on sensors for each row execute function audit_row('sensor');
create trigger alarms_audit after insert or update or delete on alarms for each row execute function audit_row('alarm');
create trigger tickets_audit after insert or update or delete on tickets for each row execute function audit_row('ticket');
create trigger comments_audit after insert or update or delete on comments for each row execute function audit_row('comment');
create trigger attachments_audit after insert or update or delete on attachments for each row execute function audit_row('attachment');
create trigger settings_audit after insert or update or delete on settings for each row execute function audit_row('setting');
create trigger webhooks_audit after insert or update or delete on webhooks for each row execute function audit_row('webhook');
create trigger models_audit after insert or update or delete on models for each row execute function audit_row('ai_model');
create trigger jobs_audit after insert or update or delete on jobs for each row execute function audit_row('job');
