-- Receivers of events, and the log of deliveries to them.

create table webhooks (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    url text not null,
    secret text not null,
    previous_secret text,
    previous_secret_expires_at timestamptz,
    events text[] not null,
    is_active boolean not null default true,
    disabled_reason text,
    headers jsonb,
    timeout_seconds integer not null default 5,
    retry_count integer not null default 14,
    metadata jsonb,
    constraint webhooks_timeout_bounded check (timeout_seconds between 1 and 30),
    constraint webhooks_retries_bounded check (retry_count between 0 and 14)
);
create trigger webhooks_stamp before update on webhooks for each row execute function stamp_updated_at();
create trigger webhooks_audit after insert or update or delete on webhooks for each row execute function audit_row('webhook');

create table webhook_deliveries (
    id uuid primary key default uuid_v7(),
    webhook_id uuid not null references webhooks (id) on delete cascade,
    event_id uuid not null,
    event_type text not null,
    created_at timestamptz not null default now(),
    status text not null default 'pending',
    attempts integer not null default 0,
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    request_url text,
    request_body text not null,
    -- the trace that led to the event; the receiver gets it as the header of this name
    traceparent text,
    response_status integer,
    response_body text,
    error text,
    duration_ms integer,
    constraint webhook_deliveries_status_known check (status in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_once unique (webhook_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'pending';
create index webhook_deliveries_of_webhook on webhook_deliveries (webhook_id, created_at desc, id desc);
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

grant select, insert, update, delete on webhooks, webhook_deliveries to pm_app;
