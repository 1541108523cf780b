//! From readings to conditions: what the alarm engine must be told about one sensor.

use pm_api::{ReadingStatus, Timestamp};

/// One judged reading of the sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// When it was measured.
    pub time: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Its status.
    pub status: ReadingStatus,
    /// Not stored before this batch?
    pub new: bool,
    /// Not historical?
    pub live: bool,
}

/// What a batch says about the limits of one sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitCondition {
    /// Readings beyond a limit.
    pub occurrences: u32,
    /// The gravest of them: severity, value, time. With no occurrence: the newest reading.
    pub gravest: (ReadingStatus, f64, Timestamp),
    /// Is the newest reading beyond a limit?
    pub still_active: bool,
}

/// Sums up the readings of one sensor in one batch.
///
/// A reading counts once: if it is live and either new or later than `evaluated_through` (the alarm engine has not
/// judged it, for instance because the answer to an earlier delivery was lost). Returns `None` when there is nothing
/// to tell: all is normal and `told` (the severity that the engine was last told) is normal too.
#[must_use]
pub fn limit_condition(
    readings: &[Judged],
    evaluated_through: Option<Timestamp>,
    told: ReadingStatus,
) -> Option<LimitCondition> {
    let counts = |r: &&Judged| r.live && (r.new || evaluated_through.is_none_or(|t| r.time > t));
    let newest = readings.iter().filter(counts).max_by_key(|r| r.time)?;
    let is_newest = evaluated_through.is_none_or(|t| newest.time >= t);
    let beyond = readings.iter().filter(counts).filter(|r| r.status > ReadingStatus::Normal);
    let occurrences = u32::try_from(beyond.clone().count()).unwrap_or(u32::MAX);
    let gravest = beyond.max_by_key(|r| (r.status, r.time)).unwrap_or(newest);
    let still_active =
        if is_newest { newest.status > ReadingStatus::Normal } else { told > ReadingStatus::Normal };
    let ended = told > ReadingStatus::Normal && !still_active;
    (occurrences > 0 || ended).then_some(LimitCondition {
        occurrences,
        gravest: (gravest.status, gravest.value, gravest.time),
        still_active,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};

    fn r(time: i64, status: ReadingStatus) -> Judged {
        Judged { time: Timestamp(time), value: time as f64, status, new: true, live: true }
    }

    #[test]
    fn nothing_to_tell() {
        assert_eq!(limit_condition(&[], None, Normal), None);
        assert_eq!(limit_condition(&[r(1, Normal), r(2, Normal)], None, Normal), None);
        assert_eq!(limit_condition(&[Judged { live: false, ..r(1, Critical) }], None, Normal), None);
        let repeated = Judged { new: false, ..r(1, Critical) };
        assert_eq!(limit_condition(&[repeated], Some(Timestamp(1)), Critical), None);
    }

    #[test]
    fn a_spike_inside_a_batch_is_told_with_its_end() {
        let told =
            limit_condition(&[r(1, Normal), r(2, Critical), r(3, Warning), r(4, Normal)], None, Normal);
        assert_eq!(
            told,
            Some(LimitCondition {
                occurrences: 2,
                gravest: (Critical, 2.0, Timestamp(2)),
                still_active: false
            })
        );
    }

    #[test]
    fn a_repeated_delivery_that_was_not_judged_counts() {
        let stored_but_not_judged = Judged { new: false, ..r(5, Warning) };
        let told = limit_condition(&[stored_but_not_judged], Some(Timestamp(4)), Normal);
        assert!(told.is_some_and(|c| c.occurrences == 1 && c.still_active));
    }

    #[test]
    fn return_to_normal_is_told_once() {
        let told = limit_condition(&[r(5, Normal)], Some(Timestamp(4)), Critical);
        assert!(told.is_some_and(|c| c.occurrences == 0 && !c.still_active));
        assert_eq!(limit_condition(&[r(6, Normal)], Some(Timestamp(5)), Normal), None);
    }

    #[test]
    fn a_reading_out_of_order_does_not_end_a_condition() {
        let told = limit_condition(&[r(3, Warning)], Some(Timestamp(9)), Critical);
        assert!(told.is_some_and(|c| c.occurrences == 1 && c.still_active));
    }
}
