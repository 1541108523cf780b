-- Sign-in by identity providers (OpenID Connect).

-- Which of a provider's people has which account.
create table user_identities (
    issuer text not null,
    subject text not null,
    user_id uuid not null references users (id) on delete cascade,
    created_at timestamptz not null default now(),
    constraint user_identities_pkey primary key (issuer, subject),
    constraint user_identities_one_of_a_provider unique (user_id, issuer)
);
create trigger user_identities_audit after insert or update or delete on user_identities
    for each row execute function audit_row('user_identity');

-- What a provider publishes of itself, as it was fetched. Unlogged: it can be fetched again.
create unlogged table provider_documents (
    issuer text primary key,
    configuration text not null,
    keys text not null,
    fetched_at timestamptz not null default now()
);

-- The name of the provider by which a session was begun; null: by password.
alter table refresh_families add column identity_provider text;

grant select, insert, update, delete on user_identities, provider_documents to pm_auth;
-- A session that a provider has begun needs no second factor here.
grant select (identity_provider) on refresh_families to pm_work, pm_ingest, pm_read;
