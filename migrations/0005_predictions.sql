-- The models and what they said.

create table models (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    version text not null,
    description text,
    path text,
    metadata jsonb,
    status text not null default 'registered',
    constraint models_name_version_unique unique (name, version),
    constraint models_status_known check (status in ('registered', 'shadow', 'active', 'retired'))
);
create trigger models_stamp before update on models for each row execute function stamp_updated_at();

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
    remaining_hours double precision,
    model_version text not null,
    response_time_ms double precision not null,
    contributing_features jsonb not null,
    -- one judgement of a sensor at a time, however often the batch is repeated
    constraint predictions_natural_key primary key (sensor_id, time)
);
select create_hypertable('predictions', by_range('time', interval '1 day'), create_default_indexes => false);
create index predictions_newest on predictions (time desc);
create index predictions_by_id on predictions (id);
