-- Versions of models: for which machines, with weights, from training to activation and back.

alter table models
    -- null and null: for every machine; a class is what machines carry as metadata.class
    add column machine_class text,
    add column machine_id uuid constraint models_machine_exists references machines (id) on delete cascade,
    add column card jsonb,
    add column report jsonb,
    add column activated_at timestamptz,
    add constraint models_one_scope check (machine_class is null or machine_id is null);
create unique index models_one_active on models (name, machine_class, machine_id) nulls not distinct
    where status = 'active';
create unique index models_one_challenger on models (name, machine_class, machine_id) nulls not distinct
    where status = 'shadow';

-- Apart from models, so that weights are neither audited nor read along with a list.
create table model_records (
    model_id uuid primary key references models (id) on delete cascade,
    record bytea not null
);

-- What a challenger said beside the active model, per day.
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

-- How far the sensors' features have moved from those the active model learned from.
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

-- The model with weights of its own that has this status for the machine: its own before its class's before the general
-- one. Null: the model that came with the program.
create function model_for(machine uuid, wanted text) returns uuid
language sql stable
as $$
    select m.id
    from models m join model_records r on r.model_id = m.id left join machines k on k.id = machine
    where m.status = wanted
      and (m.machine_id is null or m.machine_id = machine)
      and (m.machine_class is null or m.machine_class = k.metadata ->> 'class')
    order by m.machine_id is null, m.machine_class is null
    limit 1
$$;

-- Makes a version the active one of its scope and retires the one before. Two steps, since the index that allows only
-- one active version is checked row by row.
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

-- Makes a version the challenger of its scope; the challenger before it goes back to being registered.
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

-- Lists the version that came with the program. It judges wherever no version with weights is active, so it takes the
-- general active place from an older one that came with the program, and from no other.
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

grant select, insert, update, delete on model_records, model_shadow, model_drift to pm_app;
