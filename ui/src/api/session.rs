//! The signed-in user. Tokens are in the browser's local storage, under the keys of the documented client.

use crate::browser::{store, stored};
use leptos::prelude::*;
use pm_api::{
    Role,
    user::{TokenPair, User},
};
use pm_ui_core::route::Route;

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";

/// The signed-in user, if there is one.
#[derive(Clone, Copy)]
pub struct Session {
    /// Has this browser tokens? They may have expired.
    pub signed_in: RwSignal<bool>,
    /// The account, once it is known.
    pub user: RwSignal<Option<User>>,
    /// Did the session expire while a page was shown? Then the page stays under the form to sign in.
    pub expired: RwSignal<bool>,
}

impl Session {
    /// The session in the browser's local storage.
    #[must_use]
    pub fn restore() -> Self {
        Self {
            signed_in: RwSignal::new(stored(ACCESS).is_some()),
            user: RwSignal::new(None),
            expired: RwSignal::new(false),
        }
    }

    /// The access token.
    #[must_use]
    pub fn access_token(self) -> Option<String> {
        stored(ACCESS)
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh_token(self) -> Option<String> {
        stored(REFRESH)
    }

    /// Stores a new pair of tokens.
    pub fn keep(self, tokens: &TokenPair) {
        store(ACCESS, Some(&tokens.access_token));
        store(REFRESH, Some(&tokens.refresh_token));
        if !self.signed_in.get_untracked() {
            self.signed_in.set(true);
        }
        if self.expired.get_untracked() {
            self.expired.set(false);
        }
    }

    /// Removes the tokens, which the server no longer accepts. The user and the page stay.
    pub fn expire(self) {
        store(ACCESS, None);
        store(REFRESH, None);
        if self.user.with_untracked(Option::is_some) {
            self.expired.set(true);
        }
        self.signed_in.set(false);
    }

    /// Removes the tokens and the user.
    pub fn end(self) {
        store(ACCESS, None);
        store(REFRESH, None);
        self.user.set(None);
        self.expired.set(false);
        self.signed_in.set(false);
    }

    /// May the user use the page? Until the user is known, only pages for all roles. Reactive.
    #[must_use]
    pub fn may_see(self, page: Route) -> bool {
        page.least_role() == Role::Operator || self.may(page.least_role())
    }

    /// May the user do what `role` may? Reactive.
    #[must_use]
    pub fn may(self, role: Role) -> bool {
        self.user.with(|user| user.as_ref().is_some_and(|user| user.role >= role))
    }
}
