//! What an alarm that people have closed says about the readings around it: a model must not learn a fault as normal.

use crate::{duration::MINUTE_S, reliability::Span};
use pm_api::{Timestamp, Verdict};

/// Readings so long before and after a fault may show it already, or still, seconds.
const MARGIN_S: i64 = 10 * MINUTE_S;

/// A closed alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// When its condition was first seen.
    pub triggered_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Timestamp,
    /// What people found.
    pub verdict: Option<Verdict>,
}

/// The span in which readings may show the alarm's fault, its last instant included; `None`: nothing was wrong. A confirmed
/// fault lasts until it is resolved, anything else until its condition was last seen.
#[must_use]
pub fn span(alarm: &Closed) -> Option<Span> {
    let to = match alarm.verdict {
        Some(Verdict::FalseAlarm) => return None,
        Some(Verdict::TrueFault) => alarm.resolved_at,
        Some(Verdict::Maintenance | Verdict::Unknown) | None => {
            alarm.resolved_at.min(alarm.last_seen_at.plus_seconds(MARGIN_S))
        }
    };
    Some(Span { from: alarm.triggered_at.plus_seconds(-MARGIN_S), to: to.max(alarm.triggered_at) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_span_covers_what_may_be_faulty(
            triggered_s in 0_i64..100_000, seen_s in 0_i64..100_000, resolved_s in 0_i64..200_000,
            verdict in prop::option::of(prop::sample::select(Verdict::ALL)),
        ) {
            let at = |s: i64| Timestamp(s * Timestamp::SECOND);
            let alarm = Closed {
                triggered_at: at(triggered_s),
                last_seen_at: at(triggered_s + seen_s),
                resolved_at: at(resolved_s),
                verdict,
            };
            let span = span(&alarm);
            prop_assert_eq!(span.is_none(), verdict == Some(Verdict::FalseAlarm));
            if let Some(span) = span {
                prop_assert!(span.from < alarm.triggered_at && span.to >= alarm.triggered_at);
                prop_assert!(span.to <= alarm.resolved_at.max(alarm.triggered_at));
                let confirmed = verdict == Some(Verdict::TrueFault);
                prop_assert!(confirmed || span.to <= alarm.last_seen_at.plus_seconds(MARGIN_S));
            }
        }
    }
}
