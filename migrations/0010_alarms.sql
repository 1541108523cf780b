-- Alarms. What people did (status) and whether the condition holds are two things (ISA-18.2).

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
    -- the cause as people found it; the models learn from it
    verdict text,
    -- shelved (ISA-18.2): hidden for a limited time, for a reason
    shelved_until timestamptz,
    shelved_by uuid references users (id) on delete set null,
    shelve_reason text,
    -- the alarm that began the case that this one belongs to; null: it began its own
    case_id uuid references alarms (id) on delete set null,
    metadata jsonb,
    constraint alarms_kind_known check (kind in ('threshold', 'prediction', 'reported', 'stale', 'manual')),
    constraint alarms_severity_known check (severity in ('info', 'warning', 'critical')),
    constraint alarms_status_known check (status in ('open', 'acknowledged', 'resolved')),
    constraint alarms_resolved_has_time check ((status = 'resolved') = (resolved_at is not null)),
    constraint alarms_verdict_known check (verdict in ('true_fault', 'false_alarm', 'maintenance', 'unknown')),
    constraint alarms_verdict_when_resolved check (verdict is null or status = 'resolved'),
    constraint alarms_metadata_object check (jsonb_typeof(metadata) = 'object')
);
-- One unresolved alarm per cause.
create unique index alarms_one_per_cause on alarms (machine_id, sensor_id, kind) nulls not distinct
    where status <> 'resolved' and kind <> 'manual';
create index alarms_of_case on alarms ((coalesce(case_id, id)));
create index alarms_newest on alarms (triggered_at desc, id desc);
create index alarms_active on alarms (triggered_at desc, id desc) where status <> 'resolved';
create index alarms_of_machine on alarms (machine_id, triggered_at desc);
create index alarms_of_sensor on alarms (sensor_id, triggered_at desc);
create index alarms_of_prediction on alarms (prediction_id) where prediction_id is not null;
create index alarms_by_change on alarms (updated_at desc, id desc);
create trigger alarms_stamp before update on alarms for each row execute function stamp_updated_at();
create trigger alarms_audit after insert or update or delete on alarms for each row execute function audit_row('alarm');

-- Data of alarm.created and alarm.updated; `change` is a word of pm-api's AlarmChangeKind.
create function alarm_event(alarm alarms, change text) returns jsonb
language sql stable
as $$
    select jsonb_build_object('id', alarm.id, 'machine_id', alarm.machine_id, 'sensor_id', alarm.sensor_id,
        'kind', alarm.kind, 'severity', alarm.severity, 'message', alarm.message, 'status', alarm.status,
        'condition_active', alarm.condition_active, 'triggered_at', alarm.triggered_at,
        'resolved_at', alarm.resolved_at, 'shelved_until', alarm.shelved_until,
        'case_id', coalesce(alarm.case_id, alarm.id), 'change', change)
$$;

-- Alarm rules (ISA-18.2): how the readings of sensors become alarms. Each rule is for one scope, and what it leaves open is taken
-- from the less specific ones, field by field (pm_domain::alarm::rule).

create table alarm_rules (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- for a sensor; or for the sensors of a type: of a machine, of a class of machines, or all
    sensor_id uuid constraint alarm_rules_sensor_exists references sensors (id) on delete cascade,
    machine_id uuid constraint alarm_rules_machine_exists references machines (id) on delete cascade,
    machine_class text,
    sensor_type text,
    on_delay_s bigint,
    off_delay_s bigint,
    -- in the sensor's unit, as the two bounds of what is plausible
    dead_band double precision,
    plausible_low double precision,
    plausible_high double precision,
    max_rate_per_min double precision,
    expected_interval_s bigint,
    -- what an operator is told
    priority text,
    cause text,
    consequence text,
    response text,
    link text,
    constraint alarm_rules_one_per_scope unique nulls not distinct (sensor_id, sensor_type, machine_id, machine_class),
    constraint alarm_rules_scope check (
        num_nonnulls(sensor_id, sensor_type) = 1 and num_nonnulls(sensor_id, machine_id, machine_class) <= 1),
    constraint alarm_rules_on_delay_range check (on_delay_s between 0 and 86400),
    constraint alarm_rules_off_delay_range check (off_delay_s between 0 and 86400),
    constraint alarm_rules_dead_band_range check (dead_band >= 0),
    constraint alarm_rules_plausible_order check (plausible_low < plausible_high),
    constraint alarm_rules_max_rate_range check (max_rate_per_min > 0),
    constraint alarm_rules_expected_interval_range check (expected_interval_s between 1 and 604800),
    constraint alarm_rules_priority_known check (priority in ('low', 'medium', 'high', 'critical'))
);
-- those of a machine go with it
create index alarm_rules_of_machine on alarm_rules (machine_id) where machine_id is not null;
create trigger alarm_rules_stamp before update on alarm_rules for each row execute function stamp_updated_at();
create trigger alarm_rules_audit after insert or update or delete on alarm_rules
    for each row execute function audit_row('alarm_rule');

-- Planned maintenance: conditions raise no alarm meanwhile. pm-domain (alarm::suppression) says when a window is on.
create table maintenance_windows (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    created_by uuid references users (id) on delete set null,
    reason text not null,
    -- without machine and class: the whole site
    machine_id uuid constraint maintenance_windows_machine_exists references machines (id) on delete cascade,
    machine_class text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    repeats text,
    repeats_until timestamptz,
    zone text not null default 'UTC',
    constraint maintenance_windows_one_scope check (machine_id is null or machine_class is null),
    constraint maintenance_windows_in_order check (starts_at < ends_at),
    constraint maintenance_windows_repeats_known check (repeats in ('daily', 'weekly'))
);
create index maintenance_windows_newest on maintenance_windows (starts_at desc, id desc);
create trigger maintenance_windows_stamp before update on maintenance_windows
    for each row execute function stamp_updated_at();
create trigger maintenance_windows_audit after insert or update or delete on maintenance_windows
    for each row execute function audit_row('maintenance_window');

-- Conditions that raised no alarm because of maintenance: a row for each cause, reason and day (UTC).
create table suppressed_conditions (
    id uuid primary key default uuid_v7(),
    machine_id uuid not null constraint suppressed_conditions_machine_exists references machines (id) on delete cascade,
    sensor_id uuid not null constraint suppressed_conditions_sensor_exists references sensors (id) on delete cascade,
    kind text not null,
    -- null: the machine's status was maintenance; a window may be deleted by now
    window_id uuid,
    day date not null,
    severity text not null,
    message text not null,
    first_seen_at timestamptz not null,
    last_seen_at timestamptz not null,
    occurrences bigint not null
);
create unique index suppressed_conditions_of_day on suppressed_conditions (sensor_id, kind, window_id, day)
    nulls not distinct;
create index suppressed_conditions_newest on suppressed_conditions (last_seen_at desc, id desc);
create index suppressed_conditions_of_machine on suppressed_conditions (machine_id, last_seen_at desc);

-- The newest alarm that a condition raised on each machine. An alarm is raised only by whoever knows the newest one, so
-- that two that are raised at once see each other and become one case.
create table newest_alarms (
    machine_id uuid primary key references machines (id) on delete cascade,
    alarm_id uuid not null
);

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

grant select, insert, update, delete on
    alarms, newest_alarms, alarm_transitions, alarm_rules, maintenance_windows, suppressed_conditions to pm_app;
grant usage on sequence alarm_transitions_id_seq to pm_app;
