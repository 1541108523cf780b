-- Who is notified of what by mail, the notices that wait to be sent, and the queue of outgoing mail.

create table notification_preferences (
    user_id uuid primary key references users (id) on delete cascade,
    alarms boolean not null,
    predictions boolean not null,
    ticket_assignments boolean not null,
    minimum_severity text not null,
    -- of which machines and classes; both empty: of all
    machine_ids text[] not null default '{}',
    machine_classes text[] not null default '{}',
    -- between which minutes of the day
    hours_from bigint,
    hours_to bigint,
    zone text,
    -- the minute of the day at which a summary is mailed, and when the next one is due
    summary_at bigint,
    summary_due_at timestamptz,
    constraint notification_preferences_hours_both check ((hours_from is null) = (hours_to is null)),
    constraint notification_preferences_severity_known check (minimum_severity in ('info', 'warning', 'critical'))
);
create trigger notification_preferences_audit after insert or update or delete on notification_preferences
    for each row execute function audit_row('notification_preferences');

create index notification_preferences_summaries on notification_preferences (summary_due_at)
    where summary_due_at is not null;

-- Notices are collected per recipient for some seconds and leave as one mail.
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

-- Functions cannot hold an SMTP connection: the notifier hands claimed mails to the bridge with a tick, and the bridge
-- reports the result of each. Slack-compatible webhooks are a second channel of the queue.
create table mails (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    channel text not null default 'mail',
    -- what it is about, e.g. password_reset, digest, test
    kind text not null,
    recipient text not null,
    subject text not null default '',
    -- emptied when the mail is sent or has failed, since it may hold a secret (a link to set a new password)
    body_text text not null default '',
    body_html text,
    -- the notices of a digest; its text is written when it is sent
    digest jsonb,
    -- a second mail with the same key is not queued
    dedupe_key text,
    status text not null default 'pending',
    attempts integer not null default 0,
    attempts_allowed integer not null,
    -- end of the lease while it is being sent
    next_attempt_at timestamptz not null default now(),
    expires_at timestamptz not null,
    finished_at timestamptz,
    error text,
    constraint mails_dedupe_key_unique unique (dedupe_key),
    constraint mails_channel_known check (channel in ('mail', 'slack')),
    constraint mails_status_known check (status in ('pending', 'sending', 'sent', 'failed')),
    constraint mails_recipient_one_line check (recipient !~ '[\r\n]' and length(recipient) between 1 and 320),
    constraint mails_subject_one_line check (subject !~ '[\r\n]' and length(subject) <= 300),
    constraint mails_size check (length(body_text) <= 200000 and length(body_html) <= 400000)
);
create index mails_due on mails (channel, next_attempt_at) where status in ('pending', 'sending');
create index mails_of_recipient on mails (recipient, created_at) where digest is not null;
create index mails_finished on mails (finished_at) where finished_at is not null;

grant select, insert, update, delete on notification_preferences, notices, mails to pm_app;
grant usage on sequence notices_id_seq to pm_app;
