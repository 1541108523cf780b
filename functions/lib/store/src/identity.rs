//! By which identity providers people sign in: which of a provider's people has which account, and what a provider publishes
//! of itself, as it was fetched. `pm_domain::identity_provider` decides who gets which account.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
    user::Account,
    value::{id, optional, text},
};
use pm_api::{Timestamp, UserId};
use pm_domain::identity_provider::Known;

statements! {
    FIND = "
        select u.id, u.email, u.role, array(
                   select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
                   where h.user_id = u.id),
               i.user_id is not null, u.is_active, u.is_service
        from users u left join user_identities i on i.user_id = u.id and i.issuer = $1 and i.subject = $2
        where i.user_id is not null or lower(u.email) = lower($3)
        order by i.user_id is null limit 1";
    LINK = concat!("
        insert into user_identities (issuer, subject, user_id)
        select $3, $4, u.id from users u, ", actor!(), " where u.id = $2
        on conflict do nothing");
    DOCUMENTS = "
        select configuration, keys, fetched_at at time zone 'utc', now() at time zone 'utc' from provider_documents where issuer = $1";
    KEEP_DOCUMENTS = "
        insert into provider_documents (issuer, configuration, keys) values ($1, $2, $3)
        on conflict (issuer) do update set configuration = $2, keys = $3, fetched_at = now()";
}

/// A person as a provider knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'i> {
    /// The provider.
    pub issuer: &'i str,
    /// Its id of the person.
    pub subject: &'i str,
}

/// An account that a person might get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The account.
    pub account: Account,
    /// What the rule needs to know of it.
    pub known: Known,
}

/// The account that is linked to a person, or else the one with this mail address, active or not.
pub async fn find(
    db: &Db,
    identity: Identity<'_>,
    email: Option<&str>,
) -> Result<Option<Candidate>, StoreError> {
    let params = vec![text(identity.issuer), text(identity.subject), optional(email, text)];
    db.first(FIND, params, |c| {
        let account = crate::user::account(c)?;
        let known = Known {
            is_linked: c.take()?,
            role: account.rights.role,
            is_active: c.take()?,
            is_service: c.take()?,
        };
        Ok(Candidate { account, known })
    })
    .await
}

/// Links an account to a person. False: the account is linked to another person of the provider, or the person to another
/// account.
pub async fn link(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    identity: Identity<'_>,
) -> Result<bool, StoreError> {
    let params = vec![actor.setting(), id(user_id.0), text(identity.issuer), text(identity.subject)];
    Ok(db.execute(LINK, params).await? > 0)
}

/// What a provider publishes, as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// Where its parts are.
    pub configuration: String,
    /// Its keys.
    pub keys: String,
    /// When they were fetched.
    pub fetched_at: Timestamp,
    /// The database's clock, by which that was written.
    pub now: Timestamp,
}

/// What is kept of a provider.
pub async fn documents(db: &Db, issuer: &str) -> Result<Option<Documents>, StoreError> {
    db.first(DOCUMENTS, vec![text(issuer)], |c| {
        Ok(Documents { configuration: c.take()?, keys: c.take()?, fetched_at: c.take()?, now: c.take()? })
    })
    .await
}

/// Keeps what was fetched now.
pub async fn keep_documents(
    db: &Db,
    issuer: &str,
    configuration: &str,
    keys: &str,
) -> Result<(), StoreError> {
    db.execute(KEEP_DOCUMENTS, vec![text(issuer), text(configuration), text(keys)]).await.map(drop)
}
