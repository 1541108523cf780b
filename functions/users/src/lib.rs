//! Component `users`: one's own account.
//!
//! Deliberately absent: everything that hashes a password, and the accounts of others (component `auth`), because
//! hashing keeps an instance busy.

use http::StatusCode;
use pm_auth::Op;
use pm_store::user;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("users", request, |op, call| async move {
        match op {
            Op::GetMe => me(&call).await,
            Op::UpdateMe => update_me(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn me(call: &Call) -> Outcome {
    let user = user::get(&call.db().await?, call.identity()?.user_id).await?;
    let user = user.filter(|u| u.is_active).ok_or(Refusal::BadToken)?;
    Ok(json(StatusCode::OK, &user))
}

async fn update_me(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let full_name = fields.text("full_name", 200);
    if fields.secret("password", 1).is_some() {
        fields.refuse_secret(
            "value_error",
            "password",
            "Use POST /users/change-password, which asks for the current password",
        );
    }
    fields.end()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let user = user::set_name(&db, &actor, actor.user_id, full_name).await?.ok_or(Refusal::BadToken)?;
    Ok(json(StatusCode::OK, &user))
}
