//! Which part is damaged: hypotheses with their evidence, ranked.

pub mod bearings;
pub mod shafts;

use crate::{
    element::{Kind, Machine},
    fft::Fft,
    waveform::Waveform,
};

/// A part of a machine, or a state of its shaft, that can be at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Outer race of a bearing.
    OuterRace,
    /// Inner race of a bearing.
    InnerRace,
    /// A rolling element of a bearing.
    RollingElement,
    /// Cage of a bearing.
    Cage,
    /// Imbalance of a shaft.
    Imbalance,
    /// Misalignment of two shafts.
    Misalignment,
    /// A loose foot, support or fit.
    Looseness,
    /// Mesh of a gear.
    GearMesh,
    /// Blades or vanes.
    Blades,
    /// A belt.
    Belt,
}

/// A line that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is: `BPFO ×2`.
    pub name: String,
    /// Where it was found, Hz.
    pub hz: f64,
    /// How far above the noise around it, dB.
    pub above_noise_db: f64,
    /// How far above this machine's own healthy reference, dB, where there is one.
    pub above_reference_db: Option<f64>,
}

/// A hypothesis and what speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The part.
    pub part: Part,
    /// Name of the element; empty for the shaft itself.
    pub element: String,
    /// Strength of the evidence. Bearings: standard deviations above chance. Shafts, gears, blades and belts: dB above the
    /// reference.
    pub strength: f64,
    /// Probability, calibrated for bearings as [`bearings::probabilities`] says; nothing where there is no calibration.
    pub probability: Option<f64>,
    /// Whether the evidence is enough to name the part.
    pub claimed: bool,
    /// The lines.
    pub lines: Vec<Line>,
    /// What limits this finding, in words.
    pub notes: Vec<String>,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// At least one part is named.
    Fault,
    /// Everything that was looked at is as in a healthy machine.
    NothingFound,
    /// There is evidence, but not enough or for several parts alike.
    CannotTell,
    /// Something is missing without which nothing can be said.
    NotAssessed,
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// In one word.
    pub verdict: Verdict,
    /// Hypotheses, the best first.
    pub findings: Vec<Finding>,
    /// Probability that no bearing that is known is damaged, where bearings were assessed.
    pub no_bearing_fault: Option<f64>,
    /// What was not given and what could not be said without it.
    pub missing: Vec<String>,
    /// Speed that the answer rests on, revolutions a minute.
    pub rpm: Option<f64>,
}

/// What this machine showed when it was healthy, at the same sensor and a similar speed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// Lines by name: amplitude in SI units.
    pub lines: Vec<(String, f64)>,
    /// Findings of bearings: part, element and strength.
    pub strengths: Vec<(Part, String, f64)>,
}

impl Reference {
    /// The medians of healthy bursts: their lines ([`shafts::lines`]) and their diagnoses.
    #[must_use]
    pub fn of(lines: &[Vec<(String, f64)>], diagnoses: &[Diagnosis]) -> Self {
        let mut reference = Self::default();
        for (name, _) in lines.first().into_iter().flatten() {
            let of_line = |l: &Vec<(String, f64)>| l.iter().find(|x| x.0 == *name).map(|x| x.1);
            let all: Vec<f64> = lines.iter().filter_map(of_line).collect();
            reference.lines.push((name.clone(), crate::stats::median(&all)));
        }
        for f in diagnoses.first().iter().flat_map(|d| &d.findings).filter(|f| f.probability.is_some()) {
            let same = |d: &Diagnosis| {
                d.findings.iter().find(|g| g.part == f.part && g.element == f.element).map(|g| g.strength)
            };
            let all: Vec<f64> = diagnoses.iter().filter_map(same).collect();
            reference.strengths.push((f.part, f.element.clone(), crate::stats::median(&all)));
        }
        reference
    }
}

/// Diagnoses a burst. Only what is given is used.
#[must_use]
pub fn diagnose(
    fft: &mut Fft,
    wave: &Waveform,
    machine: &Machine,
    reference: Option<&Reference>,
) -> Diagnosis {
    let mut missing = Vec::new();
    let Some(shaft_hz) = wave.shaft_hz() else {
        missing.push("rpm: without the speed of the shaft no line can be assigned to a part".to_owned());
        return Diagnosis {
            verdict: Verdict::NotAssessed,
            findings: Vec::new(),
            no_bearing_fault: None,
            missing,
            rpm: None,
        };
    };
    if !machine.elements.iter().any(|e| matches!(e.kind, Kind::Bearing(_))) {
        missing.push("bearing: without its geometry its frequencies are not known".to_owned());
    }
    let (mut findings, none) = bearings::findings(fft, wave, shaft_hz, machine, reference, &mut missing);
    findings.extend(shafts::findings(fft, wave, shaft_hz, machine, reference, &mut missing));
    findings.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let claimed = findings.iter().any(|f| f.claimed);
    let verdict = match none {
        _ if claimed => Verdict::Fault,
        Some(p) if p < 0.5 => Verdict::CannotTell,
        None if reference.is_none() => Verdict::NotAssessed,
        _ => Verdict::NothingFound,
    };
    Diagnosis { verdict, findings, no_bearing_fault: none, missing, rpm: wave.rpm }
}

/// Claimed ones first, then by probability, then by strength.
fn rank(f: &Finding) -> f64 {
    let claimed = if f.claimed { 1000.0 } else { 0.0 };
    claimed + f.probability.map_or(0.0, |p| 100.0 * p) + f.strength.clamp(-50.0, 50.0) / 100.0
}
