//! Component `users`: one's own account.
//!
//! Deliberately absent: everything that hashes a password, and the accounts of others (component `auth`), because
//! hashing keeps an instance busy.

use pm_api::{route::op, user::User};
use pm_store::user;
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        GetMe => me,
        UpdateMe => update_me,
    };
    serve("users", request, handlers).await
}

async fn me(input: Input<op::GetMe>) -> Result<User, Refusal> {
    let user = user::get(&input.db().await?, input.identity()?.user_id).await?;
    user.filter(|user| user.is_active).ok_or(Refusal::BadToken)
}

async fn update_me(input: Input<op::UpdateMe>) -> Result<User, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    user::set_name(&db, &actor, actor.user_id, &input.body.full_name).await?.ok_or(Refusal::BadToken)
}
