-- Alarms (ISA-18.2: what people did and whether the condition holds are two things), tickets, comments, attachments.

create table alarms (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    machine_id uuid not null constraint alarms_machine_exists references machines (id) on delete cascade,
    sensor_id uuid constraint alarms_sensor_exists references sensors (id) on delete cascade,
    prediction_id uuid,
    kind text not null,
    severity text not null,
    message text not null,
    status text not null default 'open',
    condition_active boolean not null default true,
    occurrences bigint not null default 1,
    triggered_at timestamptz not null,
    last_seen_at timestamptz not null,
    acknowledged_at timestamptz,
    acknowledged_by uuid references users (id) on delete set null,
    resolved_at timestamptz,
    resolved_by uuid references users (id) on delete set null,
    resolution_notes text,
    metadata jsonb,
    constraint alarms_kind_known check (kind in ('threshold', 'prediction', 'manual')),
    constraint alarms_severity_known check (severity in ('info', 'warning', 'critical')),
    constraint alarms_status_known check (status in ('open', 'acknowledged', 'resolved')),
    constraint alarms_resolved_has_time check ((status = 'resolved') = (resolved_at is not null)),
    constraint alarms_metadata_object check (jsonb_typeof(metadata) = 'object')
);
-- One open alarm per cause.
create unique index alarms_one_per_cause on alarms (machine_id, sensor_id, kind) nulls not distinct
    where status <> 'resolved' and kind <> 'manual';
create index alarms_newest on alarms (triggered_at desc, id desc);
create index alarms_active on alarms (triggered_at desc, id desc) where status <> 'resolved';
create index alarms_of_machine on alarms (machine_id, triggered_at desc);
create index alarms_of_sensor on alarms (sensor_id, triggered_at desc);
create trigger alarms_stamp before update on alarms for each row execute function stamp_updated_at();

-- Every change of an alarm's status, condition or severity.
create table alarm_transitions (
    id bigint generated always as identity primary key,
    alarm_id uuid not null references alarms (id) on delete cascade,
    at timestamptz not null default now(),
    change text not null,
    by_user uuid references users (id) on delete set null,
    note text
);
create index alarm_transitions_of_alarm on alarm_transitions (alarm_id, id);

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
    metadata jsonb,
    constraint tickets_priority_known check (priority in ('low', 'medium', 'high', 'critical')),
    constraint tickets_status_known
        check (status in ('open', 'assigned', 'in_progress', 'resolved', 'closed', 'cancelled')),
    constraint tickets_metadata_object check (jsonb_typeof(metadata) = 'object')
);
create index tickets_newest on tickets (created_at desc, id desc);
create index tickets_of_machine on tickets (machine_id, created_at desc);
create unique index tickets_one_auto_per_alarm on tickets (alarm_id) where auto_created;
create trigger tickets_stamp before update on tickets for each row execute function stamp_updated_at();

create table comments (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    resource_type text not null,
    resource_id uuid not null,
    user_id uuid not null references users (id) on delete restrict,
    content text not null,
    is_internal boolean not null default false,
    constraint comments_resource_known check (resource_type in ('alarm', 'ticket'))
);
create index comments_of_resource on comments (resource_type, resource_id, created_at desc);

create table attachments (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    filename text not null,
    content_type text not null,
    file_size bigint not null,
    sha256 bytea not null,
    resource_type text not null,
    resource_id uuid,
    uploaded_by uuid references users (id) on delete set null,
    -- null when the content lies in an object store under storage_key
    content bytea,
    storage_key text,
    constraint attachments_resource_known check (resource_type in ('general', 'alarm', 'ticket'))
);
create index attachments_of_resource on attachments (resource_type, resource_id, created_at desc);
