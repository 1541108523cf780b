-- The queue of outgoing mail. Functions cannot hold an SMTP connection: the notifier hands claimed mails to the bridge
-- with a tick, and the bridge reports what became of them. Slack-compatible webhooks are a second channel of the queue.

create table mails (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    channel text not null default 'mail',
    -- what it is about, e.g. password_reset, digest, test
    kind text not null,
    recipient text not null,
    subject text not null default '',
    -- emptied once the mail is sent or given up, since it may hold a secret (a link to set a new password)
    body_text text not null default '',
    body_html text,
    -- a digest is worded when it is sent
    digest jsonb,
    -- two mails of one key are one mail
    dedupe_key text,
    status text not null default 'pending',
    attempts integer not null default 0,
    attempts_allowed integer not null default 15,
    -- while it is being sent: the end of the lease
    next_attempt_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '3 days',
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

grant select, insert, update, delete on mails to pm_app;
