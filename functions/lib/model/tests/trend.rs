//! The extrapolation of a level to its limit, on drifts whose end is known.

use pm_api::{RulMethod, remaining_life::RemainingLife, score::Limits};
use pm_model::{history::History, rul::trend};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

const STEP_US: i64 = 10_000_000;
const START_US: i64 = 1_700_000_000_000_000;
const STEPS_PER_HOUR: f64 = 360.0;

/// What lies upon the drift.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    /// Independent noise of a reading.
    Noise,
    /// Noise that fades over about ten minutes.
    SlowNoise,
    /// The level itself wanders.
    Wandering,
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// A drift of 1 per hour, seen for `seen` steps; the limit is reached `ahead` steps later. Gives the prognosis at the
/// end of what was seen and the true hours.
fn run(seed: u64, disturbance: Disturbance) -> Option<(RemainingLife, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let seen = rng.random_range(500..4000u32);
    let ahead = f64::from(seen) * rng.random_range(0.1..3.0);
    let moved = f64::from(seen) / STEPS_PER_HOUR;
    let size = moved * rng.random_range(0.02..0.15);
    let (mut level, mut slow, mut limit) = (50.0, 0.0, f64::INFINITY);
    let mut history = History::default();
    let mut told = None;
    for k in 0..10 * seen {
        level += 1.0 / STEPS_PER_HOUR;
        if let Disturbance::Wandering = disturbance {
            level += normal(&mut rng) * size * (0.3 / f64::from(seen)).sqrt();
        }
        slow += (normal(&mut rng) * 11.0 - slow) / 60.0;
        let time = START_US + i64::from(k) * STEP_US;
        if k < seen {
            let noise = match disturbance {
                Disturbance::SlowNoise => slow * 0.5,
                _ => normal(&mut rng),
            };
            history.add(time, level + size * noise, true);
        }
        if k + 1 == seen {
            limit = level + ahead / STEPS_PER_HOUR;
            let limits = Limits { critical_high: Some(limit), ..Limits::default() };
            told = trend::remaining_life(&history, &limits, level, 0.0, time);
        }
        if level >= limit {
            return told.map(|life| (life, f64::from(k + 1 - seen) / STEPS_PER_HOUR));
        }
    }
    None
}

#[test]
fn nine_of_ten_drifts_end_within_their_interval() {
    let (mut inside_all, mut all) = (0, 0);
    for disturbance in [Disturbance::Noise, Disturbance::SlowNoise, Disturbance::Wandering] {
        let lives: Vec<_> = (0..200).filter_map(|seed| run(seed, disturbance)).collect();
        let inside = lives.iter().filter(|(life, hours)| {
            life.lower_hours <= *hours && life.upper_hours.is_none_or(|upper| *hours <= upper)
        });
        let inside = inside.count();
        let mut width: Vec<f64> = lives
            .iter()
            .map(|(life, _)| (life.upper_hours.unwrap_or(f64::INFINITY) - life.lower_hours) / life.hours)
            .collect();
        width.sort_by(f64::total_cmp);
        let width = width[width.len() / 2];
        println!(
            "{disturbance:?}: {inside} of {} inside, median width {width:.2} of the estimate",
            lives.len()
        );
        assert!(lives.len() >= 120, "{disturbance:?}: only {} estimates", lives.len());
        assert!(width < 1.2, "{disturbance:?}: intervals as wide as {width} times the estimate say nothing");
        let share = inside as f64 / lives.len() as f64;
        assert!(share >= 0.8, "{disturbance:?}: {share}");
        inside_all += inside;
        all += lives.len();
    }
    let share = f64::from(inside_all as u32) / all as f64;
    assert!((0.85..=0.97).contains(&share), "{inside_all} of {all}");
}

fn line(per_hour: f64, hours: f64) -> History {
    let mut history = History::default();
    for k in 0..(hours * STEPS_PER_HOUR) as i64 {
        let ripple = if k % 2 == 0 { 0.01 } else { -0.01 };
        history.add(START_US + k * STEP_US, 50.0 + per_hour * k as f64 / STEPS_PER_HOUR + ripple, true);
    }
    history
}

#[test]
fn a_straight_line_is_told_on_both_sides() {
    let now = START_US + (4.0 * STEPS_PER_HOUR) as i64 * STEP_US;
    for (per_hour, limits) in [
        (2.0, Limits { critical_high: Some(70.0), ..Limits::default() }),
        (-2.0, Limits { critical_low: Some(30.0), ..Limits::default() }),
        (2.0, Limits { warning_high: Some(70.0), critical_low: Some(0.0), ..Limits::default() }),
    ] {
        let life = trend::remaining_life(&line(per_hour, 4.0), &limits, 58.0, 0.0, now).expect("a trend");
        assert!((life.hours - 6.0).abs() < 0.05, "{life:?}");
        assert!(life.lower_hours > 5.75 && life.upper_hours.is_some_and(|u| u < 6.25), "{life:?}");
        assert_eq!((life.method, life.model), (RulMethod::Trend, None));
    }
}

#[test]
fn no_trend_no_estimate() {
    let now = START_US + (4.0 * STEPS_PER_HOUR) as i64 * STEP_US;
    let high = |limit| Limits { critical_high: Some(limit), ..Limits::default() };
    for (why, history, limits) in [
        ("level", line(0.0, 4.0), high(70.0)),
        ("runs away from the limit", line(-2.0, 4.0), high(70.0)),
        ("no limit", line(2.0, 4.0), Limits::default()),
        ("ten times as far as seen", line(2.0, 4.0), high(150.0)),
        ("too short", line(2.0, 0.01), high(70.0)),
    ] {
        assert_eq!(trend::remaining_life(&history, &limits, 50.0, 0.0, now), None, "{why}");
    }
    let reached = trend::remaining_life(&line(0.0, 4.0), &high(50.0), 50.5, 0.0, now).expect("reached");
    assert_eq!((reached.hours, reached.lower_hours, reached.upper_hours), (0.0, 0.0, Some(0.0)));
}
