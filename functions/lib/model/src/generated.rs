//! Generated sensors: healthy signals of every ordinary kind, and faults laid over them. The benchmark runs them all; a model that
//! is to be promoted has to pass a few of them ([`examine`]).

pub mod fault;
pub mod signal;

use crate::{Model, reference::LEARNING_S, scorer, state::State};
use fault::Fault;
use pm_api::{ReadingStatus, ai::GeneratedSignal, score::Limits};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use signal::{Kind, START_S, Signal};

const HOUR_S: f64 = 3600.0;
const DAY_S: f64 = 24.0 * HOUR_S;
/// Signals of the examination, and whether slow faults are laid over them.
pub const EXAMINED: [(Kind, bool); 6] = [
    (Kind::White, true),
    (Kind::OffAtNight, true),
    (Kind::TwoShifts, true),
    (Kind::LoadSteps2h, true),
    (Kind::RunHoursWithReset, false),
    (Kind::Contact, false),
];
const FAULTS: [Fault; 3] = [Fault::Drift(1.0), Fault::Scatter(5.0, 6.0), Fault::Wear];
const INTERVAL_S: f64 = 120.0;
/// Healthy days after learning, and after how many of them the faults begin.
const HEALTHY_DAYS: f64 = 7.0;
const FAULTS_AFTER_DAYS: f64 = 2.5;

/// A standard normal number (Box & Muller 1958).
pub fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let u: f64 = rng.random_range(f64::MIN_POSITIVE..1.0);
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * rng.random_range(0.0..1.0f64)).cos()
}

/// One signal of the examination: alarms on healthy days after learning, and the slow faults that are seen in time.
#[must_use]
pub fn examine(model: &Model, (kind, with_faults): (Kind, bool), seed: u64) -> GeneratedSignal {
    let mut signal = Signal::draw(kind, INTERVAL_S, seed);
    let learned_s = START_S + LEARNING_S as f64;
    let begin_s = learned_s + FAULTS_AFTER_DAYS * DAY_S;
    let (mut state, mut at_begin) = (State::default(), None);
    let mut rest = Vec::new();
    let (mut alarms, mut held, mut counted_day) = (0, 0.0, -1.0);
    loop {
        let (at_s, value) = signal.next_reading();
        if at_s > learned_s + HEALTHY_DAYS * DAY_S {
            break;
        }
        if at_s >= begin_s {
            at_begin.get_or_insert_with(|| state.clone());
            rest.push((at_s, value));
        } else {
            held = value;
        }
        let onset = advance(&mut state, model, at_s, value);
        if at_s > learned_s {
            // an alarm that stands counts again every day
            let day = ((at_s - learned_s) / DAY_S).floor();
            if onset || (state.track.class > ReadingStatus::Normal && day != counted_day) {
                alarms += 1;
                counted_day = day;
            }
        }
    }
    let seen = |fault: &Fault| {
        let mut state = at_begin.clone().unwrap_or_default();
        let mut noise = ChaCha8Rng::seed_from_u64(seed ^ 0xfa17);
        rest.iter().enumerate().any(|(count, &(at_s, value))| {
            let hours = (at_s - begin_s) / HOUR_S;
            let noise = normal(&mut noise);
            hours <= fault.within_h() && {
                let value = fault.apply(value, hours, held, count as u64, noise, signal.sigma);
                advance(&mut state, model, at_s, value)
            }
        })
    };
    let faults: &[Fault] = if with_faults { &FAULTS } else { &[] };
    GeneratedSignal {
        signal: kind.name().to_owned(),
        healthy_days: HEALTHY_DAYS as u64,
        false_alarms: alarms,
        slow_faults_seen: faults.iter().filter(|f| seen(f)).count() as u64,
        slow_faults: faults.len() as u64,
    }
}

/// Takes a reading; is it the beginning of an alarm?
fn advance(state: &mut State, model: &Model, at_s: f64, value: f64) -> bool {
    let before = state.track.class;
    scorer::advance(state, Some(model), &Limits::default(), (at_s * 1e6) as i64, value);
    before == ReadingStatus::Normal && state.track.class > before
}
