-- Reports and the schedules that make them. The content is stored in pieces, so that neither writing nor reading a large
-- one holds it in memory. A report without completed_at is being made, or the component that made it was stopped.

create table report_schedules (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    format text not null,
    cadence text not null,
    -- 0 Monday to 6 Sunday; not used by daily schedules
    weekday smallint not null default 0,
    hour smallint not null,
    utc_offset_minutes smallint not null default 0,
    -- name of the IANA time zone; without one the offset counts
    zone text,
    machine_id uuid constraint report_schedules_machine_exists references machines (id) on delete cascade,
    sensor_id uuid constraint report_schedules_sensor_exists references sensors (id) on delete cascade,
    recipients text[] not null,
    is_active boolean not null default true,
    created_by uuid references users (id) on delete set null,
    next_run_at timestamptz not null,
    -- end of the lease of the current run
    leased_until timestamptz,
    attempts smallint not null default 0,
    last_run_at timestamptz,
    last_error text,
    constraint report_schedules_format_known check (format in ('csv', 'pdf', 'xlsx')),
    constraint report_schedules_cadence_known check (cadence in ('daily', 'weekly')),
    constraint report_schedules_weekday_known check (weekday between 0 and 6),
    constraint report_schedules_hour_known check (hour between 0 and 23),
    constraint report_schedules_offset_known check (utc_offset_minutes between -720 and 840)
);
create index report_schedules_due on report_schedules (next_run_at) where is_active;
create trigger report_schedules_stamp before update on report_schedules for each row execute function stamp_updated_at();
create trigger report_schedules_audit after insert or update or delete on report_schedules
    for each row execute function audit_row('report_schedule');

create table reports (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    name text not null,
    format text not null,
    title text not null,
    -- the request: period, machine, sensor, offset from UTC
    params jsonb not null,
    -- number of readings that it covers
    readings bigint not null default 0,
    -- true: there were more readings than the report may hold
    truncated boolean not null default false,
    file_size bigint not null default 0,
    sha256 bytea,
    created_by uuid references users (id) on delete set null,
    schedule_id uuid references report_schedules (id) on delete set null,
    -- mail addresses that it was sent to; the accounts with these addresses may read it
    recipients text[] not null default '{}',
    completed_at timestamptz,
    expires_at timestamptz not null,
    constraint reports_name_unique unique (name),
    constraint reports_format_known check (format in ('csv', 'pdf', 'xlsx')),
    constraint reports_params_object check (jsonb_typeof(params) = 'object')
);
create index reports_newest on reports (created_at desc, id desc);
create index reports_of_user on reports (created_by, created_at desc);
create index reports_by_expiry on reports (expires_at);
create trigger reports_audit after insert or delete on reports for each row execute function audit_row('report');

create table report_pieces (
    report_id uuid not null references reports (id) on delete cascade,
    number integer not null,
    content bytea not null,
    primary key (report_id, number)
);

-- A reading's value in the form that CSV clients expect: 20.0, not 20.
create function csv_number(value double precision) returns text
language sql immutable strict parallel safe
as $$ select case when value::text ~ '[.eE]|Infinity|NaN' then value::text else value::text || '.0' end $$;

grant select, insert, update, delete on report_schedules, reports, report_pieces to pm_app;
