//! What people may do with an alarm.

use pm_api::AlarmStatus;

/// May an alarm go from `from` to `to`? Open → acknowledged → resolved, open → resolved; a resolved alarm stays so
/// (a new occurrence raises a new alarm). Staying is always allowed, so that a repeated request changes nothing.
#[must_use]
pub fn may_change(from: AlarmStatus, to: AlarmStatus) -> bool {
    from == to || (from != AlarmStatus::Resolved && to != AlarmStatus::Open)
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
}
