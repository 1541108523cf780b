-- On call: schedules of who answers for alarms, escalation chains, the services that notices go to, and every notice.

-- pm-domain (on_call) says who is on call.
create table on_call_schedules (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    zone text not null,
    -- ids of accounts, in the order of their turns
    people text[] not null,
    turn_days bigint not null,
    starts_on text not null,
    hand_over_minute bigint not null,
    -- [{"day", "user_id"}]
    holidays jsonb not null,
    constraint on_call_schedules_name_unique unique (name),
    constraint on_call_schedules_turn_range check (turn_days between 1 and 28),
    constraint on_call_schedules_hand_over_range check (hand_over_minute between 0 and 1439)
);
create trigger on_call_schedules_stamp before update on on_call_schedules for each row execute function stamp_updated_at();
create trigger on_call_schedules_audit after insert or update or delete on on_call_schedules
    for each row execute function audit_row('on_call_schedule');

create table on_call_overrides (
    id uuid primary key default uuid_v7(),
    schedule_id uuid not null constraint on_call_overrides_schedule_exists
        references on_call_schedules (id) on delete cascade,
    user_id uuid not null constraint on_call_overrides_user_exists references users (id) on delete cascade,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    constraint on_call_overrides_in_order check (starts_at < ends_at)
);
create index on_call_overrides_of_schedule on on_call_overrides (schedule_id, ends_at);
create index on_call_overrides_of_user on on_call_overrides (user_id);
create trigger on_call_overrides_audit after insert or update or delete on on_call_overrides
    for each row execute function audit_row('on_call_override');

-- Services that a step can tell.
create table notice_channels (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    kind text not null,
    url text not null,
    -- a key or token, which only the notifier sends
    secret text,
    constraint notice_channels_name_unique unique (name),
    constraint notice_channels_kind_known check (kind in ('teams', 'slack', 'pagerduty', 'opsgenie', 'ntfy', 'generic'))
);
create trigger notice_channels_stamp before update on notice_channels for each row execute function stamp_updated_at();
create trigger notice_channels_audit after insert or update or delete on notice_channels
    for each row execute function audit_row('notice_channel');

create table escalation_chains (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    -- null: not in use. Alarms that were raised before begin no escalation by it.
    active_since timestamptz,
    -- without machine and class: the whole site
    machine_id uuid constraint escalation_chains_machine_exists references machines (id) on delete cascade,
    machine_class text,
    minimum_severity text not null,
    -- [{"after_s", and one of "user_id", "schedule_id", "role", "channel_id", "mail"}]
    steps jsonb not null,
    repeat_every_s bigint not null,
    repeats bigint not null,
    constraint escalation_chains_name_unique unique (name),
    constraint escalation_chains_one_scope check (machine_id is null or machine_class is null),
    constraint escalation_chains_severity_known check (minimum_severity in ('info', 'warning', 'critical')),
    constraint escalation_chains_repeat_range check (repeat_every_s between 2 and 604800),
    constraint escalation_chains_repeats_range check (repeats between 0 and 50)
);
create index escalation_chains_of_machine on escalation_chains (machine_id) where machine_id is not null;
create trigger escalation_chains_stamp before update on escalation_chains
    for each row execute function stamp_updated_at();
create trigger escalation_chains_audit after insert or update or delete on escalation_chains
    for each row execute function audit_row('escalation_chain');

-- An escalation tells people of a case until somebody answers. When more alarms of the case wait later, another one begins.
create table escalations (
    id uuid primary key default uuid_v7(),
    -- the alarm that began the case
    case_id uuid not null references alarms (id) on delete cascade,
    machine_id uuid not null references machines (id) on delete cascade,
    chain_id uuid references escalation_chains (id) on delete set null,
    chain_name text not null,
    started_at timestamptz not null default now(),
    -- null: every step was done, or it has ended
    next_due_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    -- every alarm of the case is resolved, and services that keep incidents are told
    resolved_at timestamptz,
    constraint escalations_ended_first check (resolved_at is null or ended_at is not null)
);
create unique index escalations_one_per_case on escalations (case_id) where ended_at is null;
create index escalations_of_case on escalations (case_id);
create index escalations_unresolved on escalations (id) where resolved_at is null;
create index escalations_of_machine on escalations (machine_id);
create index escalations_of_chain on escalations (chain_id) where chain_id is not null;

-- Every notice of an escalation, and what became of it. Mails leave through the bridge, the others through the notifier.
create table alarm_notices (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    escalation_id uuid not null references escalations (id) on delete cascade,
    subject text not null,
    repetition bigint not null,
    -- index of the step, from 0
    step bigint not null,
    -- for people: whom it is for, and why they
    recipient text not null,
    reason text not null,
    user_id uuid references users (id) on delete set null,
    -- mail, or the kind of the channel; null: there was nobody to tell
    channel text,
    channel_id uuid references notice_channels (id) on delete set null,
    -- of a mail
    address text,
    fate text not null,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    -- somebody is sending it until then
    leased_until timestamptz,
    finished_at timestamptz,
    error text,
    constraint alarm_notices_once unique (escalation_id, subject, repetition, step, recipient),
    constraint alarm_notices_subject_known check (subject in ('alarm', 'answered', 'resolved')),
    constraint alarm_notices_fate_known check (fate in ('pending', 'delivered', 'failed', 'cancelled')),
    constraint alarm_notices_address_one_line check (address !~ '[\r\n]' and length(address) between 1 and 320)
);
create index alarm_notices_due on alarm_notices (next_attempt_at) where fate = 'pending';
create index alarm_notices_newest on alarm_notices (created_at desc, id desc);
create index alarm_notices_of_user on alarm_notices (user_id) where user_id is not null;
create index alarm_notices_of_channel on alarm_notices (channel_id) where channel_id is not null;

grant select, insert, update, delete on
    on_call_schedules, on_call_overrides, escalation_chains, escalations, alarm_notices
to pm_app;
-- the secrets of channels are for the group of the notifier alone
grant select, insert, update, delete on notice_channels to pm_work;
