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
        // Where levels remember or wander, the end may be open; the lower limit still says something.
        let mut lower: Vec<f64> = lives.iter().map(|(life, _)| life.lower_hours / life.hours).collect();
        lower.sort_by(f64::total_cmp);
        let lower = lower[lower.len() / 2];
        assert!(lower > 0.2, "{disturbance:?}: lower limits at {lower} of the estimate say nothing");
        let open = matches!(disturbance, Disturbance::SlowNoise | Disturbance::Wandering);
        assert!(open || width < 2.5, "{disturbance:?}: {width} times the estimate");
        let share = inside as f64 / lives.len() as f64;
        assert!(share >= 0.8, "{disturbance:?}: {share}");
        inside_all += inside;
        all += lives.len();
    }
    let share = f64::from(inside_all as u32) / all as f64;
    assert!(share >= 0.9, "{inside_all} of {all}");
}

/// A way from 0 to 1 in the time from 0 to 1, by a random number of the run.
type Way = fn(f64, f64) -> f64;

/// The prognosis at some moment of a way with noise, and the hours to the limit at 1; `daily` is the amplitude of a cycle.
fn on_a_way(seed: u64, way: Way, daily: bool) -> Option<(RemainingLife, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let total_h = 10f64.powf(rng.random_range(0.7..2.0));
    let step_h = (total_h / 3000.0).clamp(10.0 / 3600.0, 60.0 / 3600.0);
    let (now, noise, kind) =
        (rng.random_range(0.25..0.95), rng.random_range(0.005..0.03), rng.random::<f64>());
    let cycle = if daily { rng.random_range(0.03..0.15) } else { 0.0 };
    let phase = rng.random_range(0.0..std::f64::consts::TAU);
    let level = |hours: f64| {
        way(hours / total_h, kind) + cycle * (std::f64::consts::TAU * hours / 24.0 + phase).sin()
    };
    let mut history = History::default();
    let steps = (now * total_h / step_h) as i64;
    let at = |k: i64| START_US + (k as f64 * step_h * 3.6e9) as i64;
    for k in 0..=steps {
        history.add(at(k), level(k as f64 * step_h) + noise * normal(&mut rng), true);
    }
    let limits = Limits { critical_high: Some(1.0), ..Limits::default() };
    let told_h = steps as f64 * step_h;
    let life = trend::remaining_life(&history, &limits, level(told_h), 0.0, at(steps))?;
    let reached = (steps..100 * steps).find(|k| level(*k as f64 * step_h) >= 1.0)?;
    Some((life, reached as f64 * step_h - told_h))
}

#[test]
fn intervals_hold_for_curves_too() {
    let ways: [(&str, Way, bool, f64); 5] = [
        ("line", |x, _| x, false, 0.95),
        ("line with a daily cycle", |x, _| x, true, 0.8),
        ("exponential", |x, r| ((2.0 + 2.5 * r) * x).exp_m1() / (2.0 + 2.5 * r).exp_m1(), false, 0.8),
        ("quadratic", |x, _| x * x, false, 0.85),
        ("knee", |x, r| ((x - 0.2 - 0.4 * r) / (0.8 - 0.4 * r)).max(0.0), false, 0.9),
    ];
    for (name, way, daily, least) in ways {
        let lives: Vec<_> = (0..200).filter_map(|seed| on_a_way(seed, way, daily)).collect();
        let inside = lives.iter().filter(|(life, hours)| {
            life.lower_hours <= *hours && life.upper_hours.is_none_or(|upper| *hours <= upper)
        });
        let share = inside.count() as f64 / lives.len() as f64;
        println!("{name}: {share:.3} of {}", lives.len());
        assert!(lives.len() >= 100 && share >= least, "{name}: {share} of {}", lives.len());
    }
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
