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
