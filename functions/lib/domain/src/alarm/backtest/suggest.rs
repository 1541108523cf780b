//! The warning limit and the on-delay with which a sensor would have raised at most a wanted number of alarms.
//!
//! For each on-delay the limit is moved from the extreme of what was measured towards the ordinary values as long as the alarms
//! stay within the number; each candidate is evaluated as it would be live. A longer delay allows a tighter limit and warns
//! later, so the shortest delay is taken whose limit is nearly as tight as that of any other.

use super::{
    super::{
        condition::{Delays, judge},
        monitored::MonitoredSensor,
    },
    Memory, Replay, trial,
};
use crate::limits;
use pm_api::{LimitSide, ReadingStatus, Timestamp, maintenance::MaintenanceWindow, score::Limits};

/// On-delays that are tried, s.
const DELAYS_S: [i64; 8] = [0, 5, 10, 30, 60, 120, 300, 600];
/// Shares of the readings that a limit may leave within, from the loosest limit to the tightest.
const SHARES: [f64; 11] = [1.0, 0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9];
/// The step between two of them is halved at most so often.
const MAX_HALVINGS: u32 = 12;
/// A limit is nearly as tight as another one if it is off by at most this share of the usual spread of the values.
const NEARLY: f64 = 0.05;
/// Limits are rounded to about this share of that spread.
const ROUNDED_TO: f64 = 0.005;

/// A suggestion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggested {
    /// The warning limit.
    pub limit: f64,
    /// The on-delay, s.
    pub on_delay_s: i64,
    /// How many alarms there would have been.
    pub alarms: u64,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSuggestion {
    /// There are no readings.
    NoReadings,
    /// With the loosest warning limit there would still have been so many alarms: others cause them.
    TooMany(u64),
}

/// The side of the limits that a sensor has; the high one where it has none, or both.
#[must_use]
pub fn side(limits: &Limits) -> LimitSide {
    let high = limits.warning_high.or(limits.critical_high);
    let low = limits.warning_low.or(limits.critical_low);
    if high.is_none() && low.is_some() { LimitSide::Low } else { LimitSide::High }
}

/// What is tried for a suggestion: the sensor with this warning limit and on-delay.
#[must_use]
pub fn suggested(sensor: &MonitoredSensor, side: LimitSide, limit: f64, on_delay_s: i64) -> MonitoredSensor {
    let mut limits = limits::limits(sensor.thresholds);
    match side {
        LimitSide::High => limits.warning_high = Some(limit),
        LimitSide::Low => limits.warning_low = Some(limit),
    }
    let mut tried = sensor.clone();
    tried.thresholds = trial::thresholds(&limits);
    tried.rule.on_delay_s = Some(on_delay_s);
    tried
}

/// How many alarms there would have been.
#[must_use]
pub fn count(
    sensor: &MonitoredSensor,
    windows: &[MaintenanceWindow],
    readings: &[(Timestamp, f64)],
    until: Timestamp,
) -> u64 {
    let mut replay = Replay::new(sensor, windows, &Memory::default());
    let mut alarms = 0;
    let mut ended = |_| alarms += 1;
    for (time, value) in readings {
        replay.reading((*time, *value, ReadingStatus::Normal), &mut ended);
    }
    replay.end(until, &mut ended);
    alarms
}

/// Suggests a warning limit on a side with at most so many alarms for these readings, which are in order of time and plausible.
///
/// # Errors
/// Why there is none.
pub fn suggest(
    sensor: &MonitoredSensor,
    windows: &[MaintenanceWindow],
    readings: &[(Timestamp, f64)],
    until: Timestamp,
    side: LimitSide,
    most: u64,
) -> Result<Suggested, NoSuggestion> {
    let Some(scale) = Scale::of(sensor, readings, side) else { return Err(NoSuggestion::NoReadings) };
    let candidates = scale.candidates();
    let Some(tightest) = candidates.last() else { return Err(NoSuggestion::NoReadings) };
    let telling = telling(sensor, side, scale.limit(*tightest), readings);
    let alarms = |outward: f64, on_delay_s: i64| {
        let tried = suggested(sensor, side, scale.limit(outward), on_delay_s);
        count(&tried, windows, &telling, until)
    };
    let mut found: Vec<(i64, f64, u64)> = Vec::new();
    let mut fewest = u64::MAX;
    for on_delay_s in DELAYS_S {
        let mut best = None;
        let mut refused = None;
        for &outward in &candidates {
            let alarms = alarms(outward, on_delay_s);
            fewest = fewest.min(alarms);
            if alarms > most {
                refused = Some(outward);
                break;
            }
            best = Some((outward, alarms));
        }
        if let (Some((mut good, mut of_good)), Some(mut bad)) = (best, refused) {
            for _ in 0..MAX_HALVINGS {
                let middle = scale.rounded(f64::midpoint(good, bad));
                if good - bad < NEARLY * scale.spread / 2.0 || middle >= good || middle <= bad {
                    break;
                }
                match alarms(middle, on_delay_s) {
                    alarms if alarms <= most => (good, of_good) = (middle, alarms),
                    _ => bad = middle,
                }
            }
            best = Some((good, of_good));
        }
        found.extend(best.map(|(outward, alarms)| (on_delay_s, outward, alarms)));
        // no limit can be tighter than the tightest candidate
        if best.is_some_and(|(outward, _)| outward <= *tightest) {
            break;
        }
    }
    let tightest = found.iter().map(|(_, outward, _)| *outward).fold(f64::INFINITY, f64::min);
    let near = |(_, outward, _): &&(i64, f64, u64)| *outward <= tightest + NEARLY * scale.spread;
    let (on_delay_s, outward, alarms) =
        found.iter().find(near).copied().ok_or(NoSuggestion::TooMany(fewest))?;
    Ok(Suggested { limit: scale.limit(outward), on_delay_s, alarms })
}

