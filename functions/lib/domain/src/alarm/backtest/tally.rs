//! What a rule would have done beside what was: alarms gained and lost, time in alarm, lead before confirmed faults.

use crate::duration::{DAY_S, MINUTE_S};
use pm_api::{
    AlarmChangeKind, Severity, Timestamp,
    backtest::{AlarmSpan, BacktestFigures},
};
use serde::{Deserialize, Serialize};

/// An alarm that is raised up to so long before the fault is a warning of it, s.
pub const LEAD_S: i64 = 7 * DAY_S;
/// Two alarms are about the same if they are at most so far apart, s: what was recorded live is some moments late.
const SAME_WITHIN_S: i64 = MINUTE_S;

/// The alarms of one sensor under one rule, counted as they come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    period: (Timestamp, Timestamp),
    /// Those that were raised, in the order of their beginning, and whether the rule would have raised one at that time.
    raised: Vec<(AlarmSpan, bool)>,
    /// The first of them that the next alarm may be the same as.
    from: usize,
    /// Confirmed faults of the machine, and the beginning of the first alarm before each.
    faults: Vec<(Timestamp, Option<Timestamp>)>,
    would_raise: u64,
    gained: u64,
    alarm_us: i64,
    most_listed: usize,
    listed: Vec<AlarmSpan>,
}

impl Tally {
    /// Nothing is counted yet. `raised` are the alarms of the sensor that were raised, `faults` the confirmed ones of its
    /// machine; the first `most_listed` alarms are listed.
    #[must_use]
    pub fn new(
        period: (Timestamp, Timestamp),
        mut raised: Vec<AlarmSpan>,
        faults: &[Timestamp],
        most_listed: usize,
    ) -> Self {
        raised.sort_by_key(|alarm| alarm.begin);
        Self {
            period,
            raised: raised.into_iter().map(|alarm| (alarm, false)).collect(),
            from: 0,
            faults: faults.iter().map(|fault| (*fault, None)).collect(),
            would_raise: 0,
            gained: 0,
            alarm_us: 0,
            most_listed,
            listed: Vec::new(),
        }
    }

    /// Counts the next alarm that the rule would have raised.
    pub fn add(&mut self, alarm: AlarmSpan) {
        let end = alarm.end.unwrap_or(self.period.1);
        let latest_end = self.period.1;
        let tolerated = |time: Timestamp, s: i64| time.plus_seconds(s);
        while self
            .raised
            .get(self.from)
            .is_some_and(|(other, _)| tolerated(other.end.unwrap_or(latest_end), SAME_WITHIN_S) < alarm.begin)
        {
            self.from += 1;
        }
        let mut is_same = false;
        for (other, found) in &mut self.raised[self.from..] {
            if other.begin > tolerated(end, SAME_WITHIN_S) {
                break;
            }
            if tolerated(other.end.unwrap_or(latest_end), SAME_WITHIN_S) >= alarm.begin {
                (*found, is_same) = (true, true);
            }
        }
        for (fault, first) in &mut self.faults {
            let earliest = fault.plus_seconds(-LEAD_S);
            if first.is_none() && alarm.begin <= *fault && end >= earliest {
                *first = Some(alarm.begin.max(earliest));
            }
        }
        self.would_raise += 1;
        self.gained += u64::from(!is_same);
        self.alarm_us += (end.0 - alarm.begin.0).max(0);
        if self.listed.len() < self.most_listed {
            self.listed.push(alarm);
        }
    }

    /// The alarms that are listed.
    #[must_use]
    pub fn listed(&self) -> &[AlarmSpan] {
        &self.listed
    }

    /// The figures, of so many readings.
    #[must_use]
    pub fn figures(&self, readings: u64) -> BacktestFigures {
        figures([(self, readings)])
    }
}

