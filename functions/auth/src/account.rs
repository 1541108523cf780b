//! Creating accounts, changing one's password.

use crate::{
    password,
    throttled::{LOGIN_SETTINGS, Tries},
};
use http::StatusCode;
use pm_api::{Role, UserId, user::Message};
use pm_domain::{address, settings::Key};
use pm_store::{Actor, Db, StoreError, setting, user};
use pm_web::{Call, Outcome, Refusal, json};
use uuid::Uuid;

/// `POST /users`: for administrators; for anybody while the setting says so, and then with the lowest role.
pub(crate) async fn create(call: &Call) -> Outcome {
    let db = call.db().await?;
    let settings = setting::read(&db, &[Key::RegistrationPolicy, Key::PasswordMinLength]).await?;
    let user_id = UserId(Uuid::now_v7());
    let author = author(call, &db, settings.text(Key::RegistrationPolicy) == "open").await?;

    let mut fields = call.fields()?;
    let email = fields.required_text("email", 1000).trim().to_owned();
    if let Some(why) = address::mail(&email).err().filter(|_| !email.is_empty()) {
        fields.refuse("value_error", "email", format!("value is not a valid email address: {why}"));
    }
    let full_name = fields.text("full_name", 200).flatten();
    let role = fields.word("role").unwrap_or(Role::Operator);
    if author.is_none() && role != Role::Operator {
        fields.refuse("value_error", "role", "Only an administrator may give a role");
    }
    let password = password::required(&mut fields, "password", &settings);
    fields.end()?;
    let actor = match author {
        Some(actor) => actor,
        None => {
            let tries = Tries::of_registration(call);
            tries.check(&db).await?;
            tries.count(&db).await?;
            call.origin().actor(user_id).doing("register")
        }
    };
    let hash = password::hash(&password).await?;
    match user::create(&db, &actor, user_id, &email, full_name, role, hash).await {
        Ok(user) => Ok(json(StatusCode::CREATED, &user)),
        Err(StoreError::Constraint(name)) if name == "users_email_unique" => {
            Err(Refusal::BadRequest("Email already registered".to_owned()))
        }
        Err(other) => Err(other.into()),
    }
}

/// The administrator who creates an account; nobody if it is a registration.
async fn author(call: &Call, db: &Db, open: bool) -> Result<Option<Actor>, Refusal> {
    let may_create = call.identity().is_ok_and(|i| call.route.allows(i.role, &i.permissions));
    if open && !may_create { Ok(None) } else { call.actor(db).await.map(Some) }
}

/// `POST /users/change-password`: ends all other logins of the account.
pub(crate) async fn change_password(call: &Call) -> Outcome {
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let keys = [LOGIN_SETTINGS.as_slice(), &[Key::PasswordMinLength]].concat();
    let settings = setting::read(&db, &keys).await?;
    let mut fields = call.fields()?;
    let current = fields.required_secret("current_password", 1000);
    let new = password::required(&mut fields, "new_password", &settings);
    fields.end()?;
    let account = user::credentials_by_id(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let tries = Tries::of_login(call, &account.email, &settings);
    tries.check(&db).await?;
    if !password::verify(&current, Some(&account.password_hash)).await? {
        tries.count(&db).await?;
        return Err(Refusal::BadRequest("Current password is incorrect".to_owned()));
    }
    let hash = password::hash(&new).await?;
    user::set_password(&db, &actor, actor.user_id, hash).await?;
    Ok(json(StatusCode::OK, &Message { message: "Password changed successfully".to_owned() }))
}
