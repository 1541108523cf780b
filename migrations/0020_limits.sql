-- Limits on the low side.

alter table sensors
    add column warning_low double precision,
    add column critical_low double precision;

alter table machines add constraint machines_thresholds_object check (jsonb_typeof(thresholds) = 'object') not valid;
