//! What people may do with an alarm.

use pm_api::AlarmStatus;

/// Shortest time for which an alarm can be shelved, seconds.
pub const SHELVE_MIN_S: i64 = 60;
/// Longest time for which an alarm can be shelved, seconds: a week. ISA-18.2 asks for a limit.
pub const SHELVE_MAX_S: i64 = 7 * 24 * 3600;

/// May an alarm go from `from` to `to`? Open → acknowledged → resolved, open → resolved; a resolved alarm stays so
/// (a new occurrence raises a new alarm). Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: AlarmStatus, to: AlarmStatus) -> bool {
    from == to || (from != AlarmStatus::Resolved && to != AlarmStatus::Open)
}

/// The states from which an alarm may be changed. `to`: the new status, if one is asked for. `judged`: the change says
/// what was found (a verdict, a time of resolution), which only a resolved alarm carries.
#[must_use]
pub fn changeable_from(to: Option<AlarmStatus>, judged: bool) -> Vec<AlarmStatus> {
    let after = |from| to.unwrap_or(from);
    let fits = |from| may_change(from, after(from)) && (!judged || after(from) == AlarmStatus::Resolved);
    AlarmStatus::ALL.iter().copied().filter(|&from| fits(from)).collect()
}

/// Why an alarm in state `from` is not changed.
#[must_use]
pub fn refusal(from: AlarmStatus, to: Option<AlarmStatus>) -> String {
    match to {
        Some(to) if !may_change(from, to) => format!("An alarm cannot go from {from} to {to}"),
        _ => "A verdict and a time of resolution belong to a resolved alarm".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AlarmStatus::{Acknowledged, Open, Resolved};

    #[test]
    fn legal_changes() {
        let legal: Vec<_> = AlarmStatus::ALL
            .iter()
            .flat_map(|&from| AlarmStatus::ALL.iter().map(move |&to| (from, to)))
            .filter(|&(from, to)| from != to && may_change(from, to))
            .collect();
        assert_eq!(legal, [(Open, Acknowledged), (Open, Resolved), (Acknowledged, Resolved)]);
    }
    #[test]
    fn what_a_change_needs() {
        for (to, judged, from) in [
            (None, false, &[Open, Acknowledged, Resolved][..]),
            (None, true, &[Resolved]),
            (Some(Open), false, &[Open]),
            (Some(Acknowledged), false, &[Open, Acknowledged]),
            (Some(Acknowledged), true, &[]),
            (Some(Resolved), true, &[Open, Acknowledged, Resolved]),
        ] {
            assert_eq!(changeable_from(to, judged), from, "{to:?} {judged}");
        }
        assert_eq!(refusal(Resolved, Some(Open)), "An alarm cannot go from resolved to open");
        assert!(refusal(Open, None).starts_with("A verdict"));
    }
}
