-- Delivering events to webhooks: the log's further columns, the consumers' cursors, and the event of a machine's state at its source.

alter table webhooks
    alter column secret set not null,
    alter column retry_count set default 14,
    add constraint webhooks_timeout_bounded check (timeout_seconds between 1 and 30),
    add constraint webhooks_retries_bounded check (retry_count between 0 and 14);

alter table webhook_deliveries
    add column request_url text,
    add column duration_ms integer;
create index webhook_deliveries_of_webhook on webhook_deliveries (webhook_id, created_at desc, id desc);
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

insert into outbox_cursors (consumer, position)
select consumer, coalesce((select max(position) from outbox), 0) from unnest(array['webhooks', 'notices']) consumer;

-- A machine's state is changed by people and by the system; whoever does it, the event is told with the change.
create function tell_machine_status() returns trigger
language plpgsql
as $$
begin
    insert into outbox (event_type, data) values ('machine.status', jsonb_build_object(
        'id', new.id, 'machine_id', new.id, 'name', new.name, 'status', new.status, 'previous_status', old.status,
        'criticality', new.criticality));
    return null;
end
$$;
create trigger machines_tell_status after update of status on machines for each row
    when (old.status is distinct from new.status) execute function tell_machine_status();
