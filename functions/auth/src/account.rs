//! Creating accounts, changing one's own password.

use crate::{
    password,
    throttled::{AttemptLimits, LOGIN_SETTINGS},
};
use pm_api::{
    Role, UserId,
    input::FieldFault,
    route::op,
    user::{Message, User},
};
use pm_domain::settings::Key;
use pm_store::{StoreError, setting, user};
use pm_web::{Input, Refusal};
use uuid::Uuid;

/// `POST /users`: for administrators; for anyone while the setting says so, and then with the lowest role.
pub(crate) async fn create(input: Input<op::CreateUser>) -> Result<User, Refusal> {
    let new = &input.body;
    let by_administrator = input.identity().is_ok_and(|i| input.route.allows(i.role, &i.permissions));
    let db = input.db().await?;
    let settings = setting::read(&db, &[Key::PasswordMinLength]).await?;
    let mut faults = Vec::from_iter(password::fault("password", &new.password, &settings));
    if let Some(role) = new.role.filter(|role| *role != Role::Operator && !by_administrator) {
        faults.push(FieldFault::new("role", "Only an administrator may give a role", role.as_str()));
    }
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
    let hash = password::hash(&new.password).await?;
    user::create(&db, &actor, user_id, new, hash).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "users_email_unique" => {
            Refusal::BadRequest("Email already registered".to_owned())
        }
        other => other.into(),
    })
}

/// `POST /users/change-password`: ends all other logins of the account.
pub(crate) async fn change_password(input: Input<op::ChangePassword>) -> Result<Message, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let keys = [LOGIN_SETTINGS.as_slice(), &[Key::PasswordMinLength]].concat();
    let settings = setting::read(&db, &keys).await?;
    password::check("new_password", &input.body.new_password, &settings)?;
    let account = user::credentials_by_id(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let limits = AttemptLimits::of_login(&input, &account.email, &settings);
    limits.check(&db).await?;
    if !password::verify(&input.body.current_password, Some(&account.password_hash)).await? {
        limits.count(&db).await?;
        return Err(Refusal::BadRequest("Current password is incorrect".to_owned()));
    }
    let hash = password::hash(&input.body.new_password).await?;
    user::set_password(&db, &actor, actor.user_id, hash).await?;
    Ok(Message { message: "Password changed successfully".to_owned() })
}
