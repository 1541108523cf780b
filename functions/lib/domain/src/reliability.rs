//! Availability, MTBF and MTTR of a machine over a period, from what is stored about it: its readings and its critical
//! alarms.
//!
//! Terms and formulas as in EN 15341 (maintenance key performance indicators) and ISO 14224 (reliability data):
//!
//! - up time: observed and not down; down time: from the start of a failure to its restoration;
//! - availability = up time / (up time + down time);
//! - MTBF (mean operating time between failures) = up time / failures;
//! - MTTR (mean time to restoration) = down time / failures.
//!
//! A machine's state is not measured here, so the two are taken from what is: a *failure* is a critical alarm that a
//! reading or a person raised (a model's forecast is none), and failures that overlap are one. *Observed* is the time
//! in which the machine sent readings; what is neither observed nor down is unknown and counts for nothing.

use crate::duration::HOUR_S;
use pm_api::Timestamp;

/// A machine that sends nothing for more than this many intervals of observation is not observed in that time.
pub const SILENT_INTERVALS: i64 = 3;
/// The hours of which the share is taken in which a machine reported.
pub const REPORTING_HOURS: i64 = 24;

/// In how many percent of the last hours a machine reported. `hours_seen`: in how many of the last [`REPORTING_HOURS`];
/// a machine that is younger is measured by the hours of its life, at least one.
#[must_use]
pub fn reporting_percent(hours_seen: i64, created_at: Timestamp, now: Timestamp) -> f64 {
    let age_h = (now.seconds_since(created_at) / HOUR_S as f64).ceil();
    (hours_seen as f64 / age_h.clamp(1.0, REPORTING_HOURS as f64) * 100.0).min(100.0)
}

/// A span of time, its end excluded. An empty or reversed one counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
}

impl Span {
    /// Its length, seconds; 0 if it is reversed.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.to.seconds_since(self.from).max(0.0)
    }

    /// What two spans have in common; `None` if nothing.
    #[must_use]
    pub fn common(self, other: Self) -> Option<Self> {
        let span = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (span.from < span.to).then_some(span)
    }
}

/// A failure of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// When it began.
    pub from: Timestamp,
    /// When the machine was restored; `None` while it is not.
    pub restored: Option<Timestamp>,
}

/// What a period says about a machine. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reliability {
    /// Observed and not down.
    pub up_s: f64,
    /// In failure.
    pub down_s: f64,
    /// Neither observed nor down.
    pub unknown_s: f64,
    /// Failures that began in the period.
    pub failures: u32,
}

impl Reliability {
    /// Share of up time in up and down time, 0 to 1; `None` if there is neither.
    #[must_use]
    pub fn availability(&self) -> Option<f64> {
        ratio(self.up_s, self.up_s + self.down_s)
    }

    /// Mean operating time between failures, seconds; `None` without failures.
    #[must_use]
    pub fn mtbf_s(&self) -> Option<f64> {
        ratio(self.up_s, f64::from(self.failures))
    }

    /// Mean time to restoration, seconds; `None` without failures. A failure that lasts counts up to the period's end.
    #[must_use]
    pub fn mttr_s(&self) -> Option<f64> {
        ratio(self.down_s, f64::from(self.failures))
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Judges a machine by its observed spans and failures, in any order.
#[must_use]
pub fn reliability(period: Span, observed: &[Span], failures: &[Failure]) -> Reliability {
    let observed = union(observed.iter().filter_map(|s| s.common(period)).collect());
    let down = union(
        failures
            .iter()
            .filter_map(|f| Span { from: f.from, to: f.restored.unwrap_or(period.to) }.common(period))
            .collect(),
    );
    // sums of fractions may differ in their last digit
    let up_s = (total(&observed) - common_s(&observed, &down)).max(0.0);
    let down_s = total(&down);
    let began_before = |span: &&Span| {
        failures.iter().any(|f| f.from < period.from && f.restored.is_none_or(|at| at > span.from))
    };
    let began = down.iter().filter(|s| s.from > period.from || !began_before(s)).count();
    Reliability {
        up_s,
        down_s,
        unknown_s: (period.seconds() - up_s - down_s).max(0.0),
        failures: u32::try_from(began).unwrap_or(u32::MAX),
    }
}

/// The same time without overlaps, ascending.
#[must_use]
pub fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => merged.push(span),
        }
    }
    merged
}

