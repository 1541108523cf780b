//! The diagnosis of bearings on the records of the Case Western Reserve University Bearing Data Center: 60 with a seeded
//! fault, one healthy.
//!
//! The diagnosis is given the samples, the rate, the speed and the geometry of the bearing, the same settings for every
//! record. The label is compared afterwards. Simulated bearings of many geometries, speeds and strengths of the fault tell
//! whether the probabilities are what they say.

use super::{Section, round};
use anyhow::{Context as _, Result, ensure};
use flate2::read::GzDecoder;
use pm_vibration::{
    Bearing, Diagnosis, Fft, Machine, Unit, Waveform,
    diagnosis::{Part, diagnose},
    envelope::envelope_spectrum,
    features::Features,
    kurtogram::{best, kurtogram},
    simulate::{Defect, Plan, Random},
    spectrum::{Spectrum, Window},
};
use serde::Deserialize;
use serde_json::json;
use std::{fs, io::Read as _, path::Path, time::Instant};

/// What must hold.
const RANKED_FIRST: usize = 50;
const OF_CLAIMS: f64 = 0.9;
const PIECES: usize = 10;
const SIMULATED: u64 = 600;
/// How far the share of right claims may lie from the mean of their probabilities.
const CALIBRATION: f64 = 0.06;
const FALSE_CLAIMS: f64 = 0.01;
const BURST: usize = 16_384;
const BURSTS_A_SECOND: f64 = 100.0;

#[derive(Deserialize)]
struct Index {
    bearing: Geometry,
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Geometry {
    balls: u32,
    ball_diameter_in: f64,
    pitch_diameter_in: f64,
    contact_angle_deg: f64,
}

#[derive(Deserialize)]
struct Record {
    file: String,
    record: u32,
    rate_hz: f64,
    rpm: f64,
    fault: Option<String>,
    size_mil: Option<f64>,
}

/// The three parts of the labels.
fn name(part: Part) -> &'static str {
    match part {
        Part::OuterRace => "outer race",
        Part::InnerRace => "inner race",
        Part::RollingElement => "ball",
        _ => "other",
    }
}

fn samples(folder: &Path, file: &str) -> Result<Vec<f64>> {
    let path = folder.join(file);
    let mut bytes = Vec::new();
    let packed = fs::File::open(&path).with_context(|| path.display().to_string())?;
    GzDecoder::new(packed).read_to_end(&mut bytes)?;
    Ok(bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect())
}

