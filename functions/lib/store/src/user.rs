//! Accounts.

use crate::{
    Actor, Db, Page, StoreError,
    statement::statements,
    value::{Columns, id, optional, page, text},
};
use pm_api::{Role, UserId, user::User};
use uuid::Uuid;

statements! {
    GET = "
        select id, created_at at time zone 'utc', updated_at at time zone 'utc', email, full_name, role,
               last_login at time zone 'utc'
        from users where id = $1 and is_active";
    LIST = "
        select id, created_at at time zone 'utc', updated_at at time zone 'utc', email, full_name, role,
               last_login at time zone 'utc', count(*) over ()
        from users order by created_at desc, id desc limit $1 offset $2";
    CREDENTIALS = "
        select id, email, role, password_hash from users where lower(email) = lower($1) and is_active";
    CREDENTIALS_BY_ID = "select id, email, role, password_hash from users where id = $1 and is_active";
    CREATE = "
        insert into users (id, email, full_name, role, password_hash)
        select $2, $3, $4, $5, $6 from (select set_config('pm.actor', $1, true)) actor
        returning id, created_at at time zone 'utc', updated_at at time zone 'utc', email, full_name, role,
                  last_login at time zone 'utc'";
    SET_NAME = "
        update users set full_name = coalesce($3, full_name)
        from (select set_config('pm.actor', $1, true)) actor where id = $2 and is_active
        returning id, created_at at time zone 'utc', updated_at at time zone 'utc', email, full_name, role,
                  last_login at time zone 'utc'";
    SET_PASSWORD = "
        with actor as (select set_config('pm.actor', $1, true)),
        ended as (
            update refresh_families set revoked_at = now(), revoked_reason = 'password changed'
            where user_id = $2 and revoked_at is null)
        update users set password_hash = $3 from actor where id = $2 and is_active";
}

/// What a login needs to know of an account.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user.
    pub user_id: UserId,
    /// Mail address as registered.
    pub email: String,
    /// Role.
    pub role: Role,
    /// bcrypt hash.
    pub password_hash: String,
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
    })
}

fn credentials(c: &mut Columns) -> Result<Credentials, StoreError> {
    Ok(Credentials { user_id: c.take()?, email: c.take()?, role: c.word()?, password_hash: c.take()? })
}

/// One active account.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, user_id: UserId) -> Result<Option<User>, StoreError> {
    db.first(GET, vec![id(user_id.0)], user).await
}

/// All accounts, newest first.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, limit: i64, offset: i64) -> Result<Page<User>, StoreError> {
    let rows = db.rows(LIST, vec![limit.into(), offset.into()], |c| Ok((user(c)?, c.take()?))).await?;
    Ok(page(rows))
}

/// Credentials of the active account with this mail address (case does not matter).
///
/// # Errors
/// Whatever the database says.
pub async fn credentials_by_email(db: &Db, email: &str) -> Result<Option<Credentials>, StoreError> {
    db.first(CREDENTIALS, vec![text(email)], credentials).await
}

/// Credentials of an active account.
///
/// # Errors
/// Whatever the database says.
pub async fn credentials_by_id(db: &Db, user_id: UserId) -> Result<Option<Credentials>, StoreError> {
    db.first(CREDENTIALS_BY_ID, vec![id(user_id.0)], credentials).await
}

/// Creates an account.
///
/// # Errors
/// Constraint `users_email_unique` if the address is taken.
pub async fn create(
    db: &Db,
    actor: &Actor,
    email: &str,
    full_name: Option<String>,
    role: Role,
    password_hash: String,
) -> Result<User, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(email),
        optional(full_name, text),
        text(role.as_str()),
        text(password_hash),
    ];
    db.one(CREATE, params, user).await
}

/// Changes the full name; `None` leaves it. `None` back: no such account.
///
/// # Errors
/// Whatever the database says.
pub async fn set_name(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    full_name: Option<String>,
) -> Result<Option<User>, StoreError> {
    db.first(SET_NAME, vec![actor.setting(), id(user_id.0), optional(full_name, text)], user).await
}

/// Sets a password and ends all logins of the account.
///
/// # Errors
/// Whatever the database says.
pub async fn set_password(
    db: &Db,
    actor: &Actor,
    user_id: UserId,
    password_hash: String,
) -> Result<bool, StoreError> {
    let params = vec![actor.doing("password_change").setting(), id(user_id.0), text(password_hash)];
    Ok(db.execute(SET_PASSWORD, params).await? > 0)
}
