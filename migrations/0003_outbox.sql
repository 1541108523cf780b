-- Events leave through the outbox. They are written in the same transaction as the change that they report.
--
-- pm-api's table of events names every event_type with the type of its data. The data of an entity's events is built in
-- one place: the function `<entity>_event` beside the entity's table where several statements or triggers report changes.

create sequence outbox_position;

create table outbox (
    id uuid primary key default uuid_v7(),
    -- Assigned at commit under a lock, so that positions become visible in their order: a reader that has seen position n
    -- misses no earlier one.
    position bigint unique,
    created_at timestamptz not null default now(),
    event_type text not null,
    data jsonb not null,
    -- the trace (W3C trace context) that led to the event, where one is known
    traceparent text
);
create index outbox_by_age on outbox (created_at);

create function outbox_take_position() returns trigger
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
    perform pg_advisory_xact_lock(hashtext('outbox_position'));
    update outbox set position = nextval('outbox_position') where id = new.id;
    return null;
end
$$;
create constraint trigger outbox_position_at_commit after insert on outbox
    deferrable initially deferred for each row execute function outbox_take_position();

-- How far each consumer of the outbox has come.
create table outbox_cursors (
    consumer text primary key,
    position bigint not null
);
insert into outbox_cursors (consumer, position) values ('webhooks', 0), ('notices', 0);

grant select, insert, update, delete on outbox, outbox_cursors to pm_app;
