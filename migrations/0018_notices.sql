-- Who is told of what by mail, and what waits to be told. Notices gather per recipient for a while and leave as one mail.

create table notification_preferences (
    user_id uuid primary key references users (id) on delete cascade,
    alarms boolean not null default false,
    predictions boolean not null default false,
    ticket_assignments boolean not null default true,
    minimum_severity text not null default 'warning',
    constraint notification_preferences_severity_known check (minimum_severity in ('info', 'warning', 'critical'))
);

create table notices (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default now(),
    channel text not null,
    recipient text not null,
    event_id uuid not null,
    kind text not null,
    severity text not null,
    title text not null,
    machine text,
    at timestamptz not null,
    path text not null,
    constraint notices_once unique (channel, recipient, event_id)
);

-- 0 info, 1 warning, 2 critical
create function severity_rank(severity text) returns integer
language sql immutable parallel safe
as $$ select case severity when 'critical' then 2 when 'warning' then 1 else 0 end $$;

-- When a task of the clock is due again; whoever moves the time does the task.
create table clock_tasks (
    task text primary key,
    due_at timestamptz not null
);
insert into clock_tasks (task, due_at) values ('housekeeping', now());

grant select, insert, update, delete on notification_preferences, notices to pm_app;
grant select, update on clock_tasks to pm_app;
grant usage on all sequences in schema public to pm_app;
revoke usage on sequence outbox_position from pm_app;
