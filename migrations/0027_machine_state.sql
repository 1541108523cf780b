-- Machines as a whole: what is remembered between two judgements, and the newest one.

create table machine_state (
    machine_id uuid primary key references machines (id) on delete cascade,
    score_state bytea not null,
    time timestamptz not null,
    -- absent while the machine is new or has a single sensor
    score double precision,
    -- [[sensor id, part]], largest first
    shares jsonb not null
);
grant select, insert, update, delete on machine_state to pm_app;
