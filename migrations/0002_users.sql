-- Accounts, refresh-token families, login throttling, password resets.

create table users (
    id uuid primary key default uuid_v7(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    email text not null,
    full_name text,
    role text not null,
    password_hash text not null,
    last_login timestamptz,
    is_active boolean not null default true,
    constraint users_role_known check (role in ('operator', 'viewer', 'engineer', 'admin'))
);
create unique index users_email_unique on users (lower(email));
create trigger users_stamp before update on users for each row execute function stamp_updated_at();

-- One row per login. Revoking it ends every token that descends from that login.
create table refresh_families (
    id uuid primary key,
    user_id uuid not null references users (id) on delete cascade,
    -- The only refresh token of the family that is still good; any other is a reuse and revokes the family.
    current_token_id uuid not null,
    created_at timestamptz not null default now(),
    rotated_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text
);
create index refresh_families_of_user on refresh_families (user_id);
create index refresh_families_by_expiry on refresh_families (expires_at);

-- Failed logins per key («account:…» or «address:…») in the running window.
create table login_throttle (
    key text primary key,
    failures integer not null,
    window_started_at timestamptz not null,
    blocked_until timestamptz
);

create table password_resets (
    token_hash bytea primary key,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz
);
create index password_resets_of_user on password_resets (user_id);
