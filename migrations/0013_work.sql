-- People's work on alarms and tickets: verdicts, shelving, history of tickets, comments and attachments that never
-- outlive what they belong to, and their events.

-- What the cause turned out to be; the models learn from it.
alter table alarms add column verdict text
    constraint alarms_verdict_known check (verdict in ('true_fault', 'false_alarm', 'maintenance', 'unknown'));
alter table alarms add constraint alarms_verdict_when_resolved check (verdict is null or status = 'resolved');
-- Shelved (ISA-18.2): kept out of sight for a limited time, for a reason.
alter table alarms add column shelved_until timestamptz;
alter table alarms add column shelved_by uuid references users (id) on delete set null;
alter table alarms add column shelve_reason text;
create index alarms_of_prediction on alarms (prediction_id) where prediction_id is not null;
create index alarms_by_change on alarms (updated_at desc, id desc);

create index tickets_by_due on tickets (coalesce(due_at, timestamptz '9999-12-31 00:00:00Z'), id);
create index tickets_by_change on tickets (updated_at desc, id desc);
create index tickets_of_alarm on tickets (alarm_id) where alarm_id is not null;

-- Every change of a ticket's status, assignee, priority or due date; written by trigger, so that none is forgotten.
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
grant select, insert on ticket_transitions to pm_app;

-- Who makes a change, if a person does.
create function acting_user() returns uuid
language sql stable
as $$ select (nullif(current_setting('pm.actor', true), '')::jsonb ->> 'user_id')::uuid $$;

create function ticket_changed() returns trigger
language plpgsql
as $$
declare
    told constant jsonb := jsonb_build_object('id', new.id, 'machine_id', new.machine_id, 'alarm_id', new.alarm_id,
        'title', new.title, 'priority', new.priority, 'status', new.status, 'assignee', new.assignee,
        'due_at', new.due_at);
begin
    if tg_op = 'INSERT' then
        insert into ticket_transitions (ticket_id, field, is_now, by_user)
        values (new.id, 'status', new.status, acting_user());
        insert into outbox (event_type, data) values ('ticket.created', told);
        -- an automatic ticket's assignee hears of the alarm itself
        if new.assignee is not null and not new.auto_created then
            insert into outbox (event_type, data)
            values ('ticket.assigned', told || jsonb_build_object('previous_assignee', null, 'by', acting_user()));
        end if;
        return null;
    end if;
    insert into ticket_transitions (ticket_id, field, was, is_now, by_user, note)
    select new.id, field, was, is_now, acting_user(),
           case when field = 'status' and new.status in ('resolved', 'closed', 'cancelled') then new.resolution_notes end
    from (values
        ('status', old.status, new.status),
        ('assignee', old.assignee, new.assignee),
        ('priority', old.priority, new.priority),
        ('due_at', to_char(old.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                   to_char(new.due_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) c (field, was, is_now)
    where was is distinct from is_now;
    insert into outbox (event_type, data) values ('ticket.updated', told);
    if new.assignee is distinct from old.assignee and new.assignee is not null then
        insert into outbox (event_type, data)
        values ('ticket.assigned', told || jsonb_build_object('previous_assignee', old.assignee, 'by', acting_user()));
    end if;
    return null;
end
$$;
create trigger tickets_changed_insert after insert on tickets for each row execute function ticket_changed();
-- a ticket whose alarm is deleted loses the reference, which is no work on it
create trigger tickets_changed_update after update on tickets for each row
    when ((old.status, old.assignee, old.priority, old.due_at, old.title, old.description, old.resolution_notes, old.metadata)
          is distinct from
          (new.status, new.assignee, new.priority, new.due_at, new.title, new.description, new.resolution_notes, new.metadata))
    execute function ticket_changed();

-- Contents stand apart from the rows that are listed, changed and audited.
create table attachment_contents (
    attachment_id uuid primary key references attachments (id) on delete cascade,
    content bytea not null
);
-- pictures and archives are compressed already
alter table attachment_contents alter column content set storage external;
insert into attachment_contents (attachment_id, content)
    select id, content from attachments where content is not null;
alter table attachments drop column content;
grant select, insert on attachment_contents to pm_app;

-- Objects of the store that belong to no attachment, or may not: removed there once their time has come.
create table stray_objects (
    storage_key text primary key,
    remove_after timestamptz not null default now()
);
grant select, insert, update, delete on stray_objects to pm_app;

create function comment_changed() returns trigger
language plpgsql
as $$
declare
    it constant comments := case when tg_op = 'DELETE' then old else new end;
begin
    insert into outbox (event_type, data)
    values (
        'comment.' || case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
        -- without the text: events reach people and receivers who may not read internal comments
        jsonb_build_object('id', it.id, 'resource_type', it.resource_type, 'resource_id', it.resource_id,
            'user_id', it.user_id, 'is_internal', it.is_internal, 'created_at', it.created_at));
    return null;
end
$$;
create trigger comments_changed after insert or update or delete on comments
    for each row execute function comment_changed();
create trigger comments_stamp before update on comments for each row execute function stamp_updated_at();

create function attachment_changed() returns trigger
language plpgsql
as $$
declare
    it constant attachments := case when tg_op = 'DELETE' then old else new end;
begin
    if tg_op = 'DELETE' and old.storage_key is not null then
        insert into stray_objects (storage_key) values (old.storage_key)
        on conflict (storage_key) do update set remove_after = now();
    end if;
    insert into outbox (event_type, data)
    values (
        'attachment.' || case tg_op when 'INSERT' then 'created' else 'deleted' end,
        jsonb_build_object('id', it.id, 'resource_type', it.resource_type, 'resource_id', it.resource_id,
            'filename', it.filename, 'content_type', it.content_type, 'file_size', it.file_size,
            'uploaded_by', it.uploaded_by));
    return null;
end
$$;
create trigger attachments_changed after insert or delete on attachments
    for each row execute function attachment_changed();

-- Comments and attachments go with the alarm or ticket they belong to, however that goes.
create function remove_belongings() returns trigger
language plpgsql
as $$
begin
    delete from comments where resource_type = tg_argv[0] and resource_id = old.id;
    delete from attachments where resource_type = tg_argv[0] and resource_id = old.id;
    return null;
end
$$;
create trigger alarms_belongings after delete on alarms for each row execute function remove_belongings('alarm');
create trigger tickets_belongings after delete on tickets for each row execute function remove_belongings('ticket');
