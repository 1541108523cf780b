//! What is computed of a burst, in the words of the API.

use pm_api::vibration::{
    VibrationDiagnosis, VibrationFinding, VibrationLine, VibrationPart, VibrationVerdict, WaveformAnalysis,
    WaveformFeature,
};
use pm_vibration::{
    Diagnosis, Fft, Machine, Verdict, Waveform,
    diagnosis::{Part, diagnose},
    features::measured,
};

/// Features and diagnosis.
pub(crate) fn of(wave: &Waveform, unit: Option<&str>, machine: &Machine) -> WaveformAnalysis {
    let mut fft = Fft::default();
    let diagnosis = diagnose(&mut fft, wave, machine, None);
    let features = measured(&mut fft, wave, &diagnosis).into_iter().map(|m| WaveformFeature {
        name: m.name,
        value: m.value,
        unit: if m.in_unit_of_waveform { unit.map(str::to_owned) } else { m.unit.map(str::to_owned) },
    });
    WaveformAnalysis { features: features.collect(), diagnosis: answer(diagnosis) }
}

/// The diagnosis.
pub(crate) fn answer(diagnosis: Diagnosis) -> VibrationDiagnosis {
    let finding = |f: pm_vibration::diagnosis::Finding| VibrationFinding {
        part: part(f.part),
        element: f.element,
        strength: f.strength,
        probability: f.probability,
        claimed: f.claimed,
        lines: f
            .lines
            .into_iter()
            .map(|l| VibrationLine { name: l.name, hz: l.hz, above_noise_db: l.above_noise_db })
            .collect(),
        notes: f.notes,
    };
    VibrationDiagnosis {
        verdict: match diagnosis.verdict {
            Verdict::Fault => VibrationVerdict::Fault,
            Verdict::NothingFound => VibrationVerdict::NothingFound,
            Verdict::CannotTell => VibrationVerdict::CannotTell,
            Verdict::NotAssessed => VibrationVerdict::NotAssessed,
        },
        findings: diagnosis.findings.into_iter().map(finding).collect(),
        no_bearing_fault: diagnosis.no_bearing_fault,
        missing: diagnosis.missing,
    }
}

fn part(part: Part) -> VibrationPart {
    match part {
        Part::OuterRace => VibrationPart::OuterRace,
        Part::InnerRace => VibrationPart::InnerRace,
        Part::RollingElement => VibrationPart::RollingElement,
        Part::Cage => VibrationPart::Cage,
        Part::Imbalance => VibrationPart::Imbalance,
        Part::Misalignment => VibrationPart::Misalignment,
        Part::Looseness => VibrationPart::Looseness,
        Part::GearMesh => VibrationPart::GearMesh,
        Part::Blades => VibrationPart::Blades,
        Part::Belt => VibrationPart::Belt,
    }
}
