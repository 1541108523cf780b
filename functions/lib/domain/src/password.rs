//! Which new passwords are taken.
//!
//! `password/common.txt` holds the 4,000 commonest passwords of eight characters or more, in lower case and sorted by bytes.
//! They are the first of the list «passwords» of zxcvbn 4.4.2 (Dropbox, MIT licence), which counts leaked passwords.

use pm_api::input::Refused;

const COMMON: &str = include_str!("password/common.txt");
/// Fewest characters of a name that a password may not contain.
const MIN_NAME_CHARS: usize = 5;

/// Whose password it is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owner<'o> {
    /// Mail address.
    pub email: &'o str,
    /// Name for people.
    pub full_name: Option<&'o str>,
}

/// Is it a good new password? `min_chars` is the setting `password.min_length`.
///
/// # Errors
/// Why not, in the words of the documented API.
pub fn check(password: &str, min_chars: i64, owner: Owner<'_>) -> Result<(), Refused> {
    let chars = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
    if chars < min_chars {
        let message = format!("Password should have at least {min_chars} characters");
        return Err(Refused::new("string_too_short", message));
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return Err(Refused::new("value_error", "Password is among the commonest ones"));
    }
    if names(&lower, owner) {
        return Err(Refused::new("value_error", "Password should not be your mail address or name"));
    }
    Ok(())
}

/// Is it in the list? In lower case.
fn is_common(password: &str) -> bool {
    let (mut from, mut to) = (0, COMMON.len());
    // a binary search in the text: `from` and `to` are beginnings of lines
    while from < to {
        let middle = from + (to - from) / 2;
        let start = COMMON[..middle].rfind('\n').map_or(0, |end| end + 1);
        let line = COMMON[start..].split('\n').next().unwrap_or_default();
        match line.cmp(password) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => from = start + line.len() + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    false
}

/// Is it the owner's mail address or name, or does it contain one of them? In lower case.
fn names(password: &str, owner: Owner<'_>) -> bool {
    let email = owner.email.trim().to_lowercase();
    let local = email.split('@').next().unwrap_or_default();
    let contains = |text: &str| text.chars().count() >= MIN_NAME_CHARS && password.contains(text);
    let name = owner.full_name.unwrap_or_default().trim().to_lowercase();
    let joined: String = name.split_whitespace().collect();
    contains(&email) || contains(&name) || contains(&joined) || (!local.is_empty() && password == local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_list_is_sorted_and_each_of_its_lines_is_refused() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert_eq!(lines.len(), 4000);
        assert!(lines.is_sorted() && lines.iter().all(|line| line.chars().count() >= 8));
        for line in lines {
            for typed in [line.to_owned(), line.to_uppercase()] {
                let kind = check(&typed, 8, Owner::default()).map_err(|refused| refused.kind);
                assert_eq!(kind, Err("value_error"), "{typed}");
            }
        }
    }

    #[test]
    fn the_mail_address_and_the_name_of_the_owner_are_refused() {
        let owner = Owner { email: "Anna.Schmidt@example.com", full_name: Some("Anna Schmidt") };
        for (password, good) in [
            ("anna.schmidt", false),
            ("ANNA.SCHMIDT@example.com", false),
            ("my anna.schmidt@example.com", false),
            ("Anna Schmidt!", false),
            ("annaschmidt2026", false),
            ("banana smoothie", true),
        ] {
            assert_eq!(check(password, 8, owner).is_ok(), good, "{password}");
        }
        // an address that begins with a common word does not forbid the word
        let operator = Owner { email: "operator@example.com", full_name: None };
        assert!(check("operator and more", 8, operator).is_ok());
    }

    proptest! {
        #[test]
        fn a_password_needs_enough_characters_and_may_be_long(
            password in "[a-zä€😀 ]{0,200}",
            min_chars in 8_i64..=64,
        ) {
            prop_assume!(!is_common(&password));
            let kind = check(&password, min_chars, Owner::default()).map_err(|refused| refused.kind);
            let enough = password.chars().count() >= usize::try_from(min_chars)?;
            prop_assert_eq!(kind, if enough { Ok(()) } else { Err("string_too_short") });
        }

        #[test]
        fn what_is_not_in_the_list_is_not_found(password in "[a-z0-9]{8,12}") {
            prop_assert_eq!(is_common(&password), COMMON.lines().any(|line| line == password));
        }
    }
}
