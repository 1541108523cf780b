-- Secret settings, leases of jobs, custom roles, the last administrator, a finer audit.

alter table settings add column is_secret boolean not null default false;
alter table settings add constraint settings_secret_is_not_public check (not (is_secret and is_public));

-- A running job belongs to the worker that holds its lease, until the lease runs out.
alter table jobs add column attempts integer not null default 0;
alter table jobs add column lease_id uuid;
alter table jobs add column lease_until timestamptz;
create index jobs_newest on jobs (created_at desc, id desc);
create index jobs_to_do on jobs (job_type, created_at) where status in ('pending', 'running');

-- Built-in roles stand here for their ids and names; what they permit is in the route table of the functions.
create table roles (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    name text not null,
    description text,
    permissions text[] not null default '{}',
    is_system boolean not null default false,
    constraint roles_system_permits_by_table check (not is_system or permissions = '{}')
);
create unique index roles_name_unique on roles (lower(name));
create trigger roles_stamp before update on roles for each row execute function stamp_updated_at();
insert into roles (name, description, is_system) values
    ('admin', 'Everything', true),
    ('engineer', 'Maintains machines, sensors, alarms and tickets', true),
    ('viewer', 'Reads everything but administration', true),
    ('operator', 'Registered, no rights of its own: sees what is open to every account', true);

-- Custom roles of users, besides the built-in role of each (users.role).
create table user_roles (
    user_id uuid not null references users (id) on delete cascade,
    role_id uuid not null references roles (id) on delete cascade,
    primary key (user_id, role_id)
);
create index user_roles_of_role on user_roles (role_id);

-- A built-in role is given by users.role alone, and stays as it is.
create function roles_keep_system() returns trigger
language plpgsql
as $$
begin
    if old.is_system then
        raise exception 'violates constraint "roles_system_fixed"'
            using errcode = 'check_violation', constraint = 'roles_system_fixed';
    end if;
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;
create trigger roles_keep_system before update or delete on roles
    for each row execute function roles_keep_system();

-- There is always an active administrator. The lock lets two that leave at once see each other.
create function users_keep_an_admin() returns trigger
language plpgsql security definer set search_path = public
as $$
begin
    perform pg_advisory_xact_lock(hashtext('users_keep_an_admin'));
    if not exists (select from users where role = 'admin' and is_active) then
        raise exception 'violates constraint "users_last_admin"'
            using errcode = 'check_violation', constraint = 'users_last_admin';
    end if;
    return null;
end
$$;
create trigger users_keep_an_admin_update after update of role, is_active on users for each row
    when (old.role = 'admin' and old.is_active and (new.role <> 'admin' or not new.is_active))
    execute function users_keep_an_admin();
create trigger users_keep_an_admin_delete after delete on users for each row
    when (old.role = 'admin' and old.is_active)
    execute function users_keep_an_admin();

create index users_newest on users (created_at desc, id desc);
create index audit_log_of_user on audit_log (user_id, created_at desc);

-- As before, and: a secret setting's value is masked (a change still shows), a webhook's headers may carry
-- credentials, and what a comment says is told while an attachment's bytes are not.
create or replace function audit_row() returns trigger
language plpgsql security definer set search_path = public
as $$
declare
    actor jsonb := nullif(current_setting('pm.actor', true), '')::jsonb;
    hidden constant text[] := array['password_hash', 'secret', 'previous_secret', 'updated_at', 'lease_id', 'lease_until']
        || case tg_table_name when 'attachments' then array['content'] when 'webhooks' then array['headers'] else '{}' end;
    was jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) - hidden end;
    is_now jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) - hidden end;
    before jsonb := was;
    after jsonb := is_now;
begin
    if actor is null then
        return null;
    end if;
    if tg_op = 'UPDATE' then
        select jsonb_object_agg(key, value) into before from jsonb_each(was) where is_now -> key is distinct from value;
        select jsonb_object_agg(key, value) into after from jsonb_each(is_now) where was -> key is distinct from value;
    end if;
    if tg_table_name = 'settings' and ((was ->> 'is_secret')::boolean or (is_now ->> 'is_secret')::boolean) then
        before := case when before ->> 'value' <> '' then before || '{"value": "********"}' else before end;
        after := case when after ->> 'value' <> '' then after || '{"value": "********"}' else after end;
    end if;
    insert into audit_log (user_id, action_type, resource_type, resource_id, details, metadata, ip_address, user_agent)
    values (
        (actor ->> 'user_id')::uuid,
        coalesce(actor ->> 'action', case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end),
        tg_argv[0],
        coalesce(coalesce(is_now, was) ->> 'id', coalesce(is_now, was) ->> 'user_id'),
        actor ->> 'details',
        jsonb_strip_nulls(jsonb_build_object('before', before, 'after', after)),
        actor ->> 'ip_address',
        actor ->> 'user_agent'
    );
    return null;
end
$$;

create trigger roles_audit after insert or update or delete on roles for each row execute function audit_row('role');
create trigger user_roles_audit after insert or delete on user_roles for each row execute function audit_row('user_role');

grant select, insert, update, delete on roles, user_roles to pm_app;
