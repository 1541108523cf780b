//! The signed-in user. Tokens are in the browser's local storage, under the keys of the documented client; all pages of
//! this browser share them, and each page follows what another one does with them.

use crate::browser::{store, stored};
use leptos::{ev, prelude::*};
use pm_api::{
    Role,
    user::{TokenPair, User},
};
use pm_ui_core::route::Route;

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
/// How the last session of this browser ended: [`SIGNED_OUT`] or [`EXPIRED`].
const SESSION_END: &str = "session_end";
const SIGNED_OUT: &str = "signed_out";
const EXPIRED: &str = "expired";

/// The signed-in user, if there is one.
#[derive(Clone, Copy)]
pub struct Session {
    /// Has this browser tokens? They may have expired.
    pub signed_in: RwSignal<bool>,
    /// The account, once it is known.
    pub user: RwSignal<Option<User>>,
    /// Did the session expire while a page was shown? Then the page stays under the form to sign in.
    pub expired: RwSignal<bool>,
    /// What the user has to do on the page of the profile before the account can be used.
    pub action_required: RwSignal<Option<String>>,
}

impl Session {
    /// The session in the browser's local storage.
    #[must_use]
    pub fn restore() -> Self {
        let session = Self {
            signed_in: RwSignal::new(stored(ACCESS).is_some()),
            user: RwSignal::new(None),
            expired: RwSignal::new(false),
            action_required: RwSignal::new(None),
        };
        window_event_listener(ev::storage, move |event| {
            // without a key the whole storage was cleared
            if event.key().is_none_or(|key| key == ACCESS) {
                session.follow();
            }
        });
        session
    }

    /// Takes over what another page of this browser did: a sign-in, a sign-out, the end of the session.
    fn follow(self) {
        let has_tokens = stored(ACCESS).is_some();
        match (has_tokens, self.signed_in.get_untracked()) {
            (true, false) => self.begin(),
            (false, true) if stored(SESSION_END).as_deref() == Some(EXPIRED) => self.leave_page_open(),
            (false, true) => self.leave(),
            _ => {}
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
        store(REFRESH, Some(&tokens.refresh_token));
        store(ACCESS, Some(&tokens.access_token));
        self.begin();
    }

    /// Removes the tokens, which the server no longer accepts. The user and the page stay.
    pub fn expire(self) {
        remove_tokens(EXPIRED);
        self.leave_page_open();
    }

    /// Removes the tokens and the user.
    pub fn end(self) {
        remove_tokens(SIGNED_OUT);
        self.leave();
    }

    fn begin(self) {
        if !self.signed_in.get_untracked() {
            self.signed_in.set(true);
        }
        if self.expired.get_untracked() {
            self.expired.set(false);
        }
    }

    fn leave_page_open(self) {
        if self.user.with_untracked(Option::is_some) {
            self.expired.set(true);
        }
        self.signed_in.set(false);
    }

    fn leave(self) {
        self.action_required.set(None);
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

/// The access token goes last: the other pages follow when it goes.
fn remove_tokens(end: &str) {
    store(SESSION_END, Some(end));
    store(REFRESH, None);
    store(ACCESS, None);
}
