//! Listing and creating accounts, changing passwords.

use crate::password;
use http::StatusCode;
use pm_api::Role;
use pm_store::{StoreError, user};
use pm_web::{Call, Outcome, Refusal, json, json_with_total};

/// `POST /users`, for administrators.
pub(crate) async fn create(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let email = fields.required_text("email", 320).trim().to_owned();
    let name_and_host = email.split_once('@');
    let plausible = name_and_host.is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    }) && !email.contains(char::is_whitespace);
    if !email.is_empty() && !plausible {
        fields.refuse("value_error", "email", "value is not a valid email address");
    }
    let full_name = fields.text("full_name", 200).flatten();
    let role = fields.word("role").unwrap_or(Role::Operator);
    let password = password::new(&mut fields, "password");
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let hash = password::hash(&password).await?;
    match user::create(&db, &actor, &email, full_name, role, hash).await {
        Ok(user) => Ok(json(StatusCode::CREATED, &user)),
        Err(StoreError::Constraint(name)) if name == "users_email_unique" => {
            Err(Refusal::BadRequest("Email already registered".to_owned()))
        }
        Err(other) => Err(other.into()),
    }
}

/// `POST /users/change-password`: ends all other logins of the account.
pub(crate) async fn change_password(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let current = fields.required_text("current_password", 1000);
    let new = password::new(&mut fields, "new_password");
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let account = user::credentials_by_id(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    if !password::verify(&current, Some(&account.password_hash)).await? {
        return Err(Refusal::BadRequest("Current password is incorrect".to_owned()));
    }
    let hash = password::hash(&new).await?;
    user::set_password(&db, &actor, actor.user_id, hash).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "message": "Password changed successfully" })))
}

/// `GET /users`, for administrators.
pub(crate) async fn list(call: &Call) -> Outcome {
    let limit = call.query.integer("limit", 1000, 1, 1000)?;
    let offset = call.query.integer("offset", 0, 0, i64::MAX)?;
    let page = user::list(&call.db().await?, limit, offset).await?;
    Ok(json_with_total(&page.items, page.total))
}
