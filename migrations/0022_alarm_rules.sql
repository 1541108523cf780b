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

-- What evaluation remembers of a sensor whose rule has delays (pm_domain::alarm::condition), and when a delay runs out if
-- no reading comes before.
alter table sensor_state
    add column delay_state jsonb,
    add column delay_due_at timestamptz,
    -- as threshold_condition: has the alarm engine been told that the sensor is silent?
    add column stale_condition smallint not null default 0;
create index sensor_state_delay_due on sensor_state (delay_due_at) where delay_due_at is not null;
create index sensor_state_stale on sensor_state (sensor_id) where stale_condition <> 0;

alter table alarms
    drop constraint alarms_kind_known,
    add constraint alarms_kind_known check (kind in ('threshold', 'prediction', 'reported', 'stale', 'manual'));

grant select, insert, update, delete on alarm_rules to pm_app;
grant select on alarm_rules to pm_ingest, pm_read;