/// The values, turned so that greater ones are nearer to an alarm.
struct Scale {
    sign: f64,
    /// In ascending order.
    outward: Vec<f64>,
    spread: f64,
    step: f64,
    /// No warning limit lies beyond this one.
    outermost: Option<f64>,
    /// Each warning limit lies beyond this one.
    innermost: Option<f64>,
}

impl Scale {
    fn of(sensor: &MonitoredSensor, readings: &[(Timestamp, f64)], side: LimitSide) -> Option<Self> {
        let limits = limits::limits(sensor.thresholds);
        let (sign, outermost, innermost) = match side {
            LimitSide::High => (1.0, limits.critical_high, limits.warning_low.or(limits.critical_low)),
            LimitSide::Low => (
                -1.0,
                limits.critical_low.map(|limit| -limit),
                limits.warning_high.or(limits.critical_high).map(|limit| -limit),
            ),
        };
        let mut outward: Vec<f64> = readings.iter().map(|(_, value)| sign * value).collect();
        outward.sort_by(f64::total_cmp);
        let (first, last) = (*outward.first()?, *outward.last()?);
        let at = |share: f64| outward[((outward.len() - 1) as f64 * share) as usize];
        let usual = at(0.95) - at(0.05);
        let spread = [usual, last - first, last.abs()].into_iter().find(|width| *width > 0.0).unwrap_or(1.0);
        let step = 10_f64.powf((spread * ROUNDED_TO).log10().floor()).max(f64::MIN_POSITIVE);
        Some(Self { sign, outward, spread, step, outermost, innermost })
    }

    /// The next round value outwards.
    fn rounded(&self, outward: f64) -> f64 {
        // in steps of a power of ten, so that the limit has few digits
        let rounded = if self.step >= 1.0 {
            (outward / self.step).ceil() * self.step
        } else {
            let per_unit = (1.0 / self.step).round();
            (outward * per_unit).ceil() / per_unit
        };
        if rounded >= outward { rounded } else { outward }
    }

    /// Limits from the loosest, which no value reaches, to the tightest; each may be a warning limit.
    fn candidates(&self) -> Vec<f64> {
        let last = self.outward.len() - 1;
        let beyond = self.outward[last] + self.step;
        let shares = SHARES.map(|share| self.outward[(last as f64 * share) as usize]);
        let mut candidates = Vec::with_capacity(SHARES.len() + 1);
        for outward in [beyond].into_iter().chain(shares) {
            let rounded = self.rounded(outward);
            let outward = self.outermost.map_or(rounded, |outermost| rounded.min(outermost));
            let is_tighter = candidates.last().is_none_or(|looser| outward < *looser);
            if is_tighter && self.innermost.is_none_or(|innermost| outward > innermost) {
                candidates.push(outward);
            }
        }
        candidates
    }

    fn limit(&self, outward: f64) -> f64 {
        // no negative zero
        self.sign * outward + 0.0
    }
}

/// The readings that can make a difference whatever the limit is: of those in a row that are back by the tightest one, the
/// first. Where changes count, each does.
fn telling(
    sensor: &MonitoredSensor,
    side: LimitSide,
    tightest: f64,
    readings: &[(Timestamp, f64)],
) -> Vec<(Timestamp, f64)> {
    if sensor.rule.max_rate_per_min.is_some() {
        return readings.to_vec();
    }
    let tried = suggested(sensor, side, tightest, 0);
    let (limits, delays) = (limits::limits(tried.thresholds), Delays::of(&tried.rule));
    let mut told = false;
    let tells = |(time, value): &&(Timestamp, f64)| {
        let status = limits::classify(&limits, *value);
        let matters = judge(&limits, &delays, None, (*time, *value, status)).holds > ReadingStatus::Normal;
        let tells = matters || told;
        told = matters;
        tells
    };
    readings.iter().filter(tells).copied().collect()
}

#[cfg(test)]
mod tests;