/// The figures of several sensors of the same machine over the same period. A fault was announced by the first of their alarms.
pub fn figures<'t>(tallies: impl IntoIterator<Item = (&'t Tally, u64)>) -> BacktestFigures {
    let mut sum = BacktestFigures::default();
    let (mut sensors, mut period_s) = (0.0, 0.0);
    let mut faults: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
    for (tally, readings) in tallies {
        sum.readings += readings;
        sum.would_raise += tally.would_raise;
        sum.raised += tally.raised.len() as u64;
        sum.gained += tally.gained;
        sum.lost += tally.raised.iter().filter(|(_, found)| !found).count() as u64;
        sum.alarm_s += tally.alarm_us as f64 / Timestamp::SECOND as f64;
        sensors += 1.0;
        period_s = tally.period.1.seconds_since(tally.period.0);
        if faults.is_empty() {
            faults.clone_from(&tally.faults);
        } else {
            for ((_, known), (_, first)) in faults.iter_mut().zip(&tally.faults) {
                *known = known.iter().chain(first).min().copied();
            }
        }
    }
    if sensors > 0.0 && period_s > 0.0 {
        sum.share = (sum.alarm_s / (sensors * period_s)).clamp(0.0, 1.0);
    }
    let leads: Vec<f64> =
        faults.iter().filter_map(|(fault, first)| Some(fault.seconds_since((*first)?))).collect();
    sum.faults = faults.len() as u64;
    sum.faults_warned = leads.len() as u64;
    sum.mean_lead_s = mean(leads.iter().map(|lead| (*lead, 1.0)));
    sum
}

/// The figures of several machines, each of so many sensors.
pub fn sum<'f>(machines: impl IntoIterator<Item = (&'f BacktestFigures, usize)>) -> BacktestFigures {
    let mut sum = BacktestFigures::default();
    let (mut shares, mut leads) = (Vec::new(), Vec::new());
    for (of_machine, sensors) in machines {
        sum.readings += of_machine.readings;
        sum.would_raise += of_machine.would_raise;
        sum.raised += of_machine.raised;
        sum.gained += of_machine.gained;
        sum.lost += of_machine.lost;
        sum.alarm_s += of_machine.alarm_s;
        sum.faults += of_machine.faults;
        sum.faults_warned += of_machine.faults_warned;
        shares.push((of_machine.share, sensors as f64));
        leads.extend(of_machine.mean_lead_s.map(|lead| (lead, of_machine.faults_warned as f64)));
    }
    sum.share = mean(shares.into_iter()).unwrap_or_default();
    sum.mean_lead_s = mean(leads.into_iter());
    sum
}

/// The mean of weighted values.
fn mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (total, weight) =
        values.fold((0.0, 0.0), |(total, weight), (value, w)| (total + value * w, weight + w));
    (weight > 0.0).then(|| total / weight)
}

/// The spans in which the condition of a recorded alarm held within a period. `changes` is its history, oldest first; a condition
/// that was seen and had ended at once left no end.
#[must_use]
pub fn spans(
    (triggered_at, severity, condition_active): (Timestamp, Severity, bool),
    changes: &[(AlarmChangeKind, Timestamp)],
    (from, to): (Timestamp, Timestamp),
) -> Vec<AlarmSpan> {
    let mut spans = Vec::new();
    let mut begun = Some(triggered_at);
    for (change, at) in changes {
        match (change, begun) {
            (AlarmChangeKind::ConditionEnded | AlarmChangeKind::Resolved, Some(begin)) => {
                spans.push(AlarmSpan { begin, end: Some((*at).max(begin)), severity });
                begun = None;
            }
            (AlarmChangeKind::Returned | AlarmChangeKind::Escalated, None) => begun = Some(*at),
            _ => {}
        }
    }
    if let Some(begin) = begun {
        spans.push(AlarmSpan { begin, end: (!condition_active).then_some(begin), severity });
    }
    spans.retain(|span| span.begin < to && span.end.is_none_or(|end| end >= from));
    for span in &mut spans {
        span.begin = span.begin.max(from);
        span.end = span.end.filter(|end| *end <= to);
    }
    spans
}

#[cfg(test)]
mod tests;
