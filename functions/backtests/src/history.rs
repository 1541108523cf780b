//! Stored readings of sensors in windows of time. Each holds a bounded number of readings, and the next one is longer or shorter
//! by how many there were.

use pm_api::{ReadingStatus, SensorId, Timestamp};
use pm_domain::duration::HOUR_S;
use pm_store::{Db, StoreError, backtest};
use serde::{Deserialize, Serialize};

/// Most readings of a window: 12 MB.
const MAX_READINGS: i64 = 500_000;
/// A window with fewer is followed by one of twice the length.
const FEW_READINGS: usize = 150_000;
/// Length of the first window for so many sensors; for fewer it is longer, s.
const FIRST_S: i64 = 6 * HOUR_S;
const FIRST_SENSORS: i64 = 200;

/// Where reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Windows {
    /// Begin of the next window.
    pub(crate) next: Timestamp,
    /// End of the period.
    pub(crate) end: Timestamp,
    length_us: i64,
}

/// A window: readings of several sensors.
pub(crate) struct Window {
    readings: Vec<backtest::Readings>,
    end: Timestamp,
}

impl Windows {
    /// Begins with the first window of a period for so many sensors.
    pub(crate) fn new((from, to): (Timestamp, Timestamp), sensors: usize) -> Self {
        let longer = (FIRST_SENSORS / (sensors.max(1) as i64)).max(1);
        Self { next: from, end: to, length_us: FIRST_S * longer * Timestamp::SECOND }
    }

    /// Reads the next window; `None`: the period is over.
    pub(crate) async fn next(
        &mut self,
        db: &Db,
        sensors: &[SensorId],
        with_status: bool,
    ) -> Result<Option<Window>, StoreError> {
        if self.next >= self.end || sensors.is_empty() {
            return Ok(None);
        }
        let most = (MAX_READINGS / sensors.len() as i64).max(1);
        let mut end = Timestamp(self.next.0.saturating_add(self.length_us)).min(self.end);
        let readings = backtest::readings(db, sensors, (self.next, end), most, with_status).await?;
        // where a sensor has more, the window ends with the last that was read
        let full = readings.iter().filter(|readings| readings.count() as i64 >= most);
        if let Some(last) = full.filter_map(backtest::Readings::last).min() {
            end = Timestamp(last.0 + 1);
            self.length_us = (end.0 - self.next.0).max(1);
        } else if readings.iter().map(backtest::Readings::count).sum::<usize>() < FEW_READINGS {
            self.length_us = self.length_us.saturating_mul(2);
        }
        self.next = end;
        Ok(Some(Window { readings, end }))
    }
}

impl Window {
    /// The readings of each sensor, by its index, in the order of their times.
    pub(crate) fn by_sensor(
        &self,
    ) -> impl Iterator<Item = (usize, impl Iterator<Item = (Timestamp, f64, ReadingStatus)>)> {
        self.readings
            .iter()
            .map(|readings| (readings.sensor, readings.iter().take_while(|(time, ..)| *time < self.end)))
    }
}
