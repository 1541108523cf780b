//! From readings to conditions: what is reported to the alarm engine about one sensor.

use pm_api::{ReadingStatus, Timestamp};

/// A reading of the sensor with its status.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassifiedReading {
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
    /// The worst of them: status, value, time. With no occurrence: the newest reading.
    pub worst: (ReadingStatus, f64, Timestamp),
    /// Is the newest reading beyond a limit?
    pub still_active: bool,
}

/// Sums up the readings of one sensor in one batch.
///
/// A reading counts once: if it is live and either new or later than `evaluated_through` (the alarm engine has not
/// evaluated it, for instance because the answer to an earlier delivery was lost). Returns `None` when there is nothing
/// to report: all is normal and `last_reported` (the severity that the engine was last sent) is normal too.
#[must_use]
pub fn limit_condition(
    readings: &[ClassifiedReading],
    evaluated_through: Option<Timestamp>,
    last_reported: ReadingStatus,
) -> Option<LimitCondition> {
    let counts = |r: &&ClassifiedReading| r.live && (r.new || evaluated_through.is_none_or(|t| r.time > t));
    let newest = readings.iter().filter(counts).max_by_key(|r| r.time)?;
    let is_newest = evaluated_through.is_none_or(|t| newest.time >= t);
    let beyond = readings.iter().filter(counts).filter(|r| r.status > ReadingStatus::Normal);
    let occurrences = u32::try_from(beyond.clone().count()).unwrap_or(u32::MAX);
    let worst = beyond.max_by_key(|r| (r.status, r.time)).unwrap_or(newest);
    let still_active =
        if is_newest { newest.status > ReadingStatus::Normal } else { last_reported > ReadingStatus::Normal };
    let ended = last_reported > ReadingStatus::Normal && !still_active;
    (occurrences > 0 || ended).then_some(LimitCondition {
        occurrences,
        worst: (worst.status, worst.value, worst.time),
        still_active,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};

    fn r(time: i64, status: ReadingStatus) -> ClassifiedReading {
        ClassifiedReading { time: Timestamp(time), value: time as f64, status, new: true, live: true }
    }

    #[test]
    fn nothing_to_tell() {
        assert_eq!(limit_condition(&[], None, Normal), None);
        assert_eq!(limit_condition(&[r(1, Normal), r(2, Normal)], None, Normal), None);
        assert_eq!(
            limit_condition(&[ClassifiedReading { live: false, ..r(1, Critical) }], None, Normal),
            None
        );
        let repeated = ClassifiedReading { new: false, ..r(1, Critical) };
        assert_eq!(limit_condition(&[repeated], Some(Timestamp(1)), Critical), None);
    }

    #[test]
    fn a_spike_inside_a_batch_is_told_with_its_end() {
        let condition =
            limit_condition(&[r(1, Normal), r(2, Critical), r(3, Warning), r(4, Normal)], None, Normal);
        assert_eq!(
            condition,
            Some(LimitCondition {
                occurrences: 2,
                worst: (Critical, 2.0, Timestamp(2)),
                still_active: false
            })
        );
    }

    #[test]
    fn a_repeated_delivery_that_was_not_judged_counts() {
        let stored_but_not_evaluated = ClassifiedReading { new: false, ..r(5, Warning) };
        let condition = limit_condition(&[stored_but_not_evaluated], Some(Timestamp(4)), Normal);
        assert!(condition.is_some_and(|c| c.occurrences == 1 && c.still_active));
    }

    #[test]
    fn return_to_normal_is_told_once() {
        let condition = limit_condition(&[r(5, Normal)], Some(Timestamp(4)), Critical);
        assert!(condition.is_some_and(|c| c.occurrences == 0 && !c.still_active));
        assert_eq!(limit_condition(&[r(6, Normal)], Some(Timestamp(5)), Normal), None);
    }

    #[test]
    fn a_reading_out_of_order_does_not_end_a_condition() {
        let condition = limit_condition(&[r(3, Warning)], Some(Timestamp(9)), Critical);
        assert!(condition.is_some_and(|c| c.occurrences == 1 && c.still_active));
    }
}
