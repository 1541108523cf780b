//! Vibration: bursts of samples, their spectra and diagnoses, and the elements of machines.

use crate::input::{Between, FieldFault, Flag, Many, Number, Text, Whole, input};
use crate::word::{UnknownWord, words};
use crate::{MachineId, SensorId, Timestamp, WaveformId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fmt, str::FromStr};

/// Fewest samples of a burst.
pub const MIN_SAMPLES: usize = 256;
/// Most samples of a burst.
pub const MAX_SAMPLES: usize = 262_144;
/// Longest burst as base64: float32.
pub const MAX_BASE64_CHARS: usize = (MAX_SAMPLES * 4).div_ceil(3) * 4;

words! {
    /// How samples are packed into base64, little endian.
    SampleEncoding {
        /// 16-bit integers.
        Int16 = "int16",
        /// 32-bit floating-point numbers.
        Float32 = "float32",
    }
    /// A kind of machine element.
    ElementKind {
        /// A rolling bearing.
        Bearing = "bearing",
        /// A gear.
        Gear = "gear",
        /// Blades or vanes of a rotor.
        Blades = "blades",
        /// A belt.
        Belt = "belt",
    }
    /// A part that can be damaged, or a state of a shaft.
    VibrationPart {
        /// Outer race of a bearing.
        OuterRace = "outer_race",
        /// Inner race of a bearing.
        InnerRace = "inner_race",
        /// A rolling element of a bearing.
        RollingElement = "rolling_element",
        /// Cage of a bearing.
        Cage = "cage",
        /// Imbalance.
        Imbalance = "imbalance",
        /// Misalignment.
        Misalignment = "misalignment",
        /// Looseness.
        Looseness = "looseness",
        /// Mesh of a gear.
        GearMesh = "gear_mesh",
        /// Blades or vanes.
        Blades = "blades",
        /// A belt.
        Belt = "belt",
    }
    /// The answer of a diagnosis in one word.
    VibrationVerdict {
        /// A part is named.
        Fault = "fault",
        /// What was looked at is as in a healthy machine.
        NothingFound = "nothing_found",
        /// There is evidence, but not enough or for several parts alike.
        CannotTell = "cannot_tell",
        /// Something is missing without which nothing can be said.
        NotAssessed = "not_assessed",
    }
}

/// A stored burst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waveform {
    /// Identifier.
    pub id: WaveformId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// When the first sample was taken.
    pub timestamp: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// Samples a second.
    pub rate_hz: f64,
    /// Number of samples.
    pub samples: i32,
    /// Unit of the samples; absent: not known.
    pub unit: Option<String>,
    /// Direction of measurement.
    pub axis: Option<String>,
    /// Speed of the shaft, revolutions a minute; absent: not known.
    pub rpm: Option<f64>,
    /// What was computed when it arrived.
    pub analysis: WaveformAnalysis,
}

/// What was computed of a burst when it arrived, with the elements that the machine had then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WaveformAnalysis {
    /// Its features; each is a reading of a sensor of the machine.
    pub features: Vec<WaveformFeature>,
    /// The diagnosis.
    pub diagnosis: VibrationDiagnosis,
}

/// A number that describes a burst.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WaveformFeature {
    /// What it is, e.g. `velocity RMS`.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its unit; absent: it has none.
    pub unit: Option<String>,
}

/// Which part is damaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VibrationDiagnosis {
    /// In one word.
    pub verdict: VibrationVerdict,
    /// Hypotheses, the best first.
    pub findings: Vec<VibrationFinding>,
    /// Probability that no known bearing is damaged; absent: bearings were not assessed.
    pub no_bearing_fault: Option<f64>,
    /// What was not given, and what could not be said without it.
    pub missing: Vec<String>,
}

/// A hypothesis and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VibrationFinding {
    /// The part.
    pub part: VibrationPart,
    /// Name of the element; empty for the shaft itself.
    pub element: String,
    /// Strength of the evidence: standard deviations above chance (bearings), or dB above the reference (others).
    pub strength: f64,
    /// Probability; absent where none is calibrated.
    pub probability: Option<f64>,
    /// Is the evidence enough to name the part?
    pub claimed: bool,
    /// The lines that were looked for.
    pub lines: Vec<VibrationLine>,
    /// What limits this finding.
    pub notes: Vec<String>,
}

/// A line that was looked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VibrationLine {
    /// What it is, e.g. `BPFO ×2`.
    pub name: String,
    /// Where it was found, Hz.
    pub hz: f64,
    /// How far above the noise around it, dB.
    pub above_noise_db: f64,
}

/// The course of a burst for a picture: the least and the greatest of each group of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WaveformCurve {
    /// Time from one point to the next, s.
    pub step_s: f64,
    /// Unit.
    pub unit: Option<String>,
    /// Least value of each group.
    pub least: Vec<f64>,
    /// Greatest value of each group.
    pub greatest: Vec<f64>,
}

/// A spectrum for a picture: of several bins, the highest, so that no line is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VibrationSpectrum {
    /// Distance of two bins before points were left out, Hz.
    pub resolution_hz: f64,
    /// Unit of the amplitudes.
    pub unit: Option<String>,
    /// Frequencies, Hz.
    pub hz: Vec<f64>,
    /// Peak amplitudes.
    pub amplitude: Vec<f64>,
    /// The band whose envelope it is; absent: it is the spectrum itself.
    pub band_hz: Option<(f64, f64)>,
    /// The highest lines.
    pub peaks: Vec<VibrationPeak>,
    /// Where shafts and elements show, without slip; empty without a speed.
    pub marks: Vec<FrequencyMark>,
}

