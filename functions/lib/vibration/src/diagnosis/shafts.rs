//! Shafts, gears, blades and belts: lines of the spectrum against this machine's own healthy reference.
//!
//! Every machine has some imbalance and every gear a mesh line; how high is normal differs from machine to machine. So a
//! part is named only when its lines have grown, and nothing is claimed where there is no reference.

use super::{Finding, Line, Part, Reference};
use crate::{
    element::{Kind, Machine},
    fft::Fft,
    spectrum::{Spectrum, Window},
    stats::power_db,
    waveform::{Quantity, Waveform},
};

/// Growth from which a part is named: 2.5 times.
pub const GROWTH_DB: f64 = 8.0;
/// A line this far above the noise is one.
const LINE_DB: f64 = 10.0;
/// Orders of the shaft that are looked at; the halves tell looseness.
const ORDERS: [f64; 10] = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0];

struct Found {
    name: String,
    hz: f64,
    amplitude: f64,
    above_noise_db: f64,
}

/// Amplitudes of the lines of shafts and elements, in SI units where the unit is known: what a reference keeps. Acceleration
/// is taken as velocity, in which imbalance and misalignment are measured.
#[must_use]
pub fn lines(fft: &mut Fft, wave: &Waveform, shaft_hz: f64, machine: &Machine) -> Vec<(String, f64)> {
    find(fft, wave, shaft_hz, machine).into_iter().map(|f| (f.name, f.amplitude)).collect()
}

fn find(fft: &mut Fft, wave: &Waveform, shaft_hz: f64, machine: &Machine) -> Vec<Found> {
    let mut spectrum = Spectrum::averaged(fft, &wave.samples, wave.rate_hz, wave.samples.len(), Window::Hann);
    let noise = spectrum.noise(1.36 * shaft_hz);
    let above: Vec<f64> = spectrum
        .amplitude
        .iter()
        .zip(&noise)
        .map(|(a, n)| power_db((a / n.max(f64::MIN_POSITIVE)).powi(2)))
        .collect();
    let si = wave.unit.map_or(1.0, |u| u.si);
    if wave.unit.is_some_and(|u| u.quantity == Quantity::Acceleration) {
        spectrum = spectrum.integrated(0.3 * shaft_hz);
    }
    let mut wanted: Vec<(String, f64)> = ORDERS.iter().map(|o| (format!("{o}×"), *o)).collect();
    for e in &machine.elements {
        if let Some(order) = e.order() {
            wanted.push((e.name.clone(), order));
            if matches!(e.kind, Kind::Gear(_)) {
                wanted.push((format!("{} − fr", e.name), order - e.ratio));
                wanted.push((format!("{} + fr", e.name), order + e.ratio));
            }
        }
    }
    let found = wanted.into_iter().filter_map(|(name, order)| {
        let hz = order * shaft_hz;
        let (at, amplitude) = spectrum.line(hz, (0.005 * hz).max(1.5 * spectrum.df_hz))?;
        let above_noise_db = above[(at / spectrum.df_hz).round() as usize];
        Some(Found { name, hz: at, amplitude: amplitude * si, above_noise_db })
    });
    found.collect()
}

/// The findings.
pub(super) fn findings(
    fft: &mut Fft,
    wave: &Waveform,
    shaft_hz: f64,
    machine: &Machine,
    reference: Option<&Reference>,
    missing: &mut Vec<String>,
) -> Vec<Finding> {
    let Some(reference) = reference.filter(|r| !r.lines.is_empty()) else {
        missing.push("reference: without healthy bursts of this sensor no growth of shaft, gear, blade or belt lines can be seen".to_owned());
        return Vec::new();
    };
    let found = find(fft, wave, shaft_hz, machine);
    let growth = |name: &str| {
        let line = found.iter().find(|f| f.name == name)?;
        let before = reference.lines.iter().find(|l| l.0 == name)?.1;
        let db = power_db((line.amplitude / before.max(f64::MIN_POSITIVE)).powi(2));
        (line.above_noise_db >= LINE_DB).then_some(db)
    };
    let of = |names: &[&str]| -> Vec<Line> {
        let all = names.iter().filter_map(|n| found.iter().find(|f| f.name == *n));
        all.map(|f| Line {
            name: f.name.clone(),
            hz: f.hz,
            above_noise_db: f.above_noise_db,
            above_reference_db: growth(&f.name),
        })
        .collect()
    };
    let grown = |name: &str| growth(name).unwrap_or(0.0);
    let amplitude = |name: &str| found.iter().find(|f| f.name == name).map_or(0.0, |f| f.amplitude);
    let mut out = Vec::new();
    let mut push = |part, element: &str, strength: f64, fits: bool, names: &[&str]| {
        let claimed = fits && strength >= GROWTH_DB;
        let lines = of(names);
        out.push(Finding {
            part,
            element: element.to_owned(),
            strength,
            probability: None,
            claimed,
            lines,
            notes: vec![],
        });
    };
    let many = ["0.5×", "1×", "1.5×", "2×", "2.5×", "3×", "4×", "5×", "6×", "7×"];
    let risen = many.iter().filter(|n| grown(n) >= GROWTH_DB).count();
    let loose = risen >= 4;
    let second = amplitude("2×") >= 0.5 * amplitude("1×");
    push(Part::Imbalance, "", grown("1×"), !second && !loose, &["1×", "2×", "3×"]);
    push(Part::Misalignment, "", grown("2×"), second && !loose, &["1×", "2×", "3×"]);
    let mut strengths: Vec<f64> = many.iter().map(|n| grown(n)).collect();
    strengths.sort_by(|a, b| b.total_cmp(a));
    push(Part::Looseness, "", strengths[3], loose, &many);
    for e in &machine.elements {
        let part = match e.kind {
            Kind::Bearing(_) => continue,
            Kind::Gear(_) => Part::GearMesh,
            Kind::Blades(_) => Part::Blades,
            Kind::Belt(_) => Part::Belt,
        };
        let sides = [format!("{} − fr", e.name), format!("{} + fr", e.name)];
        let names = [e.name.as_str(), &sides[0], &sides[1]];
        let strength = names.iter().map(|n| grown(n)).fold(0.0, f64::max);
        push(part, &e.name, strength, true, &names);
    }
    out
}
