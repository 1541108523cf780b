-- Results of scoring, and the state that scoring and alarming keep of each sensor and machine.

create table predictions (
    id uuid not null default uuid_v7(),
    time timestamptz not null,
    sensor_id uuid not null,
    machine_id uuid not null,
    created_at timestamptz not null default now(),
    score double precision not null,
    status text not null,
    anomaly_type text not null,
    prediction text not null,
    confidence double precision not null,
    health_percent double precision not null,
    -- the estimate of the remaining useful life, its confidence limits, and the method that found it
    remaining_hours double precision,
    remaining_lower_hours double precision,
    remaining_upper_hours double precision,
    remaining_method text,
    remaining_model text,
    model_version text not null,
    response_time_ms double precision not null,
    contributing_features jsonb not null,
    -- one prediction per sensor and time, however often the batch is repeated
    constraint predictions_natural_key primary key (sensor_id, time)
);
select create_hypertable('predictions', by_range('time', interval '1 day'), create_default_indexes => false);
create index predictions_newest on predictions (time desc);
create index predictions_by_id on predictions (id);

-- Predictions by minute and class, for the counts of the overview.
create table predictions_1m (
    bucket timestamptz primary key,
    normal bigint not null,
    warning bigint not null,
    critical bigint not null,
    buffering bigint not null
);

-- The state of scoring and alarming of each sensor.
create table sensor_state (
    sensor_id uuid primary key references sensors (id) on delete cascade,
    -- only the scorer can read it
    score_state bytea,
    scored_through timestamptz,
    -- the conditions last passed to the alarm engine: 0 normal, 1 warning, 2 critical
    threshold_condition smallint not null default 0,
    prediction_condition smallint not null default 0,
    reported_condition smallint not null default 0,
    -- of its silence
    stale_condition smallint not null default 0,
    -- what evaluation remembers of the delays of the alarm rule (pm_domain::alarm::condition), and when one runs out if no
    -- reading comes before
    delay_state jsonb,
    delay_due_at timestamptz,
    -- readings up to this time have been evaluated for alarms
    evaluated_through timestamptz
) with (fillfactor = 50);
create index sensor_state_delay_due on sensor_state (delay_due_at) where delay_due_at is not null;
create index sensor_state_stale on sensor_state (sensor_id) where stale_condition <> 0;

-- The state of scoring a machine as a whole, and its newest result.
create table machine_state (
    machine_id uuid primary key references machines (id) on delete cascade,
    score_state bytea not null,
    time timestamptz not null,
    -- absent while the machine is new or has a single sensor
    score double precision,
    -- [[sensor id, part]], largest first
    shares jsonb not null,
    -- [[sensor id, level that the other sensors explain]]; empty while that is learned
    explained jsonb not null default '[]'
);

-- When people started the healthy reference of a sensor (without one: of all sensors of the machine) anew.
create table reference_restarts (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    machine_id uuid not null references machines (id) on delete cascade,
    sensor_id uuid references sensors (id) on delete cascade,
    reason text not null,
    note text,
    by_user uuid references users (id) on delete set null,
    constraint reference_restarts_reason_known check (reason in ('sensor_replaced', 'overhaul'))
);
create index reference_restarts_of_machine on reference_restarts (machine_id, created_at desc);
create trigger reference_restarts_audit after insert on reference_restarts
    for each row execute function audit_row('reference');

grant select, insert, update, delete on predictions, predictions_1m, sensor_state, machine_state to pm_app;
grant select, insert on reference_restarts to pm_app;