/// A line of a spectrum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VibrationPeak {
    /// Frequency, Hz.
    pub hz: f64,
    /// Multiples of the shaft's speed; absent without a speed.
    pub order: Option<f64>,
    /// Peak amplitude.
    pub amplitude: f64,
    /// How far above the noise around it, dB.
    pub above_noise_db: f64,
}

/// A frequency with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrequencyMark {
    /// What shows there, e.g. `drive end BPFO`.
    pub name: String,
    /// Multiples of the shaft's speed.
    pub order: f64,
    /// Hz; absent without a speed.
    pub hz: Option<f64>,
}

/// A machine element with the orders at which it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineElement {
    /// What was given.
    #[serde(flatten)]
    pub given: StoredElement,
    /// Where it shows.
    pub marks: Vec<FrequencyMark>,
}

/// A machine element as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoredElement {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ElementKind,
    /// Speed of its shaft over the speed that bursts come with.
    pub ratio: f64,
    /// Bearing: rolling elements of one row. Gear: teeth. Blades: their number.
    pub count: Option<i64>,
    /// Bearing: diameter of a rolling element, in the unit of the pitch diameter.
    pub element_diameter: Option<f64>,
    /// Bearing: diameter of the circle through the centres of the rolling elements.
    pub pitch_diameter: Option<f64>,
    /// Bearing: contact angle, degrees.
    pub contact_angle_deg: Option<f64>,
    /// Belt: pitch diameter of the pulley over the length of the belt.
    pub pulley_over_belt: Option<f64>,
}

/// A bearing of the library.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KnownBearing {
    /// What is engraved on it.
    pub designation: String,
    /// Rolling elements of one row.
    pub count: i64,
    /// Diameter of a rolling element, mm.
    pub element_diameter: f64,
    /// Diameter of the circle through the centres of the rolling elements, mm.
    pub pitch_diameter: f64,
    /// Contact angle, degrees.
    pub contact_angle_deg: f64,
    /// Where the geometry was published.
    pub source: String,
}

input! {
    /// Body of `POST /sensors/{sensor_id}/waveforms`: `samples`, or `data` with its `encoding`.
    NewWaveform check one_form_of_samples {
        required {
            /// Samples a second.
            rate_hz: Between<1, 1_000_000>,
        }
        optional {
            /// When the first sample was taken; now unless given.
            timestamp: Timestamp,
            /// The samples.
            samples: Many<Number, MIN_SAMPLES, MAX_SAMPLES>,
            /// The samples, packed and in base64.
            data: Text<4, MAX_BASE64_CHARS>,
            /// How `data` is packed.
            encoding: SampleEncoding,
            /// What each sample is multiplied by; 1 unless given.
            scale: Number,
            /// What is added afterwards; 0 unless given.
            offset: Number,
            /// Unit of the samples, e.g. m/s², g, mm/s; the sensor's unless given.
            unit: Text<1, 20>,
            /// Direction of measurement, e.g. x or radial.
            axis: Text<1, 20>,
            /// Speed of the shaft, revolutions a minute.
            rpm: Between<1, 600_000>,
        }
    }
    /// Query of a spectrum.
    SpectrumQuery {
        optional {
            /// Points of the answer at most; 2000 unless given.
            points: Whole<10, 20_000>,
            /// Integrate an acceleration to velocity, in mm/s?
            velocity: Flag,
        }
    }
    /// Query of a curve or of an envelope.
    PointsQuery {
        optional {
            /// Points of the answer at most; 2000 unless given.
            points: Whole<10, 20_000>,
        }
    }
    /// A machine element in the body of `PUT /machines/{machine_id}/elements`.
    NewElement {
        required {
            /// Its name, unique within the machine.
            name: Text<1, 60>,
            /// Its kind.
            kind: ElementKind,
        }
        optional {
            /// Speed of its shaft over the speed that bursts come with; 1 unless given.
            ratio: Number,
            /// Bearing: rolling elements of one row. Gear: teeth. Blades: their number.
            count: Whole<1, 2000>,
            /// Bearing: diameter of a rolling element, in the unit of the pitch diameter.
            element_diameter: Number,
            /// Bearing: diameter of the circle through the centres of the rolling elements.
            pitch_diameter: Number,
            /// Bearing: contact angle, degrees; 0 unless given.
            contact_angle_deg: Between<0, 80>,
            /// Belt: pitch diameter of the pulley over the length of the belt.
            pulley_over_belt: Number,
        }
    }
}

/// The elements of a machine, all of them.
pub type NewElements = Many<NewElement, 0, 100>;

fn one_form_of_samples(new: &NewWaveform) -> Result<(), FieldFault> {
    match (&new.samples, &new.data, &new.encoding) {
        (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(()),
        (None, Some(_), None) => {
            Err(FieldFault::new("encoding", "data needs an encoding: int16 or float32", json!(null)))
        }
        _ => Err(FieldFault::new("samples", "Give either samples, or data with its encoding", json!(null))),
    }
}
