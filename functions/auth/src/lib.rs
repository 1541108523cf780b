//! Component `auth`: everything that hashes a password or issues a token, and the accounts in an administrator's hands.
//! It is a component of its own because hashing keeps an instance busy for a quarter of a second.
//!
//! Invariants: a refresh token works once, and using an old one ends its whole login; a wrong password and an unknown
//! account take the same time and get the same answer; whether an account exists cannot be told from a password
//! reset's answer or its time; failures are throttled per account and per address; there is always an active
//! administrator. Deliberately absent: one's own profile (component `users`), custom roles themselves (`roles`).

mod account;
mod login;
mod manage;
mod password;
mod reset;
mod throttled;

use pm_auth::Op;
use pm_web::{Answer, Refusal, Request, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("auth", request, |op, call| async move {
        match op {
            Op::Login => login::login(&call).await,
            Op::Refresh => login::refresh(&call).await,
            Op::Logout => login::logout(&call).await,
            Op::ChangePassword => account::change_password(&call).await,
            Op::RequestPasswordReset => reset::request(&call).await,
            Op::ConfirmPasswordReset => reset::confirm(&call).await,
            Op::CreateUser => account::create(&call).await,
            Op::ListUsers => manage::list(&call).await,
            Op::GetUser => manage::get(&call).await,
            Op::UpdateUser => manage::update(&call).await,
            Op::DeleteUser => manage::delete(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
