//! A judgement in words: which features made it, in which range they usually are.

use crate::{
    Model,
    features::NAMES,
    machine::Apart,
    reference::{Compared, Finding},
    rules,
    score::Score,
    state::State,
    track::WARNING_FROM,
};
use pm_api::{
    Timestamp,
    prediction::{Buffering, Contributing, FeatureShare, ReferenceState, UsualLevels},
    score::{Limits, ScoreItem},
};

/// What sentences call a sensor, and the unit of its values.
#[derive(Debug, Clone, Copy)]
pub struct Sensor<'a> {
    /// Name for people.
    pub name: &'a str,
    /// Unit, where it is known.
    pub unit: Option<&'a str>,
}

impl<'a> Sensor<'a> {
    /// The sensor of an item.
    #[must_use]
    pub fn of(item: &'a ScoreItem) -> Self {
        Self { name: &item.name, unit: item.unit.as_deref().map(str::trim).filter(|u| !u.is_empty()) }
    }

    /// A value with the unit.
    fn value(self, value: f64) -> String {
        let unit = self.unit.map(|u| format!(" {u}")).unwrap_or_default();
        format!("{}{unit}", significant(value))
    }
}

/// Features named in an explanation.
const TOP: usize = 3;

/// While too few readings are there.
#[must_use]
pub fn buffering(size: usize) -> String {
    text(&Buffering { buffer_size: size as u64 })
}

/// The documented figures, the features that made the score, and a sentence.
#[must_use]
pub fn contributing(
    model: Option<&Model>,
    scored: &Score,
    state: &State,
    limits: &Limits,
    value: f64,
    sensor: Sensor,
) -> String {
    let (top, all) = top_features(model, scored);
    let features = top
        .iter()
        .map(|&(i, contribution)| {
            let (low, high) = state.baseline.usual_range(i);
            FeatureShare {
                name: NAMES[i].to_owned(),
                meaning: MEANINGS[i].to_owned(),
                value: significant(scored.features[i]),
                normal_low: significant(low),
                normal_high: significant(high),
                contribution: round(contribution, 3),
                share: round(contribution / all, 3),
            }
        })
        .collect();
    text(&Contributing {
        rule_score: round(scored.rule_score, 4),
        model_score: round(scored.model_score, 4),
        window_size: state.window.values().len() as u64,
        buffer_utilization: round(state.window.fullness(), 2),
        raw_score: round(scored.raw, 4),
        smoothed_score: round(state.track.smoothed.unwrap_or(scored.raw), 4),
        state_status: state.track.class.as_str().to_owned(),
        features,
        reason: reason(scored, state, limits, value, (&top, sensor)),
        reference: Some(reference(state)),
    })
}

/// An explanation, with the finding that the machine's other sensors do not explain the level; `named`: the sensor, and the
/// names of the others that it follows.
#[must_use]
pub fn apart(explanation: &str, level: f64, apart: &Apart, (sensor, others): (Sensor, &[&str])) -> String {
    let Ok(mut all) = serde_json::from_str::<Contributing>(explanation) else {
        return explanation.to_owned();
    };
    let known = level - apart.by;
    let side = if apart.by >= 0.0 { "above" } else { "below" };
    let others = match others {
        [] => "the machine's other sensors explain".to_owned(),
        [one] => format!("{one} explains"),
        [more @ .., last] => format!("{} and {last} explain", more.join(", ")),
    };
    let sentence = format!(
        "{} is {} {side} what {others}, since {}: {} instead of {}.",
        sensor.name,
        sensor.value(apart.by.abs()),
        minute(apart.since.0),
        sensor.value(level),
        sensor.value(known),
    );
    match &mut all.reference {
        Some(reference) if reference.outside.is_some() => all.reason = format!("{} {sentence}", all.reason),
        reference => {
            *reference = Some(ReferenceState {
                learning_days_left: None,
                outside: Some("level for the other sensors".to_owned()),
                since: Some(apart.since),
                now: Some(significant(level)),
                known: Some(significant(known)),
                usual: reference.as_ref().and_then(|r| r.usual),
            });
            all.reason = sentence;
        }
    }
    text(&all)
}

