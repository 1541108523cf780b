//! Who is signed in. Tokens are kept where the documented client keeps them.

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
    /// Did the session end by itself, while somebody was at work? Then the page stays under the form to sign in.
    pub expired: RwSignal<bool>,
}

impl Session {
    /// The session kept in this browser.
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

    /// Keeps a new pair of tokens.
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

    /// Forgets the tokens: the server takes them no more. The user and the page stay.
    pub fn expire(self) {
        store(ACCESS, None);
        store(REFRESH, None);
        if self.user.with_untracked(Option::is_some) {
            self.expired.set(true);
        }
        self.signed_in.set(false);
    }

    /// Forgets the tokens and the user.
    pub fn end(self) {
        store(ACCESS, None);
        store(REFRESH, None);
        self.user.set(None);
        self.expired.set(false);
        self.signed_in.set(false);
    }

    /// May the user use the page? While nobody knows yet who it is, what everybody may. Reactive.
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
