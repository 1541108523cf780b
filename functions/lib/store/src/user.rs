//! Accounts.

use crate::{
    Actor, Db, StoreError,
    identity::Identity,
    list::{Id, Key, List, Total, lists},
    notice::notify_administrators,
    statement::{actor, contains_text, statements},
    value::{Columns, id, optional, text, texts},
};
use pm_api::{
    Role, UserId,
    input::{Patch, Text},
    list::{ListQuery, Page},
    sort::UserSort,
    user::{NewUser, User, UserChange, UserFilter},
};
use spin_sdk::pg::ParameterValue;

/// The columns that [`user`] reads, of an account `u`.
macro_rules! columns {
    () => {
        "u.id, u.created_at at time zone 'utc', u.updated_at at time zone 'utc', u.email, u.full_name, u.role,
         u.last_login at time zone 'utc', u.is_active,
         array(select r.name from user_roles h join roles r on r.id = h.role_id where h.user_id = u.id order by 1),
         u.is_service, exists (select from user_totp t where t.user_id = u.id and t.confirmed_at is not null)"
    };
}

lists! {
    LIST: UserSort = List {
        columns: columns!(),
        rows: concat!("
            from users u
            where ($1::text is null or u.role = $1) and ($2::bool is null or u.is_active = $2)
              and ", contains_text!("$3" in "u.email, u.full_name")),
        id: Id::Uuid("u.id"),
        key: |sort| match sort {
            UserSort::CreatedAt => Key::Time("u.created_at"),
            UserSort::UpdatedAt => Key::Time("u.updated_at"),
            UserSort::Email => Key::Text("u.email"),
            UserSort::FullName => Key::Text("coalesce(u.full_name, '')"),
            UserSort::Role => Key::Rank("u.role", Role::WORDS.to_vec()),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from users u where u.id = $1");
    CREDENTIALS = "
        select u.id, u.email, u.role, array(
                   select distinct p from user_roles h join roles r on r.id = h.role_id, unnest(r.permissions) p
                   where h.user_id = u.id),
               u.full_name, u.password_hash,
               exists (select from user_totp t where t.user_id = u.id and t.confirmed_at is not null)
        from users u where (lower(u.email) = lower($1) or u.id = $2) and u.is_active";
    CREATE = concat!("
        with account as (
            insert into users (id, email, full_name, role, password_hash, password_change_required, is_service)
            select $2, $3, $4, $5, $6, $7, $8 from ", actor!(), "
            returning id, created_at, updated_at, email, full_name, role, last_login, is_active, is_service),
        identity as (
            insert into user_identities (issuer, subject, user_id) select $9, $10, id from account where $9::text is not null),
        notified as (", notify_administrators!(
            "'warning'", "account.email || ' is a new administrator'", "from account"), " and account.role = 'admin')
        select id, created_at at time zone 'utc', updated_at at time zone 'utc', email, full_name, role,
               last_login at time zone 'utc', is_active, '{}'::text[], is_service, false
        from account");
    SET_NAME = concat!("
        update users u set full_name = case when $3 then $4 else full_name end
        from ", actor!(), " where id = $2 and is_active
        returning ", columns!());
    SET_PASSWORD = concat!("
        with ended as (
            update refresh_families set revoked_at = now(), revoked_reason = 'password changed'
            where user_id = $2 and revoked_at is null),
        spent as (update password_resets set used_at = now() where user_id = $2 and used_at is null)
        update users set password_hash = $3, password_change_required = false from ", actor!(), "
        where id = $2 and is_active");
    CHANGE = concat!("
        with was as (select role from users where id = $2),
        account as (
            update users set
                full_name = case when $3 then $4 else full_name end,
                role = coalesce($5, role),
                is_active = coalesce($6, is_active),
                password_hash = coalesce($7, password_hash),
                password_change_required = password_change_required or $7::text is not null
            from ", actor!(), " where id = $2 returning id, email, role),
        ended as (
            update refresh_families set revoked_at = now(), revoked_reason = 'account changed'
            from was
            where user_id = $2 and revoked_at is null and ($6 = false or $7::text is not null or $5::text <> was.role)),
        notified as (", notify_administrators!(
            "'warning'", "account.email || ' is a new administrator'", "from account join was on was.role <> 'admin'"), "
            and account.role = 'admin'),
        spent as (
            update password_resets set used_at = now()
            where user_id = $2 and used_at is null and ($6 = false or $7::text is not null)),
        wanted as (
            select r.id from roles r
            where not r.is_system and lower(r.name) in (select lower(n) from unnest($8::text[]) n)),
        lost as (
            delete from user_roles h using account
            where h.user_id = account.id and $8::text[] is not null and h.role_id not in (select id from wanted)),
        gained as (
            insert into user_roles (user_id, role_id)
            select account.id, wanted.id from account, wanted on conflict do nothing)
        select id from account");
    DELETE = concat!("delete from users using ", actor!(), " where id = $2");
}

/// An account as its tokens name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user_id: UserId,
    /// Mail address as registered.
    pub email: String,
    /// What it may do.
    pub rights: AccessRights,
}

/// What a login needs to know of an account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account.
    pub account: Account,
    /// Name for people.
    pub full_name: Option<String>,
    /// bcrypt hash; none for an invited account that has no password yet, and for an account of programs.
    pub password_hash: Option<String>,
    /// Does it ask for a second factor?
    pub second_factor: bool,
}

/// What an account may do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRights {
    /// Built-in role.
    pub role: Role,
    /// What its custom roles permit besides.
    pub permissions: Vec<String>,
}

fn user(c: &mut Columns) -> Result<User, StoreError> {
    Ok(User {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        email: c.take()?,
        full_name: c.take()?,
        role: c.word()?,
        last_login: c.take()?,
        is_active: c.take()?,
        custom_roles: c.take()?,
        is_service: c.take()?,
        second_factor: c.take()?,
    })
}

pub(crate) fn access_rights(c: &mut Columns) -> Result<AccessRights, StoreError> {
    Ok(AccessRights { role: c.word()?, permissions: c.take()? })
}

pub(crate) fn account(c: &mut Columns) -> Result<Account, StoreError> {
    Ok(Account { user_id: c.take()?, email: c.take()?, rights: access_rights(c)? })
}

fn credentials(c: &mut Columns) -> Result<Credentials, StoreError> {
    Ok(Credentials {
        account: account(c)?,
        full_name: c.take()?,
        password_hash: c.take()?,
        second_factor: c.take()?,
    })
}

/// One account, active or not.
pub async fn get(db: &Db, user_id: UserId) -> Result<Option<User>, StoreError> {
    db.first(GET, vec![id(user_id.0)], user).await
}

/// A page of the accounts.
pub async fn list(
    db: &Db,
    filter: &UserFilter,
    query: &ListQuery<UserSort>,
) -> Result<Page<User>, StoreError> {
    let filter = vec![
        optional(filter.role, |r| text(r.as_str())),
        optional(filter.is_active, |flag| flag.0.into()),
        optional(filter.q.as_deref(), text),
    ];
    LIST.page(db, query, filter, user).await
}

/// Credentials of the active account with this mail address (as the database compares them: case does not matter).
pub async fn credentials_by_email(db: &Db, email: &str) -> Result<Option<Credentials>, StoreError> {
    db.first(CREDENTIALS, vec![text(email), ParameterValue::DbNull], credentials).await
}

/// Credentials of an active account.
pub async fn credentials_by_id(db: &Db, user_id: UserId) -> Result<Option<Credentials>, StoreError> {
    db.first(CREDENTIALS, vec![ParameterValue::DbNull, id(user_id.0)], credentials).await
}

/// How the first password of a new account comes about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstPassword {
    /// Its person has chosen it; this is its bcrypt hash.
    Chosen(String),
    /// Somebody else has chosen it; this is its bcrypt hash.
    Given(String),
    /// Its person chooses it by a mailed link, or, for an account of programs, there is none.
    None,
}

/// Creates an account under a new id; an operator's unless `new` names another role. An `identity` is linked to it. The
/// administrators are notified of a new administrator.
///
/// # Errors
/// Constraint `users_email_unique` if the address is taken.
pub async fn create(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    new: &NewUser,
    password: FirstPassword,
    identity: Option<Identity<'_>>,
) -> Result<User, StoreError> {
    let given = matches!(password, FirstPassword::Given(_));
    let password_hash = match password {
        FirstPassword::Chosen(hash) | FirstPassword::Given(hash) => Some(hash),
        FirstPassword::None => None,
    };
    let params = vec![
        actor.setting(),
        id(user_id.0),
        text(&*new.email),
        optional(new.full_name.as_deref(), text),
        text(new.role.unwrap_or(Role::Operator).as_str()),
        optional(password_hash, text),
        given.into(),
        new.is_service.is_some_and(|flag| flag.0).into(),
        optional(identity, |identity| text(identity.issuer)),
        optional(identity, |identity| text(identity.subject)),
    ];
    db.one(CREATE, params, user).await
}

/// Changes the full name. `None`: there is no such active account.
pub async fn set_name(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    full_name: &Patch<Text<0, 200>>,
) -> Result<Option<User>, StoreError> {
    let params = vec![
        actor.setting(),
        id(user_id.0),
        (!full_name.is_absent()).into(),
        optional(full_name.given(), |name| text(&**name)),
    ];
    db.first(SET_NAME, params, user).await
}

/// Sets a password and ends all logins of the account.
pub async fn set_password(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    password_hash: String,
) -> Result<bool, StoreError> {
    let params = vec![actor.doing("password_change").setting(), id(user_id.0), text(password_hash)];
    Ok(db.execute(SET_PASSWORD, params).await? > 0)
}

/// Changes an account; `password_hash` is the bcrypt hash of the new password, if there is one. Unknown custom roles are
/// left out. False: there is no such account.
///
/// # Errors
/// Constraint `users_last_admin` if no active administrator would be left.
pub async fn change(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    change: &UserChange,
    password_hash: Option<String>,
) -> Result<bool, StoreError> {
    let params = vec![
        actor.setting(),
        id(user_id.0),
        (!change.full_name.is_absent()).into(),
        optional(change.full_name.given(), |name| text(&**name)),
        optional(change.role, |r| text(r.as_str())),
        optional(change.is_active, Into::into),
        optional(password_hash, text),
        optional(change.custom_roles.as_ref(), |names| texts(names.iter().map(|name| &**name))),
    ];
    Ok(db.first(CHANGE, params, |c| c.take::<UserId>()).await?.is_some())
}

/// Deletes an account with its logins. False: there is none.
///
/// # Errors
/// Constraint `users_last_admin` if no active administrator would be left; another constraint if something that must
/// keep its author was written by it.
pub async fn delete(db: &Db, actor: &Actor, user_id: UserId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(user_id.0)]).await? > 0)
}
