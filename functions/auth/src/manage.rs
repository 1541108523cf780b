//! Accounts in an administrator's hands.

use crate::password;
use http::StatusCode;
use pm_api::{UserId, sort::UserSort};
use pm_domain::settings::Key;
use pm_store::{StoreError, role, setting, user};
use pm_web::{Call, Outcome, Refusal, empty, json, json_page};

/// `GET /users`; filters: `role`, `is_active`, `q` (in address or name).
pub(crate) async fn list(call: &Call) -> Outcome {
    let filter = user::Filter {
        role: call.query.word("role")?,
        is_active: call.query.boolean("is_active")?,
        search: call.query.search()?,
    };
    let query = call.query.list::<UserSort>(1000)?;
    Ok(json_page(&user::list(&call.db().await?, &filter, &query).await?))
}

/// `GET /users/{user_id}`.
pub(crate) async fn get(call: &Call) -> Outcome {
    let id: UserId = call.id("user_id")?;
    let user = user::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &user))
}

/// `PATCH /users/{user_id}`: a new password, or making it inactive, ends the account's logins.
pub(crate) async fn update(call: &Call) -> Outcome {
    let id: UserId = call.id("user_id")?;
    let mut fields = call.fields()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let settings = setting::read(&db, &[Key::PasswordMinLength]).await?;
    let mut change = user::UserChange {
        full_name: fields.text("full_name", 200),
        role: fields.word("role"),
        is_active: fields.boolean("is_active"),
        password_hash: None,
        custom_roles: fields.texts("custom_roles", 64),
    };
    if let Some(names) = &change.custom_roles {
        let unknown = role::unknown(&db, names).await?;
        if !unknown.is_empty() {
            let why = format!("There is no custom role named '{}'", unknown.join("', '"));
            fields.refuse("value_error", "custom_roles", why);
        }
    }
    let password = password::optional(&mut fields, "password", &settings);
    fields.end()?;
    let actor = if let Some(password) = password {
        change.password_hash = Some(password::hash(&password).await?);
        actor.doing("password_set")
    } else {
        actor
    };
    if !user::change(&db, &actor, id, change).await.map_err(refuse_last_admin)? {
        return Err(Refusal::NotFound);
    }
    let user = user::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &user))
}

/// `DELETE /users/{user_id}`.
pub(crate) async fn delete(call: &Call) -> Outcome {
    let id: UserId = call.id("user_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    match user::delete(&db, &actor, id).await.map_err(refuse_last_admin) {
        Ok(true) => Ok(empty(StatusCode::NO_CONTENT)),
        Ok(false) => Err(Refusal::NotFound),
        Err(refusal) => Err(refusal),
    }
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
