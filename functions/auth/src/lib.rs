//! Component `auth`: everything that hashes a password or issues a token, and the accounts in an administrator's hands.
//! It is a component of its own because hashing keeps an instance busy for a quarter of a second.
//!
//! Invariants: a refresh token works once (for 30 s its predecessor gets the same answer), and using an older one ends its
//! session; a wrong password and an unknown account take the same time and get the same answer; whether an account exists
//! cannot be told from a password reset's answer or its time; logins are counted before a password is hashed, by account
//! and address, and slowed down; an identity provider's word counts once, for the browser that began the sign-in; there is always an active
//! administrator. Deliberately absent: one's own profile (component `users`), custom roles themselves (`roles`).

mod account;
mod api_key;
mod device;
mod identity_provider;
mod login;
mod manage;
mod password;
mod provider_documents;
mod reset;
mod second_factor;
mod session;
mod throttled;

use pm_web::{Answer, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Login => login::login,
        ListSignInProviders => identity_provider::list,
        BeginSignIn => identity_provider::begin,
        CompleteSignIn => identity_provider::complete,
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
        InviteUser => account::invite,
        MySessions => session::mine,
        EndMySessions => session::end_mine,
        EndMySession => session::end_one_of_mine,
        UserSessions => session::of_user,
        EndUserSessions => session::end_of_user,
        EndUserSession => session::end_one_of_user,
        MyApiKeys => api_key::mine,
        CreateMyApiKey => api_key::create_mine,
        EndMyApiKey => api_key::end_mine,
        UserApiKeys => api_key::of_user,
        CreateUserApiKey => api_key::create_of_user,
        EndUserApiKey => api_key::end_of_user,
        GetSecondFactor => second_factor::get,
        BeginSecondFactor => second_factor::begin,
        ConfirmSecondFactor => second_factor::confirm,
        RemoveSecondFactor => second_factor::remove,
        RemoveUserSecondFactor => second_factor::remove_of_user,
    };
    serve("auth", request, handlers).await
}
