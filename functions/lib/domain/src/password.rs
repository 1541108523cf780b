//! Which new passwords are taken.

use pm_api::{input::Refused, user::MAX_PASSWORD_BYTES};

/// Is it a good new password? `min_chars` is the setting `password.min_length`.
///
/// # Errors
/// Why not, in the words of the documented API.
pub fn check(password: &str, min_chars: i64) -> Result<(), Refused> {
    let chars = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
    if chars < min_chars {
        let message = format!("Password should have at least {min_chars} characters");
        Err(Refused::new("string_too_short", message))
    } else if password.len() > MAX_PASSWORD_BYTES {
        let message = format!("Password should have at most {MAX_PASSWORD_BYTES} bytes");
        Err(Refused::new("string_too_long", message))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_password_needs_enough_characters_and_fits_bcrypt(
            password in "[a-zä€😀 ]{0,80}",
            min_chars in 8_i64..=64,
        ) {
            let kind = check(&password, min_chars).map_err(|refused| refused.kind);
            let enough = password.chars().count() >= usize::try_from(min_chars)?;
            let fits = password.len() <= MAX_PASSWORD_BYTES;
            let expected = if !enough { Err("string_too_short") } else if !fits { Err("string_too_long") } else { Ok(()) };
            prop_assert_eq!(kind, expected);
        }
    }
}
