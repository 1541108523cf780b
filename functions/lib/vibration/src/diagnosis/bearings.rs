//! Bearings: the whitened envelope, searched for the frequencies of each part.

use super::{Finding, Line, Part, Reference};
use crate::{
    bearing::{Bearing, Orders},
    comb::{Comb, SHAFT_HALF_WIDTH},
    element::{Kind, Machine},
    envelope::WhitenedEnvelope,
    fft::Fft,
    stats::power_db,
    waveform::Waveform,
};

/// Slip that is allowed for, as a fraction: 1 to 2 % are usual.
pub const SLIP: f64 = 0.02;
/// Lines of a part that are added up.
const HARMONICS: usize = 5;
/// Lines of the cage that are added up.
const CAGE_HARMONICS: usize = 4;
/// Fewest revolutions in a burst for a statement.
pub const FEWEST_REVOLUTIONS: f64 = 20.0;
/// Probability from which a part is named.
pub const CLAIM: f64 = 0.8;
/// How much stronger than in the healthy reference a part must show to be named, where there is a reference.
const ABOVE_REFERENCE: f64 = 1.5;

/// Strength at which a fault and no fault are equally probable, and how fast that changes; see [`probabilities`].
const EVEN: f64 = 2.5;
const STEEPNESS: f64 = 1.5;
/// Probability that lines at a part's frequency come from another cause.
const OTHER_CAUSE: f64 = 0.04;
/// What lines of the cage count beside lines of a part: damaged races show the turn of the cage too, as the rolling elements
/// meet them with different force.
const UNSPECIFIC: f64 = 0.6;
/// How probable damage of the cage alone is beside damage of a rolling element that shows in the same lines.
const CAGE_PRIOR: f64 = 0.1;

/// The findings of all bearings, and the probability that none of them is damaged.
pub(super) fn findings(
    fft: &mut Fft,
    wave: &Waveform,
    shaft_hz: f64,
    machine: &Machine,
    reference: Option<&Reference>,
    missing: &mut Vec<String>,
) -> (Vec<Finding>, Option<f64>) {
    let mut all = Vec::new();
    let elements = machine.elements.iter();
    let bearings: Vec<(&str, f64, Bearing)> = elements
        .filter_map(
            |e| if let Kind::Bearing(b) = e.kind { Some((e.name.as_str(), e.ratio, b)) } else { None },
        )
        .collect();
    for (name, ratio, bearing) in &bearings {
        let hz = shaft_hz * ratio;
        if wave.duration_s() * hz < FEWEST_REVOLUTIONS {
            missing.push(format!("samples: fewer than {FEWEST_REVOLUTIONS} revolutions of {name}"));
            continue;
        }
        let envelope = WhitenedEnvelope::of(fft, &wave.samples, wave.rate_hz, hz);
        let mut comb = Comb::new(envelope.df_orders, &envelope.ratio);
        for shaft in machine.shafts() {
            comb.level(shaft / ratio);
        }
        let others: Vec<Orders> = bearings.iter().map(|b| scaled(b.2.orders(), b.1 / ratio)).collect();
        match of_bearing(&envelope, &comb, name, hz, bearing.orders(), &others) {
            Some(found) => all.extend(found),
            None => missing.push(format!("rate_hz: too low for the frequencies of {name}")),
        }
    }
    if all.is_empty() {
        return (all, None);
    }
    let prior = |f: &Finding| if f.part == Part::Cage { CAGE_PRIOR } else { 1.0 };
    let weighted: Vec<(f64, f64)> = all.iter().map(|f| (f.strength, prior(f))).collect();
    let (probability, none) = probabilities(&weighted);
    for (f, p) in all.iter_mut().zip(probability) {
        f.probability = Some(p);
        f.claimed = p >= CLAIM;
        let healthy = reference.and_then(|r| r.strengths.iter().find(|s| s.0 == f.part && s.1 == f.element));
        if let Some((_, _, before)) = healthy
            && f.claimed
            && f.strength < before + ABOVE_REFERENCE
        {
            f.claimed = false;
            f.notes.push("not stronger than in the healthy reference".to_owned());
        }
    }
    (all, Some(none))
}

/// Probabilities of hypotheses from their strengths and priors, and of none of them.
///
/// A logistic model: the odds of a fault against none grow by e^1.5 with each standard deviation and are even at 2.5; four
/// percent always go to causes that are not among the hypotheses. The constants were set with the CWRU records and their
/// labels in sight, and hold on simulated bearings; `./pm bench models` prints how often what was said with a probability
/// was right, on both.
#[must_use]
pub fn probabilities(hypotheses: &[(f64, f64)]) -> (Vec<f64>, f64) {
    let odds: Vec<f64> = hypotheses
        .iter()
        .map(|(s, prior)| prior * (STEEPNESS * (s.clamp(-20.0, 20.0) - EVEN)).exp())
        .collect();
    let sum = 1.0 + odds.iter().sum::<f64>();
    (odds.iter().map(|o| (1.0 - OTHER_CAUSE) * o / sum).collect(), 1.0 / sum)
}

fn scaled(o: Orders, by: f64) -> Orders {
    Orders { outer: o.outer * by, inner: o.inner * by, spin: o.spin * by, cage: o.cage * by }
}

