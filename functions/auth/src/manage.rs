//! Accounts in an administrator's hands.

use crate::password;
use pm_api::{UserId, input::FieldFault, list::Page, route::op, user::User};
use pm_domain::{password::Owner, settings::Key};
use pm_store::{StoreError, role, setting, user};
use pm_web::{Input, Refusal};
use serde_json::json;

/// `GET /users`.
pub(crate) async fn list(input: Input<op::ListUsers>) -> Result<Page<User>, Refusal> {
    Ok(user::list(&input.db().await?, &input.query, &input.page).await?)
}

/// `GET /users/{user_id}`.
pub(crate) async fn get(input: Input<op::GetUser>) -> Result<User, Refusal> {
    let id: UserId = input.id("user_id")?;
    user::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

/// `PATCH /users/{user_id}`: a new password, another role, or making it inactive ends the account's sessions.
pub(crate) async fn update(input: Input<op::UpdateUser>) -> Result<User, Refusal> {
    let id: UserId = input.id("user_id")?;
    let change = &input.body;
    let db = input.db().await?;
    let mut actor = input.actor(&db).await?;
    let mut faults = Vec::new();
    if let Some(names) = &change.custom_roles {
        let unknown = role::unknown(&db, names.iter().map(|name| &**name)).await?;
        if !unknown.is_empty() {
            let why = format!("There is no custom role named '{}'", unknown.join("', '"));
            faults.push(FieldFault::new("custom_roles", why, json!(names)));
        }
    }
    if let Some(password) = &change.password {
        let settings = setting::read(&db, &[Key::PasswordMinLength]).await?;
        let known = user::get(&db, id).await?.ok_or(Refusal::NotFound)?;
        if known.is_service {
            let why = "An account of programs has API keys and no password";
            faults.push(FieldFault::new("password", why, serde_json::Value::Null));
        }
        let owner = Owner { email: &known.email, full_name: known.full_name.as_deref() };
        faults.extend(password::fault("password", password, owner, &settings));
    }
    if !faults.is_empty() {
        return Err(Refusal::in_body(faults));
    }
    let mut password_hash = None;
    if let Some(password) = &change.password {
        password_hash = Some(password::hash(password).await?);
        actor = actor.doing("password_set");
    }
    if !user::change(&db, &actor, id, change, password_hash).await.map_err(refuse_last_admin)? {
        return Err(Refusal::NotFound);
    }
    user::get(&db, id).await?.ok_or(Refusal::NotFound)
}

/// `DELETE /users/{user_id}`.
pub(crate) async fn delete(input: Input<op::DeleteUser>) -> Result<(), Refusal> {
    let id: UserId = input.id("user_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = user::delete(&db, &actor, id).await.map_err(refuse_last_admin)?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

fn refuse_last_admin(error: StoreError) -> Refusal {
    match error {
        StoreError::Constraint(name) if name == "users_last_admin" => {
            Refusal::BadRequest("The last active administrator must stay one".to_owned())
        }
        StoreError::Constraint(name) if name.ends_with("_user_id_fkey") => Refusal::Conflict(
            "Something that keeps its author was written with this account; make it inactive instead"
                .to_owned(),
        ),
        other => other.into(),
    }
}
