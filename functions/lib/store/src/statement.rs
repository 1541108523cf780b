//! Statements are constants with names, so that a test can prepare them all.

/// Defines statements as constants and lists them in `ALL`.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        pub(crate) const ALL: &[(&str, &str)] = &[$((concat!(module_path!(), "::", stringify!($name)), $name)),*];
    };
}
pub(crate) use statements;

/// Every statement of this crate with its name.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str)> {
    [
        crate::alarm::ALL,
        crate::audit::ALL,
        crate::alarm_change::ALL,
        crate::alarm_engine::ALL,
        crate::attachment::ALL,
        crate::comment::ALL,
        crate::dashboard::ALL,
        crate::dead_letter::ALL,
        crate::deletion::ALL,
        crate::delivery::ALL,
        crate::event::ALL,
        crate::health::ALL,
        crate::housekeeping::ALL,
        crate::ingest::ALL,
        crate::job::ALL,
        crate::machine::ALL,
        crate::mail::ALL,
        crate::metrics::ALL,
        crate::notice::ALL,
        crate::password_reset::ALL,
        crate::model::ALL,
        crate::prediction::ALL,
        crate::rate::ALL,
        crate::reading::ALL,
        crate::reading_export::ALL,
        crate::reset::ALL,
        crate::remaining_life::ALL,
        crate::role::ALL,
        crate::report::ALL,
        crate::report_content::ALL,
        crate::report_schedule::ALL,
        crate::rollup::ALL,
        crate::scoring::ALL,
        crate::sensor::ALL,
        crate::session::ALL,
        crate::setting::ALL,
        crate::shadow::ALL,
        crate::throttle::ALL,
        crate::ticket::ALL,
        crate::trend::ALL,
        crate::user::ALL,
        crate::webhook::ALL,
    ]
    .concat()
}
