//! Creating accounts, one's own password.

use crate::{
    password, reset,
    throttled::{AttemptLimits, LOGIN_SETTINGS, LoginAttempt},
};
use pm_api::{
    Role, UserId,
    input::{FieldFault, Refused},
    route::op,
    user::{Message, NewUser, User},
};
use pm_domain::{
    password::Owner,
    settings::{Key, Values},
};
use pm_store::{
    Actor, Db, StoreError, audit, setting,
    user::{self, Credentials, FirstPassword},
};
use pm_web::{Call, Input, Refusal};
use serde_json::Value;
use uuid::Uuid;

/// `POST /users`: for administrators; for anyone while the setting says so, and then with the lowest role.
pub(crate) async fn create(input: Input<op::CreateUser>) -> Result<User, Refusal> {
    let new = &input.body;
    let by_administrator = input.identity().is_ok_and(|i| input.route.allows(i.role, &i.permissions));
    let db = input.db().await?;
    let settings = setting::read(&db, &[Key::PasswordMinLength]).await?;
    let faults = faults(new, by_administrator, &settings);
    if !faults.is_empty() {
        return Err(Refusal::in_body(faults));
    }
    let user_id = UserId(Uuid::now_v7());
    let actor = if by_administrator {
        input.actor(&db).await?
    } else {
        let limits = AttemptLimits::of_registration(&input);
        limits.check(&db).await?;
        limits.count(&db).await?;
        input.origin().actor(user_id).doing("register")
    };
    let password = match &new.password {
        Some(password) if by_administrator => FirstPassword::Given(password::hash(password).await?),
        Some(password) => FirstPassword::Chosen(password::hash(password).await?),
        None => FirstPassword::None,
    };
    let created =
        user::create(&db, &actor, user_id, new, password, None).await.map_err(|error| match error {
            StoreError::Constraint(name) if name == "users_email_unique" => {
                Refusal::BadRequest("Email already registered".to_owned())
            }
            other => other.into(),
        })?;
    if new.password.is_none() && !created.is_service {
        reset::invite(&db, &actor, user_id).await?;
    }
    Ok(created)
}

/// What is wrong with a new account besides its single fields.
fn faults(new: &NewUser, by_administrator: bool, settings: &Values) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let is_service = new.is_service.is_some_and(|flag| flag.0);
    let owner = Owner { email: &new.email, full_name: new.full_name.as_deref() };
    match &new.password {
        Some(_) if is_service => {
            let why = "An account of programs has API keys and no password";
            faults.push(FieldFault::new("password", why, Value::Null));
        }
        Some(password) => faults.extend(password::fault("password", password, owner, settings)),
        None if by_administrator => {}
        None => {
            let refused = Refused::new("missing", "Field required");
            faults.push(FieldFault { field: "password", refused, input: Value::Null });
        }
    }
    if let Some(role) = new.role.filter(|role| *role != Role::Operator && !by_administrator) {
        faults.push(FieldFault::new("role", "Only an administrator may give a role", role.as_str()));
    }
    if is_service && !by_administrator {
        let why = "Only an administrator may create an account of programs";
        faults.push(FieldFault::new("is_service", why, true));
    }
    faults
}

/// `POST /users/{user_id}/invitation`.
pub(crate) async fn invite(input: Input<op::InviteUser>) -> Result<(), Refusal> {
    let user_id: UserId = input.id("user_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    user::get(&db, user_id).await?.ok_or(Refusal::NotFound)?;
    if reset::invite(&db, &actor, user_id).await? {
        Ok(())
    } else {
        Err(Refusal::Conflict(
            "Only an active account of a person without password can be invited".to_owned(),
        ))
    }
}

/// `POST /users/change-password`: ends all sessions of the account.
pub(crate) async fn change_password(input: Input<op::ChangePassword>) -> Result<Message, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let keys = [LOGIN_SETTINGS.as_slice(), &[Key::PasswordMinLength]].concat();
    let settings = setting::read(&db, &keys).await?;
    let (current, new) = (&input.body.current_password, &input.body.new_password);
    let own = user::credentials_by_id(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let owner = Owner { email: &own.account.email, full_name: own.full_name.as_deref() };
    password::check("new_password", new, owner, &settings)?;
    confirm_password(&input, &db, &actor, current, &settings).await?;
    if **current == **new {
        let why = "The new password is the one until now";
        return Err(Refusal::in_body(vec![FieldFault::new("new_password", why, Value::Null)]));
    }
    let hash = password::hash(new).await?;
    user::set_password(&db, &actor, actor.user_id, hash).await?;
    Ok(Message { message: "Password changed successfully".to_owned() })
}

/// Refuses unless this is the actor's password; gives the account. Needs the settings of logins.
pub(crate) async fn confirm_password(
    call: &Call,
    db: &Db,
    actor: &Actor,
    given: &str,
    settings: &Values,
) -> Result<Credentials, Refusal> {
    let own = user::credentials_by_id(db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let attempt = LoginAttempt::of_confirmation(actor.user_id, settings);
    attempt.wait(call, db, Some(actor.user_id)).await?;
    if password::verify(given, own.password_hash.as_deref()).await? {
        attempt.succeeded(db).await?;
        return Ok(own);
    }
    let wrong = audit::Event {
        action: "password_check_failed",
        resource_type: "user",
        resource_id: Some(actor.user_id.to_string()),
        details: Some("A wrong current password was given".to_owned()),
    };
    audit::record(db, actor, wrong).await?;
    Err(Refusal::BadRequest("Current password is incorrect".to_owned()))
}