fn reference(state: &State) -> ReferenceState {
    let left = state.reference.learning_days_left(1_000_000 * state.learning_s);
    let finding = state.reference.finding();
    let compared = match finding {
        Some(Finding::Level(c) | Finding::LevelForTimeOfDay(c) | Finding::Gain(c) | Finding::Share(c)) => {
            Some(c)
        }
        Some(Finding::Scatter(_) | Finding::Outliers) | None => None,
    };
    let levels = state.reference.levels();
    ReferenceState {
        learning_days_left: left.map(|days| round(days, 2)),
        outside: finding.map(|f| kind(f).to_owned()),
        since: finding.and(state.reference.since_us()).map(Timestamp),
        now: compared.map(|c| c.now).or(levels.map(|l| l.0)).map(significant),
        known: compared.map(|c| significant(c.known)),
        usual: levels.map(|(_, (low, high))| UsualLevels { low: significant(low), high: significant(high) }),
    }
}

fn kind(finding: Finding) -> &'static str {
    match finding {
        Finding::Level(_) => "level",
        Finding::LevelForTimeOfDay(_) => "level for the time of day",
        Finding::Scatter(_) => "scatter",
        Finding::Gain(_) => "gain",
        Finding::Share(_) => "share of time",
        Finding::Outliers => "outliers",
    }
}

/// What has left the reference, as a sentence.
fn finding_sentence(finding: Finding, since: Option<i64>, sensor: Sensor) -> String {
    let name = sensor.name;
    let apart = |Compared { now, known }: Compared| {
        let side = if now >= known { "above" } else { "below" };
        (
            format!("{} {side}", sensor.value((now - known).abs())),
            format!("{} instead of {}", sensor.value(now), sensor.value(known)),
        )
    };
    let (what, values) = match finding {
        Finding::Level(compared) => {
            let (by, values) = apart(compared);
            (format!("{name} is {by} the nearest level known from learning"), Some(values))
        }
        Finding::LevelForTimeOfDay(compared) => {
            let (by, values) = apart(compared);
            (format!("{name} is {by} what is usual at this time of day"), Some(values))
        }
        Finding::Scatter(times) => (
            format!(
                "{name} scatters {} times as much as known from learning at such a level",
                significant(times)
            ),
            None,
        ),
        Finding::Gain(compared) => {
            let (by, _) = apart(compared);
            (
                format!(
                    "{name} counts differently: in a stretch of time it gains {by} what is known from learning"
                ),
                None,
            )
        }
        Finding::Share(Compared { now, known }) => (
            format!(
                "{name} is at its upper value for {} % of the time, known from learning is {} %",
                significant(100.0 * now),
                significant(100.0 * known)
            ),
            None,
        ),
        Finding::Outliers => (format!("{name} has more single outliers than while learning"), None),
    };
    let since = since.map(|since| format!(", since {}", minute(since))).unwrap_or_default();
    let values = values.map(|values| format!(": {values}")).unwrap_or_default();
    format!("{what}{since}{values}.")
}

/// `Monday 2026-11-30 14:00 UTC`.
fn minute(time_us: i64) -> String {
    // 1970 began on a Thursday
    const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    let day = DAYS[time_us.div_euclid(86_400_000_000).rem_euclid(7) as usize];
    let text = Timestamp(time_us).to_string();
    let minute = text.get(..16).unwrap_or(&text);
    format!("{day} {} UTC", minute.replace('T', " "))
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned())
}

