-- Events leave through the outbox, written in the same transaction as the change they tell of.

create sequence outbox_position;

create table outbox (
    id uuid primary key default uuid_v7(),
    -- Assigned at commit under a lock, so that positions become visible in their order and a reader that asks for
    -- «after position n» misses none.
    position bigint unique,
    created_at timestamptz not null default now(),
    event_type text not null,
    data jsonb not null
);
create index outbox_by_age on outbox (created_at);

create function outbox_take_position() returns trigger
language plpgsql security definer set search_path = public
as $$
begin
    perform pg_advisory_xact_lock(hashtext('outbox_position'));
    update outbox set position = nextval('outbox_position') where id = new.id;
    return null;
end
$$;
create constraint trigger outbox_position_at_commit after insert on outbox
    deferrable initially deferred for each row execute function outbox_take_position();

create table webhooks (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    url text not null,
    secret text,
    previous_secret text,
    previous_secret_expires_at timestamptz,
    events text[] not null,
    is_active boolean not null default true,
    disabled_reason text,
    headers jsonb,
    timeout_seconds integer not null default 5,
    retry_count integer not null default 3,
    metadata jsonb
);
create trigger webhooks_stamp before update on webhooks for each row execute function stamp_updated_at();

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
    request_body text not null,
    response_status integer,
    response_body text,
    error text,
    constraint webhook_deliveries_status_known check (status in ('pending', 'delivered', 'failed')),
    constraint webhook_deliveries_once unique (webhook_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'pending';

-- How far each consumer of the outbox has come.
create table outbox_cursors (
    consumer text primary key,
    position bigint not null
);
