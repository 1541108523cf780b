//! From readings to conditions: what the alarm engine must be told about one sensor.

use pm_api::{ReadingStatus, Timestamp};

/// One reading of the sensor that may be evaluated: it is stored, good, and no history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassifiedReading {
    /// When it was measured.
    pub time: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Its status.
    pub status: ReadingStatus,
}

/// What a batch says about the limits of one sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitCondition {
    /// Readings beyond a limit.
    pub occurrences: u32,
    /// The worst of them: severity, value, time. With no occurrence: the newest reading.
    pub worst: (ReadingStatus, f64, Timestamp),
    /// Is the newest reading beyond a limit?
    pub still_active: bool,
    /// Time of the newest reading that was evaluated, not later than the present.
    pub evaluated_through: Timestamp,
}

/// Sums up the readings of one sensor in one batch.
///
/// A reading counts once, if it is later than `evaluated_through`; so one that was delivered and stored before, and whose
/// evaluation was lost, counts when it is delivered again. Returns `None` when there is nothing to tell: all is
/// normal and `told` (the severity that the engine was last told) is normal too.
///
/// A reading may be dated ahead of `now` by as much as clocks differ. What it says holds from now on, so that nothing that
/// is remembered of the sensor lies in the future.
#[must_use]
pub fn limit_condition(
    readings: &[ClassifiedReading],
    evaluated_through: Option<Timestamp>,
    told: ReadingStatus,
    now: Timestamp,
) -> Option<LimitCondition> {
    let counts = |r: &&ClassifiedReading| evaluated_through.is_none_or(|t| r.time > t);
    let newest = readings.iter().filter(counts).max_by_key(|r| r.time)?;
    let beyond = readings.iter().filter(counts).filter(|r| r.status > ReadingStatus::Normal);
    let occurrences = u32::try_from(beyond.clone().count()).unwrap_or(u32::MAX);
    let worst = beyond.max_by_key(|r| (r.status, r.time)).unwrap_or(newest);
    let still_active = newest.status > ReadingStatus::Normal;
    let ended = told > ReadingStatus::Normal && !still_active;
    (occurrences > 0 || ended).then_some(LimitCondition {
        occurrences,
        worst: (worst.status, worst.value, worst.time.min(now)),
        still_active,
        evaluated_through: newest.time.min(now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};

    const NOW: Timestamp = Timestamp(100);

    fn r(time: i64, status: ReadingStatus) -> ClassifiedReading {
        ClassifiedReading { time: Timestamp(time), value: time as f64, status }
    }

    #[test]
    fn nothing_to_tell() {
        assert_eq!(limit_condition(&[], None, Normal, NOW), None);
        assert_eq!(limit_condition(&[r(1, Normal), r(2, Normal)], None, Normal, NOW), None);
        assert_eq!(limit_condition(&[r(1, Critical)], Some(Timestamp(1)), Critical, NOW), None);
    }

    #[test]
    fn a_spike_inside_a_batch_is_told_with_its_end() {
        let readings = [r(1, Normal), r(2, Critical), r(3, Warning), r(4, Normal)];
        assert_eq!(
            limit_condition(&readings, None, Normal, NOW),
            Some(LimitCondition {
                occurrences: 2,
                worst: (Critical, 2.0, Timestamp(2)),
                still_active: false,
                evaluated_through: Timestamp(4),
            })
        );
    }

    #[test]
    fn a_repeated_delivery_that_was_not_evaluated_counts() {
        let told = limit_condition(&[r(4, Warning), r(5, Warning)], Some(Timestamp(4)), Normal, NOW);
        assert!(told.is_some_and(|c| c.occurrences == 1 && c.still_active));
    }

    #[test]
    fn return_to_normal_is_told_once() {
        let told = limit_condition(&[r(5, Normal)], Some(Timestamp(4)), Critical, NOW);
        assert!(told.is_some_and(|c| c.occurrences == 0 && !c.still_active));
        assert_eq!(limit_condition(&[r(6, Normal)], Some(Timestamp(5)), Normal, NOW), None);
    }

    #[test]
    fn nothing_that_is_remembered_lies_in_the_future() {
        let told = limit_condition(&[r(NOW.0 + 5, Critical)], None, Normal, NOW);
        assert!(told.is_some_and(|c| c.worst.2 == NOW && c.evaluated_through == NOW));
        let ended = limit_condition(&[r(NOW.0 + 1, Normal)], Some(NOW), Critical, NOW);
        assert!(ended.is_some_and(|c| !c.still_active));
    }
}
