-- Accounts, roles, sessions, API keys, second factors, login throttling, password resets, request limits.

create table users (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    email text not null,
    full_name text,
    role text not null,
    -- null: invited and not there yet, or an account of programs
    password_hash text,
    -- the password was chosen by somebody else
    password_change_required boolean not null default false,
    last_login timestamptz,
    is_active boolean not null default true,
    -- an account of programs, which use API keys
    is_service boolean not null default false,
    constraint users_service_without_password check (not is_service or password_hash is null),
    constraint users_role_known check (role in ('operator', 'viewer', 'engineer', 'admin'))
);
create unique index users_email_unique on users (lower(email));
create trigger users_stamp before update on users for each row execute function stamp_updated_at();
create index users_newest on users (created_at desc, id desc);
create trigger users_audit after insert or update or delete on users for each row execute function audit_row('user');

-- There is always an active administrator. The lock makes two simultaneous changes see each other.
create function users_keep_an_admin() returns trigger
language plpgsql security definer set search_path = public, pg_temp
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

-- Custom roles, and the ids and names of the built-in ones, whose permissions are in the functions' route table.
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

-- Custom roles of users, in addition to the built-in role of each (users.role).
create table user_roles (
    user_id uuid not null references users (id) on delete cascade,
    role_id uuid not null references roles (id) on delete cascade,
    primary key (user_id, role_id)
);
create index user_roles_of_role on user_roles (role_id);

-- A built-in role is granted by users.role alone and cannot be changed.
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
create trigger roles_audit after insert or update or delete on roles for each row execute function audit_row('role');
create trigger user_roles_audit after insert or delete on user_roles for each row execute function audit_row('user_role');

-- Sessions: one row per sign-in. Ending it ends every token that descends from that sign-in.
create table refresh_families (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    current_token_id uuid not null,
    -- was replaced by the current one at rotated_at, and is good for a moment longer (pm_domain::session)
    previous_token_id uuid,
    created_at timestamptz not null default now(),
    rotated_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ip_address text,
    user_agent text,
    revoked_at timestamptz,
    revoked_reason text
);
create index refresh_families_of_user on refresh_families (user_id, created_at desc, id desc);
create index refresh_families_by_expiry on refresh_families (expires_at);

-- API keys. Only the SHA-256 of a key is stored; `prefix` is how people tell keys apart.
create table api_keys (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    user_id uuid not null references users (id) on delete cascade,
    name text not null,
    prefix text not null,
    token_hash bytea not null,
    permissions text[] not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_token_hash_unique unique (token_hash)
);
create index api_keys_of_user on api_keys (user_id, created_at desc, id desc);
create trigger api_keys_audit after insert or update or delete on api_keys
    for each row execute function audit_row('api_key');

-- Second factors: time-based one-time passwords (RFC 6238) and codes for the day on which the device is lost.
create table user_totp (
    user_id uuid primary key references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    secret text not null,
    -- null: shown, and no code was given yet
    confirmed_at timestamptz,
    -- the time step of the last code that was accepted: none works twice
    last_step bigint not null default 0,
    -- SHA-256 of each code that was not used yet
    recovery_code_hashes text[] not null default '{}'
);
create trigger user_totp_audit after insert or update or delete on user_totp
    for each row execute function audit_row('second_factor');

-- Tickets for event streams that have been used. The table is unlogged: a ticket lives for a minute.
create unlogged table spent_tickets (
    id uuid constraint spent_tickets_pkey primary key,
    spent_at timestamptz not null default now()
);

-- Attempts per key («login:…», «address:…», «register:…», …) in the running window. blocked_until is when the next one has
-- its turn.
create table login_throttle (
    key text primary key,
    failures integer not null,
    window_started_at timestamptz not null,
    blocked_until timestamptz
);

-- Links to set a password: asked for by mail, or the invitation of a new account.
create table password_resets (
    token_hash bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index password_resets_of_user on password_resets (user_id);

-- Requests per client (an account or an address) and minute (since 1970), for limits. The table is unlogged: after a crash
-- of the database counting starts again at zero.
create unlogged table request_counts (
    client text not null,
    minute bigint not null,
    requests bigint not null,
    primary key (client, minute)
);

-- Open event streams of an account, each in a slot that it has to renew within a minute. Unlogged for the same reason.
create unlogged table event_streams (
    user_id uuid not null references users (id) on delete cascade,
    slot integer not null,
    stream_id uuid not null,
    renewed_at timestamptz not null,
    constraint event_streams_pkey primary key (user_id, slot)
);

-- Users, sessions, keys, second factors and resets are for the accounts' own components: see 0019_roles.sql.
grant select, insert, update, delete on roles, user_roles, request_counts to pm_app;
