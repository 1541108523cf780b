//! What a person has to do before an account can be used.

use crate::settings::{Key, Values};
use pm_api::Role;

/// What has to be done first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// The password was chosen by somebody else.
    ChangePassword,
    /// The role asks for a second factor, and the account has none.
    SetUpSecondFactor,
}

impl Restriction {
    /// The word for it on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChangePassword => "change_password",
            Self::SetUpSecondFactor => "set_up_second_factor",
        }
    }

    /// What to do, for the caller of a route that is closed until then.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::ChangePassword => "Choose a password of your own first (POST /users/change-password)",
            Self::SetUpSecondFactor => "Set up a second factor first (POST /users/me/second-factor)",
        }
    }
}

/// What the account knows of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountState {
    /// Its built-in role.
    pub role: Role,
    /// Was its password chosen by somebody else?
    pub password_change_required: bool,
    /// Does it have a second factor, or has its person signed in by an identity provider, whose matter that is then?
    pub second_factor: bool,
}

/// What has to be done first, if anything. Needs the settings `login.second_factor` and `password.change_first`.
#[must_use]
pub fn restriction(account: AccountState, settings: &Values) -> Option<Restriction> {
    if account.password_change_required && settings.boolean(Key::PasswordChangeFirst) {
        Some(Restriction::ChangePassword)
    } else if !account.second_factor && second_factor_required(account.role, settings) {
        Some(Restriction::SetUpSecondFactor)
    } else {
        None
    }
}

/// Must an account of this role have a second factor? Needs the setting `login.second_factor`: the lowest role that must.
#[must_use]
pub fn second_factor_required(role: Role, settings: &Values) -> bool {
    settings.text(Key::LoginSecondFactor).parse::<Role>().is_ok_and(|lowest| role >= lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_say_what_has_to_be_done_first() {
        let settings = |change_first: &str, lowest: &str| {
            let pair = |key: Key, value: &str| (key.definition().key.to_owned(), Some(value.to_owned()));
            Values::new([pair(Key::PasswordChangeFirst, change_first), pair(Key::LoginSecondFactor, lowest)])
        };
        let account = |role, password_change_required, second_factor| AccountState {
            role,
            password_change_required,
            second_factor,
        };
        let (password, factor) = (Some(Restriction::ChangePassword), Some(Restriction::SetUpSecondFactor));
        for (account, change_first, lowest, expected) in [
            (account(Role::Admin, false, false), "true", "optional", None),
            (account(Role::Admin, true, false), "true", "optional", password),
            (account(Role::Admin, true, false), "false", "optional", None),
            (account(Role::Admin, true, false), "true", "admin", password),
            (account(Role::Admin, false, false), "true", "admin", factor),
            (account(Role::Admin, false, true), "true", "admin", None),
            (account(Role::Engineer, false, false), "true", "admin", None),
            (account(Role::Engineer, false, false), "true", "viewer", factor),
            (account(Role::Operator, false, false), "true", "operator", factor),
        ] {
            assert_eq!(
                restriction(account, &settings(change_first, lowest)),
                expected,
                "{account:?} {lowest}"
            );
        }
    }
}