fn total(spans: &[Span]) -> f64 {
    // not sum(), which makes −0 of nothing
    spans.iter().fold(0.0, |sum, span| sum + span.seconds())
}

/// Common time of two lists without overlaps, ascending.
fn common_s(a: &[Span], b: &[Span]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0.0);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        common += x.common(*y).map_or(0.0, Span::seconds);
        if x.to < y.to {
            i += 1;
        } else {
            j += 1;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp(minute * 60 * Timestamp::SECOND)
    }

    fn span(from: i64, to: i64) -> Span {
        Span { from: at(from), to: at(to) }
    }

    /// With `to` −1 it lasts.
    fn failure(from: i64, to: i64) -> Failure {
        Failure { from: at(from), restored: (to != -1).then(|| at(to)) }
    }

    #[test]
    fn minutes_up_down_unknown_and_failures() {
        let day = span(0, 100);
        let all = [day];
        for (name, observed, failures, expected) in [
            ("nothing known", &[][..], &[][..], (0, 0, 100, 0)),
            ("no failure", &all[..], &[], (100, 0, 0, 0)),
            ("one failure", &all, &[failure(10, 30)], (80, 20, 0, 1)),
            ("overlapping failures are one", &all, &[failure(10, 30), failure(20, 40)], (70, 30, 0, 1)),
            ("in any order", &all, &[failure(60, 70), failure(10, 30)], (70, 30, 0, 2)),
            ("one that lasts", &all, &[failure(90, -1)], (90, 10, 0, 1)),
            ("one from before", &all, &[failure(-50, 10)], (90, 10, 0, 0)),
            ("from before, joined by a later one", &all, &[failure(-50, 10), failure(5, 20)], (80, 20, 0, 0)),
            ("one at the first instant", &all, &[failure(0, 10)], (90, 10, 0, 1)),
            ("one of before, one after", &all, &[failure(-9, -5), failure(0, 10)], (90, 10, 0, 1)),
            ("outside", &all, &[failure(-50, -10), failure(100, 120)], (100, 0, 0, 0)),
            ("a gap", &[span(0, 40), span(60, 100)], &[], (80, 0, 20, 0)),
            ("down while silent", &[span(0, 40), span(60, 100)], &[failure(30, 70)], (60, 40, 0, 1)),
            ("overlapping observations", &[span(0, 60), span(40, 120)], &[failure(10, 20)], (90, 10, 0, 1)),
            ("reversed", &[span(50, 20)], &[failure(30, 20)], (0, 0, 100, 0)),
        ] {
            let r = reliability(day, observed, failures);
            let minutes = |s: f64| (s / 60.0).round() as i64;
            let found = (minutes(r.up_s), minutes(r.down_s), minutes(r.unknown_s), r.failures);
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn availability_mtbf_and_mttr_follow_from_up_and_down_time() {
        let r = reliability(span(0, 100), &[span(0, 100)], &[failure(10, 20), failure(50, 60)]);
        assert_eq!((r.availability(), r.mtbf_s(), r.mttr_s()), (Some(0.8), Some(2400.0), Some(600.0)));
        let quiet = reliability(span(0, 100), &[span(0, 100)], &[]);
        assert_eq!((quiet.availability(), quiet.mtbf_s(), quiet.mttr_s()), (Some(1.0), None, None));
        assert_eq!(reliability(span(0, 100), &[], &[]).availability(), None);
        let never_up = reliability(span(0, 100), &[], &[failure(0, -1)]).availability();
        assert!(never_up.is_some_and(|a| a == 0.0 && a.is_sign_positive()), "{never_up:?}");
        assert_eq!(reliability(span(100, 0), &[span(0, 100)], &[failure(1, 2)]), Reliability::default());
    }
}