/// Runs it on `data/cwru`.
///
/// # Errors
/// When the records are there and cannot be read.
pub fn run(data: &Path) -> Result<Section> {
    println!("\nbearing diagnosis, CWRU drive end, 12 kHz, labels hidden");
    let folder = data.join("cwru");
    let Ok(index) = fs::read_to_string(folder.join("index.json")) else {
        return Ok(Section::not_measured("no index.json in the folder cwru of the data"));
    };
    let index: Index = serde_json::from_str(&index).context("cwru/index.json")?;
    let g = index.bearing;
    let bearing = Bearing::new(g.balls, g.ball_diameter_in, g.pitch_diameter_in, g.contact_angle_deg)?;
    let machine = Machine::with_bearing("drive end", bearing);
    let unit = Unit::named("g");
    let mut fft = Fft::default();
    let mut look = |values: &[f64], r: &Record| -> Result<Diagnosis> {
        let wave = Waveform::new(values.to_vec(), r.rate_hz, unit, Some(r.rpm))?;
        Ok(diagnose(&mut fft, &wave, &machine, None))
    };
    let (mut faulty, mut first, mut healthy, mut false_claims) = (0, 0, 0, 0);
    let mut claims: Vec<(f64, bool)> = Vec::new();
    let mut rows = Vec::new();
    println!("  record  seeded fault        ranked first      probability  strength  claimed  right");
    for r in &index.records {
        let values = samples(&folder, &r.file)?;
        let Some(fault) = &r.fault else {
            for piece in values.chunks_exact(values.len() / PIECES) {
                let diagnosis = look(piece, r)?;
                let top = &diagnosis.findings[0];
                healthy += 1;
                false_claims += usize::from(top.claimed);
                print_row(r, "healthy", top, "");
            }
            continue;
        };
        let diagnosis = look(&values, r)?;
        let top = &diagnosis.findings[0];
        let right = name(top.part) == fault;
        let probability = top.probability.unwrap_or_default();
        faulty += 1;
        first += usize::from(right);
        if top.claimed {
            claims.push((probability, right));
        }
        let size = r.size_mil.map_or(String::new(), |s| format!(" {s}"));
        print_row(r, &format!("{fault}{size}"), top, if right { "yes" } else { "NO" });
        rows.push(json!({ "record": r.record, "fault": fault, "ranked_first": name(top.part),
            "probability": round(probability), "claimed": top.claimed }));
    }
    ensure!(
        faulty == 60 && healthy >= PIECES,
        "cwru: 60 records with a fault and a healthy one are expected"
    );
    let right = claims.iter().filter(|c| c.1).count();
    let share = right as f64 / claims.len().max(1) as f64;
    let said = claims.iter().map(|c| c.0).sum::<f64>() / claims.len().max(1) as f64;
    println!(
        "  ranked first {first} of {faulty}; claimed {}, right {right}: {share:.3}, said {said:.3}",
        claims.len()
    );
    println!("  healthy record in {healthy} pieces: {false_claims} claims");
    let simulated = simulated()?;
    let speed = speed(&samples(&folder, &index.records[0].file)?, &machine)?;
    println!("  full analysis of {BURST} samples: {speed:.0} bursts a second on one processor");
    let mut section = Section {
        figures: json!({ "ranked_first": first, "of": faulty, "claimed": claims.len(), "claimed_right": right,
            "mean_probability_of_claims": round(said), "healthy_pieces": healthy, "false_claims": false_claims,
            "simulated": simulated.figures, "bursts_a_second": speed.round(), "records": rows }),
        broken: simulated.broken,
    };
    section.require(
        first >= RANKED_FIRST,
        format!("CWRU: {first} ranked first, at least {RANKED_FIRST} wanted"),
    );
    section.require(
        share >= OF_CLAIMS,
        format!("CWRU: {share:.3} of the claims right, at least {OF_CLAIMS} wanted"),
    );
    section.require(false_claims == 0, format!("CWRU: {false_claims} claims on the healthy record"));
    section.require(
        speed >= BURSTS_A_SECOND,
        format!("{speed:.0} bursts a second, at least {BURSTS_A_SECOND} wanted"),
    );
    Ok(section)
}

fn print_row(r: &Record, fault: &str, top: &pm_vibration::diagnosis::Finding, right: &str) {
    println!(
        "  {:<7} {fault:<19} {:<16} {:>12.2} {:>9.1} {:>8}  {right}",
        r.record,
        format!("{:?}", top.part),
        top.probability.unwrap_or_default(),
        top.strength,
        if top.claimed { "yes" } else { "" },
    );
}