/// The four findings of a bearing, or nothing where the spectrum ends below its frequencies.
fn of_bearing(
    envelope: &WhitenedEnvelope,
    comb: &Comb,
    name: &str,
    shaft_hz: f64,
    orders: Orders,
    others: &[Orders],
) -> Option<Vec<Finding>> {
    let races = elsewhere_of_races(orders, others, comb.max_order());
    let cages = elsewhere_of_cage(orders);
    let parts = [
        (Part::OuterRace, "BPFO", orders.outer, "fr", 1.0),
        (Part::InnerRace, "BPFI", orders.inner, "fr", 1.0),
        (Part::RollingElement, "2×BSF", 2.0 * orders.spin, "FTF", orders.cage),
    ];
    let cage = comb.strength(orders.cage, SLIP * orders.cage, CAGE_HARMONICS, &cages, &[])?;
    let unspecific = UNSPECIFIC * cage.0;
    let mut found = Vec::new();
    for (part, label, order, side, spacing) in parts {
        // a rolling element that hits one race only knocks at half of the frequency: that is no other shaft
        let slower: &[usize] = if part == Part::RollingElement { &[3, 4] } else { &[2, 3, 4] };
        let (mut strength, fit) = comb.strength(order, SLIP * order, HARMONICS, &races, slower)?;
        let mut lines = lines(envelope, shaft_hz, label, fit.order, HARMONICS);
        lines.extend(sidebands(envelope, shaft_hz, label, fit.order, side, spacing));
        let mut notes = Vec::new();
        // A damaged or off-size rolling element passes the load zone once in a turn of the cage.
        if part == Part::RollingElement && unspecific > strength {
            strength = unspecific;
            lines.extend(self::lines(envelope, shaft_hz, "FTF", cage.1.order, CAGE_HARMONICS));
            notes.push(
                "shows at the frequency of the cage; the cage itself is the less probable cause".to_owned(),
            );
        }
        if (order - order.round()).abs() < SHAFT_HALF_WIDTH + envelope.df_orders {
            notes.push(format!(
                "{label} is nearly {} times the speed of the shaft: hardly to be told from it",
                order.round()
            ));
        }
        found.push(finding(part, name, strength, lines, notes));
    }
    let lines = lines(envelope, shaft_hz, "FTF", cage.1.order, CAGE_HARMONICS);
    found.push(finding(Part::Cage, name, unspecific, lines, Vec::new()));
    Some(found)
}

fn finding(part: Part, element: &str, strength: f64, lines: Vec<Line>, notes: Vec<String>) -> Finding {
    Finding { part, element: element.to_owned(), strength, probability: None, claimed: false, lines, notes }
}

/// Orders in the range of the races' frequencies and beyond that belong to no part and to no harmonic of the shaft.
fn elsewhere_of_races(orders: Orders, others: &[Orders], highest: f64) -> Vec<f64> {
    let own = [orders.outer, orders.inner, 2.0 * orders.spin];
    let (low, high) = (own.iter().copied().fold(f64::MAX, f64::min), own.iter().copied().fold(0.0, f64::max));
    let taken = |q: f64| {
        others.iter().any(|o| [o.outer, o.inner, 2.0 * o.spin].iter().any(|c| near(q, *c, 2.0 * SLIP)))
    };
    let to = (2.0 * high).min(highest / HARMONICS as f64).max(1.28 * high);
    steps(0.57 * low, to, 240).filter(|q| (q - q.round()).abs() > 0.05 && !taken(*q)).collect()
}

/// Orders around that of the cage.
fn elsewhere_of_cage(orders: Orders) -> Vec<f64> {
    let whole = |q: f64| (1..=3).any(|h| (f64::from(h) * q - (f64::from(h) * q).round()).abs() <= 0.03);
    steps(0.63 * orders.cage, 2.4 * orders.cage, 140)
        .filter(|q| !near(*q, orders.cage, 3.0 * SLIP) && !whole(*q))
        .collect()
}

fn near(a: f64, b: f64, fraction: f64) -> bool {
    (a - b).abs() <= fraction * b
}

fn steps(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..=count).map(move |i| from + (to - from) * f64::from(i) / f64::from(count))
}

fn line(envelope: &WhitenedEnvelope, shaft_hz: f64, name: String, order: f64) -> Option<Line> {
    let bin = (order / envelope.df_orders).round() as usize;
    let ratio = envelope.ratio.get(bin)?;
    (bin > 2).then(|| Line {
        name,
        hz: order * shaft_hz,
        above_noise_db: power_db(*ratio),
        above_reference_db: None,
    })
}

fn lines(envelope: &WhitenedEnvelope, shaft_hz: f64, label: &str, order: f64, harmonics: usize) -> Vec<Line> {
    (1..=harmonics)
        .filter_map(|h| line(envelope, shaft_hz, format!("{label} ×{h}"), h as f64 * order))
        .collect()
}

fn sidebands(
    env: &WhitenedEnvelope,
    shaft_hz: f64,
    label: &str,
    order: f64,
    side: &str,
    by: f64,
) -> Vec<Line> {
    let around = [("−", -1.0), ("+", 1.0)];
    around
        .into_iter()
        .filter_map(|(sign, s)| line(env, shaft_hz, format!("{label} {sign} {side}"), order + s * by))
        .collect()
}
