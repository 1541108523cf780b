//! Statements are constants with names, so that a test can prepare them all. What several of them say is a macro here.

/// Defines statements as constants and lists them in `ALL`.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        pub(crate) const ALL: &[(&str, &str)] = &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}
pub(crate) use statements;

/// The table expression that a change joins to say who makes it: triggers write the audit log from the setting
/// `pm.actor`. Its value is parameter `$1` ([`Actor::setting`](crate::Actor::setting)), or the expression given.
macro_rules! actor {
    () => {
        actor!("$1")
    };
    ($value:expr) => {
        concat!("(select set_config('pm.actor', ", $value, ", true)) actor")
    };
}
pub(crate) use actor;

/// In a filter: the fields contain the text that a parameter gives, in any case, or the parameter is null.
macro_rules! contains_text {
    ($parameter:literal in $fields:literal) => {
        concat!(
            "(",
            $parameter,
            "::text is null or strpos(lower(concat_ws(' ', ",
            $fields,
            ")), lower(",
            $parameter,
            ")) > 0)"
        )
    };
}
pub(crate) use contains_text;
