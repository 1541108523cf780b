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

use pm_web::{Answer, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Login => login::login,
        Refresh => login::refresh,
        Logout => login::logout,
        ChangePassword => account::change_password,
        RequestPasswordReset => reset::request,
        ConfirmPasswordReset => reset::confirm,
        CreateUser => account::create,
        ListUsers => manage::list,
        GetUser => manage::get,
        UpdateUser => manage::update,
        DeleteUser => manage::delete,
    };
    serve("auth", request, handlers).await
}
