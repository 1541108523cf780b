-- Versions of models: for which machines, with weights, from training to activation and back.

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
    -- null and null: for every machine
    machine_class text,
    machine_id uuid constraint models_machine_exists references machines (id) on delete cascade,
    card jsonb,
    report jsonb,
    activated_at timestamptz,
    constraint models_name_version_unique unique (name, version),
    constraint models_status_known check (status in ('registered', 'shadow', 'active', 'retired')),
    constraint models_one_scope check (machine_class is null or machine_id is null)
);
create unique index models_one_active on models (name, machine_class, machine_id) nulls not distinct
    where status = 'active';
create unique index models_one_challenger on models (name, machine_class, machine_id) nulls not distinct
    where status = 'shadow';
create trigger models_stamp before update on models for each row execute function stamp_updated_at();
create trigger models_audit after insert or update or delete on models for each row execute function audit_row('ai_model');

-- The weights. In a table of their own, so that they are neither audited nor read with every list of models.
create table model_records (
    model_id uuid primary key references models (id) on delete cascade,
    record bytea not null
);

-- How a challenger (status shadow) compares with the active model on the same readings, per day.
create table model_shadow (
    model_id uuid not null references models (id) on delete cascade,
    day date not null,
    scored bigint not null,
    active_anomalous bigint not null,
    challenger_anomalous bigint not null,
    both_anomalous bigint not null,
    -- sum of |challenger's score − active score|
    difference double precision not null,
    primary key (model_id, day)
);

-- How far the sensors' features have moved from those that the active model was trained on.
create table model_drift (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    model_version text not null,
    sensors integer not null,
    rows_used integer not null,
    worst double precision not null,
    -- [{"feature", "psi"}], worst first
    features jsonb not null
);
create index model_drift_newest on model_drift (created_at desc);

-- The model with stored weights that has this status for the machine: the machine's own, else that of its class, else the
-- general one. Null: the model that comes with the program.
create function model_for(machine uuid, wanted text) returns uuid
language sql stable
as $$
    select m.id
    from models m join model_records r on r.model_id = m.id left join machines k on k.id = machine
    where m.status = wanted
      and (m.machine_id is null or m.machine_id = machine)
      and (m.machine_class is null or m.machine_class = k.machine_class)
    order by m.machine_id is null, m.machine_class is null
    limit 1
$$;

-- Makes a version the active one of its scope and retires the previous one. Two steps, because the index that allows one
-- active version only is checked row by row.
create function activate_model(target uuid) returns boolean
language plpgsql
as $$
begin
    update models m set status = 'retired'
    from models t
    where t.id = target and m.id <> target and m.status = 'active' and m.name = t.name
      and m.machine_class is not distinct from t.machine_class and m.machine_id is not distinct from t.machine_id;
    update models set status = 'active', activated_at = now() where id = target;
    return found;
end
$$;

-- Makes a version the challenger of its scope. The previous challenger is registered again.
create function challenge_with_model(target uuid) returns boolean
language plpgsql
as $$
begin
    update models m set status = 'registered'
    from models t
    where t.id = target and m.id <> target and m.status = 'shadow' and m.name = t.name
      and m.machine_class is not distinct from t.machine_class and m.machine_id is not distinct from t.machine_id;
    update models set status = 'shadow' where id = target;
    return found;
end
$$;

-- Registers the version that comes with the program. It scores wherever no version with stored weights is active, so it
-- replaces an older version that came with the program as the general active model, but no other version.
create function list_builtin_model(model_name text, model_version text, model_path text, model_card jsonb) returns uuid
language plpgsql
as $$
declare
    known models := (select m from models m where m.name = model_name and m.version = model_version);
    holder models := (
        select m from models m
        where m.name = model_name and m.status = 'active' and m.machine_class is null and m.machine_id is null);
    free boolean := holder.id is null
        or (holder.version <> model_version and not exists (select from model_records where model_id = holder.id));
begin
    if known.id is null then
        insert into models (name, version, description, path, card)
        values (model_name, model_version, 'came with the program', model_path, model_card)
        on conflict (name, version) do nothing;
        known := (select m from models m where m.name = model_name and m.version = model_version);
    end if;
    if free and known.status <> 'active' then
        perform activate_model(known.id);
    end if;
    return known.id;
end
$$;

grant select, insert, update, delete on models, model_records, model_shadow, model_drift to pm_app;
