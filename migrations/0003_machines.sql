-- Machines and their sensors. mqtt_id is the name under which payloads know them.

create table machines (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    location text,
    description text,
    status text not null default 'online',
    criticality text not null default 'medium',
    metadata jsonb,
    last_service_date date,
    thresholds jsonb,
    mqtt_id text,
    constraint machines_mqtt_id_unique unique (mqtt_id),
    constraint machines_status_known check (status in ('online', 'offline', 'maintenance', 'degraded')),
    constraint machines_criticality_known check (criticality in ('low', 'medium', 'high', 'critical')),
    constraint machines_metadata_object check (jsonb_typeof(metadata) = 'object')
);
create index machines_newest on machines (created_at desc, id desc);
create trigger machines_stamp before update on machines for each row execute function stamp_updated_at();

create table sensors (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    machine_id uuid not null constraint sensors_machine_exists references machines (id) on delete cascade,
    name text not null,
    sensor_type text not null,
    unit text,
    min_threshold double precision,
    max_threshold double precision,
    warning_threshold double precision,
    critical_threshold double precision,
    metadata jsonb,
    mqtt_id text,
    constraint sensors_mqtt_id_unique unique (machine_id, mqtt_id),
    constraint sensors_metadata_object check (jsonb_typeof(metadata) = 'object')
);
create index sensors_newest on sensors (created_at desc, id desc);
create trigger sensors_stamp before update on sensors for each row execute function stamp_updated_at();