/// Whether the probabilities are what they say, on simulated bearings that are none of the records'.
fn simulated() -> Result<Section> {
    let mut fft = Fft::default();
    let (mut healthy, mut accused) = (0_u32, 0_u32);
    let mut said: Vec<(f64, bool)> = Vec::new();
    for seed in 0..SIMULATED {
        let mut random = Random::new(1000 + seed);
        let mut between = |low: f64, high: f64| low + (high - low) * random.uniform();
        let elements = between(7.0, 17.0) as u32;
        let ratio = between(0.6, 0.85) * (std::f64::consts::PI / f64::from(elements)).sin();
        let bearing = Bearing::new(elements, ratio, 1.0, between(0.0, 30.0))?;
        let defect = match between(0.0, 4.0) as u32 {
            0 => None,
            1 => Some((Defect::Outer, Part::OuterRace)),
            2 => Some((Defect::Inner, Part::InnerRace)),
            _ => Some((Defect::RollingElement, Part::RollingElement)),
        };
        let amplitude = between(0.2_f64.ln(), 4.0_f64.ln()).exp();
        let rate_hz = [8_192.0, 12_800.0, 25_600.0][between(0.0, 3.0) as usize];
        let plan = Plan {
            defect: defect.map(|(d, _)| (bearing, d, amplitude)),
            shaft: vec![between(0.1, 2.0), between(0.0, 1.0), between(0.0, 0.5)],
            mesh: (between(0.0, 2.0) > 1.0).then_some((between(15.0, 60.0) as u32, between(0.1, 1.0), 0.3)),
            slip: between(-0.015, 0.015),
            jitter: between(0.0, 0.02),
            drift: between(-0.003, 0.003),
            ..Plan::healthy((rate_hz * between(2.0, 6.0)) as usize, rate_hz, between(900.0, 3000.0))
        };
        let wave = Waveform::new(plan.run(seed), rate_hz, None, Some(plan.rpm))?;
        let diagnosis = diagnose(&mut fft, &wave, &Machine::with_bearing("bearing", bearing), None);
        let top = &diagnosis.findings[0];
        said.push((top.probability.unwrap_or_default(), defect.is_some_and(|d| d.1 == top.part)));
        if defect.is_none() {
            healthy += 1;
            accused += u32::from(top.claimed);
        }
    }
    println!("  simulated bearings: probability said, right, bursts");
    let mut bands = Vec::new();
    for (low, high) in [(0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 1.0)] {
        let of: Vec<&(f64, bool)> = said.iter().filter(|s| s.0 >= low && s.0 < high).collect();
        let count = of.len().max(1) as f64;
        let mean = of.iter().map(|s| s.0).sum::<f64>() / count;
        let right = of.iter().filter(|s| s.1).count() as f64 / count;
        println!("    {low:.1} to {high:.1}: {mean:.2} {right:.2} {}", of.len());
        bands.push(json!({ "said": round(mean), "right": round(right), "bursts": of.len() }));
    }
    let claims: Vec<&(f64, bool)> =
        said.iter().filter(|s| s.0 >= pm_vibration::diagnosis::bearings::CLAIM).collect();
    let count = claims.len().max(1) as f64;
    let mean = claims.iter().map(|c| c.0).sum::<f64>() / count;
    let right = claims.iter().filter(|c| c.1).count() as f64 / count;
    println!("    {accused} of {healthy} healthy ones accused");
    let mut section = Section {
        figures: json!({ "bands": bands, "healthy": healthy, "accused": accused }),
        broken: Vec::new(),
    };
    let off = (mean - right).abs();
    section.require(
        off <= CALIBRATION,
        format!("simulated bearings: {right:.3} of the claims right, said {mean:.3}"),
    );
    let share = f64::from(accused) / f64::from(healthy.max(1));
    section.require(
        share <= FALSE_CLAIMS,
        format!("simulated bearings: {accused} of {healthy} healthy ones accused"),
    );
    Ok(section)
}

/// Bursts a second for everything that is done at the arrival of one.
fn speed(values: &[f64], machine: &Machine) -> Result<f64> {
    let mut fft = Fft::default();
    let mut once = |burst: &[f64]| -> Result<f64> {
        let wave = Waveform::new(burst.to_vec(), 12_000.0, Unit::named("g"), Some(1796.0))?;
        let features = Features::of(&wave.samples);
        let spectrum = Spectrum::averaged(&mut fft, &wave.samples, wave.rate_hz, burst.len(), Window::Hann);
        let bands = kurtogram(&mut fft, &wave.samples, wave.rate_hz, 500.0);
        let band = best(&bands).context("no band")?.band;
        let envelope = envelope_spectrum(&mut fft, &wave.samples, wave.rate_hz, band);
        let diagnosis = diagnose(&mut fft, &wave, machine, None);
        let strength: f64 = diagnosis.findings.iter().map(|f| f.strength).sum();
        Ok(features.rms + spectrum.rms_between(10.0, 1000.0) + envelope.rms_between(10.0, 500.0) + strength)
    };
    let bursts: Vec<&[f64]> = values.chunks_exact(BURST).collect();
    once(bursts[0])?;
    let start = Instant::now();
    let rounds = 10;
    let mut sum = 0.0;
    for _ in 0..rounds {
        for burst in &bursts {
            sum += once(burst)?;
        }
    }
    ensure!(sum.is_finite(), "a feature is not finite");
    Ok((rounds * bursts.len()) as f64 / start.elapsed().as_secs_f64())
}
