-- Settings, jobs, periodic tasks, and the reports of the native programs.

create table settings (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    key text not null,
    value text,
    value_type text not null default 'string',
    description text,
    category text not null default 'general',
    is_public boolean not null default false,
    is_secret boolean not null default false,
    metadata jsonb,
    constraint settings_key_unique unique (key),
    constraint settings_secret_is_not_public check (not (is_secret and is_public)),
    constraint settings_value_type_known check (value_type in ('string', 'number', 'boolean', 'json'))
);
create trigger settings_stamp before update on settings for each row execute function stamp_updated_at();
create trigger settings_audit after insert or update or delete on settings for each row execute function audit_row('setting');

create table jobs (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    job_type text not null,
    status text not null default 'pending',
    progress integer not null default 0,
    result jsonb,
    error_message text,
    started_at timestamptz,
    completed_at timestamptz,
    created_by uuid references users (id) on delete set null,
    metadata jsonb,
    attempts integer not null default 0,
    -- a running job belongs to the worker that holds its lease, until the lease runs out
    lease_id uuid,
    lease_until timestamptz,
    constraint jobs_status_known check (status in ('pending', 'running', 'completed', 'failed')),
    constraint jobs_progress_percent check (progress between 0 and 100)
);
create index jobs_newest on jobs (created_at desc, id desc);
create index jobs_to_do on jobs (job_type, created_at) where status in ('pending', 'running');
create trigger jobs_stamp before update on jobs for each row execute function stamp_updated_at();
create trigger jobs_audit after insert or update or delete on jobs for each row execute function audit_row('job');

-- Imports of history: what a person sent, until a job has stored it.
create table imports (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    name text not null,
    rules jsonb not null,
    job_id uuid references jobs (id) on delete set null
);
create trigger imports_audit after insert or update or delete on imports for each row execute function audit_row('import');

create table import_parts (
    import_id uuid not null references imports (id) on delete cascade,
    number integer not null,
    -- as it came; empty once it is stored
    payload bytea not null,
    packed boolean not null,
    stored_at timestamptz,
    -- pm_api::import::ImportCounts
    counts jsonb,
    reasons jsonb,
    primary key (import_id, number)
);
grant select, insert, update, delete on imports, import_parts to pm_app;

-- Back-tests: alarm rules that people try on stored readings; a job does it.
create table backtests (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    created_by uuid references users (id) on delete set null,
    name text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- pm_api::backtest: BacktestScope, and a list of TriedRule
    scope jsonb not null,
    rules jsonb not null,
    sensors bigint not null,
    job_id uuid references jobs (id) on delete set null,
    constraint backtests_in_order check (starts_at < ends_at)
);
create index backtests_newest on backtests (created_at desc, id desc);
create index backtests_of_job on backtests (job_id);
create trigger backtests_audit after insert or update or delete on backtests
    for each row execute function audit_row('backtest');

-- What came of a back-test, and how far its job has come.
create table backtest_outcomes (
    backtest_id uuid primary key references backtests (id) on delete cascade,
    -- postcard of the component `backtests`; empty once it is done
    progress bytea not null,
    -- pm_api::backtest::BacktestOutcome
    outcome jsonb
);
grant select, insert, update, delete on backtests, backtest_outcomes to pm_app;

-- When each periodic task (pm_domain::clock) is due next. The caller that moves the time to the next one runs the task.
create table clock_tasks (
    task text primary key,
    due_at timestamptz not null,
    -- the last failure
    failed_at timestamptz
);

-- The last report of each native program, e.g. a bridge.
create table service_reports (
    name text primary key,
    kind text not null,
    reported_at timestamptz not null,
    report jsonb not null
);

-- Requests that a client may send again (header Idempotency-Key), with the answer once there is one.
create table idempotency_keys (
    user_id uuid not null references users (id) on delete cascade,
    key text not null,
    created_at timestamptz not null default now(),
    -- hash of the request
    fingerprint bigint not null,
    status integer,
    body bytea,
    constraint idempotency_keys_once primary key (user_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

grant select, insert, update, delete on settings, jobs, service_reports, idempotency_keys to pm_app;
grant select, insert, update on clock_tasks to pm_app;
