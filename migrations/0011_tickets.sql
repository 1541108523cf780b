-- Tickets and their history.

create table tickets (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    machine_id uuid not null constraint tickets_machine_exists references machines (id) on delete cascade,
    alarm_id uuid constraint tickets_alarm_exists references alarms (id) on delete set null,
    title text not null,
    priority text not null default 'medium',
    status text not null default 'open',
    assignee text,
    description text,
    due_at timestamptz,
    auto_created boolean not null default false,
    resolution_notes text,
    -- what was found and done
    closing_code text,
    metadata jsonb,
    constraint tickets_closing_code_known
        check (closing_code in ('repaired', 'part_replaced', 'sensor_replaced', 'overhaul', 'no_fault_found')),
    constraint tickets_priority_known check (priority in ('low', 'medium', 'high', 'critical')),
    constraint tickets_status_known
        check (status in ('open', 'assigned', 'in_progress', 'resolved', 'closed', 'cancelled')),
    constraint tickets_metadata_object check (jsonb_typeof(metadata) = 'object')
);
create index tickets_newest on tickets (created_at desc, id desc);
create index tickets_of_machine on tickets (machine_id, created_at desc);
create index tickets_by_due on tickets (coalesce(due_at, timestamptz '9999-12-31 00:00:00Z'), id);
create index tickets_by_change on tickets (updated_at desc, id desc);
create index tickets_of_alarm on tickets (alarm_id) where alarm_id is not null;
create unique index tickets_one_auto_per_alarm on tickets (alarm_id) where auto_created;
create trigger tickets_stamp before update on tickets for each row execute function stamp_updated_at();
create trigger tickets_audit after insert or update or delete on tickets for each row execute function audit_row('ticket');

-- Has the work on a ticket in this state ended? pm-domain defines it (ticket::is_closed); a test of pm-store compares.
create function ticket_is_closed(status text) returns boolean
language sql immutable
as $$
    select status in ('resolved', 'closed', 'cancelled')
$$;

-- Every change of a ticket's status, assignee, priority or due date. A trigger writes it, so that no statement can omit it.
create table ticket_transitions (
    id bigint generated always as identity primary key,
    ticket_id uuid not null references tickets (id) on delete cascade,
    at timestamptz not null default now(),
    field text not null,
    was text,
    is_now text,
    by_user uuid references users (id) on delete set null,
    note text,
    constraint ticket_transitions_field_known check (field in ('status', 'assignee', 'priority', 'due_at'))
);
create index ticket_transitions_of_ticket on ticket_transitions (ticket_id, id);

-- Data of ticket.created, ticket.updated and ticket.assigned.
create function ticket_event(ticket tickets, previous_assignee text) returns jsonb
language sql stable
as $$
    select jsonb_build_object('id', ticket.id, 'machine_id', ticket.machine_id, 'alarm_id', ticket.alarm_id,
        'title', ticket.title, 'priority', ticket.priority, 'status', ticket.status, 'assignee', ticket.assignee,
        'due_at', ticket.due_at, 'previous_assignee', previous_assignee, 'by', acting_user())
$$;

create function ticket_changed() returns trigger
language plpgsql
as $$
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
create trigger tickets_changed_insert after insert on tickets for each row execute function ticket_changed();
-- deleting the alarm of a ticket clears the reference, which is not a change of the ticket
create trigger tickets_changed_update after update on tickets for each row
    when ((old.status, old.assignee, old.priority, old.due_at, old.title, old.description, old.resolution_notes, old.closing_code, old.metadata)
          is distinct from
          (new.status, new.assignee, new.priority, new.due_at, new.title, new.description, new.resolution_notes, new.closing_code, new.metadata))
    execute function ticket_changed();

grant select, insert, update, delete on tickets to pm_app;
grant select, insert on ticket_transitions to pm_app;
grant usage on sequence ticket_transitions_id_seq to pm_app;