/// The features with the largest share in the score, as (index, steps by which it shortened the mean path), and the
/// steps of all features that shortened it.
///
/// A feature may be unusual in the forest's eyes by its neighbours' doing; what lies well inside its own usual range
/// explains nothing to a person and is left out.
fn top_features(model: Option<&Model>, scored: &Score) -> (Vec<(usize, f64)>, f64) {
    const INSIDE: f32 = 0.5;
    let Some(model) = model else { return (Vec::new(), 1.0) };
    let mut credit: Vec<(usize, f64)> = model.forest.attribute(&scored.row).into_iter().enumerate().collect();
    credit.retain(|c| c.1 > 0.0);
    let all = credit.iter().map(|c| c.1).sum::<f64>().max(f64::MIN_POSITIVE);
    credit.retain(|c| scored.row[c.0].abs() >= INSIDE);
    credit.sort_by(|a, b| b.1.total_cmp(&a.1));
    credit.truncate(TOP);
    (credit, all)
}

fn reason(
    scored: &Score,
    state: &State,
    limits: &Limits,
    value: f64,
    (top, sensor): (&[(usize, f64)], Sensor),
) -> String {
    if scored.rule_score > 0.0 {
        return limit_sentence(scored.rule_score, limits, value);
    }
    if let Some(finding) = state.reference.finding() {
        return finding_sentence(finding, state.reference.since_us(), sensor);
    }
    let Some(&(i, _)) = top.first().filter(|_| scored.raw >= 0.5) else {
        return if scored.raw >= WARNING_FROM {
            format!("The level has left the range of its own past: {}.", significant(value))
        } else {
            match state.reference.learning_days_left(1_000_000 * state.learning_s) {
                Some(days) => {
                    format!("Still learning what is ordinary for this sensor: {days:.1} days left.")
                }
                None => "The readings behave as usual for this sensor.".to_owned(),
            }
        };
    };
    let (low, high) = state.baseline.usual_range(i);
    let is = scored.features[i];
    let side = match scored.row[i] {
        r if r >= 6.0 => "far above",
        r if r >= 3.0 => "above",
        r if r <= -6.0 => "far below",
        r if r <= -3.0 => "below",
        _ => "at the edge of",
    };
    format!(
        "The {} is {}, {side} what is usual for this sensor ({} to {}).",
        MEANINGS[i],
        significant(is),
        significant(low),
        significant(high)
    )
}

fn limit_sentence(rule_score: f64, limits: &Limits, value: f64) -> String {
    let critical = rule_score >= rules::CRITICAL;
    let (high, low, word) = if critical {
        (limits.critical_high, limits.critical_low, "critical")
    } else {
        (limits.warning_high, limits.warning_low, "warning")
    };
    let value_text = significant(value);
    match (high.filter(|l| value >= *l), low) {
        (Some(limit), _) => {
            format!("{value_text} is at or above the {word} limit of {}.", significant(limit))
        }
        (None, Some(limit)) => {
            format!("{value_text} is at or below the {word} limit of {}.", significant(limit))
        }
        (None, None) => format!("{value_text} is beyond a {word} limit."),
    }
}

/// What a feature says, for people.
const MEANINGS: [&str; 25] = [
    "mean level",
    "spread of the readings",
    "lowest reading",
    "highest reading",
    "middle level",
    "lopsidedness of the readings",
    "share of outliers",
    "spread of the middle half",
    "slope from reading to reading",
    "level at the start of the window",
    "change of the last readings",
    "ratio of the last readings to those before",
    "relative jumpiness",
    "distance of the last reading from the mean",
    "relative jump of the last reading",
    "distance to the range of the healthy past",
    "smoothness",
    "roughness",
    "repetition after 2 readings",
    "repetition after 5 readings",
    "repetition after 10 readings",
    "share of readings that repeat one value",
    "largest spike, in usual spreads",
    "shift within the window, in usual spreads",
    "drift from the healthy past, in its spreads",
];

fn round(v: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (v * scale).round() / scale
}

/// Four significant digits.
fn significant(v: f64) -> f64 {
    if v == 0.0 || !v.is_finite() {
        return 0.0;
    }
    let digits = 3 - v.abs().log10().floor() as i32;
    if (-300..=300).contains(&digits) { round(v, digits.clamp(-12, 12)) } else { v }
}
