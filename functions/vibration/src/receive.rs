//! A burst arrives: it is read, analysed, stored, and its features go the way of all readings.

use crate::{analysis, elements::machine};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use pm_api::{
    SensorId,
    error::FieldError,
    ingest::{Batch, Reading, SensorRef},
    route::op,
    vibration::{MAX_SAMPLES, MIN_SAMPLES, NewWaveform, SampleEncoding, Waveform},
};
use pm_domain::freshness::{Freshness, freshness};
use pm_store::vibration::{self, NewBurst, Subject};
use pm_vibration::{Unit, waveform};
use pm_web::{Input, Refusal, Stored, ingest, now};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};

/// Type of the sensors of features.
const FEATURE_TYPE: &str = "vibration";
/// Characters of a sensor's name that begin the names of its features.
const NAME_CHARS: usize = 30;

/// `POST /sensors/{sensor_id}/waveforms`: 201 with the stored burst; 200 if just this one is stored already; 409 if the
/// sensor has another burst at this time.
pub(crate) async fn create(input: Input<op::CreateWaveform>) -> Result<Stored<Waveform>, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let new = &input.body;
    let time = new.timestamp.unwrap_or_else(now);
    if let Freshness::Refused(fault) = freshness(time, now()) {
        let reason = fault.reason().trim_start_matches("timestamp: ");
        return Err(refused("timestamp", reason, json!(time)));
    }
    let samples = samples(new)?;
    let db = input.db().await?;
    input.actor(&db).await?;
    let subject = vibration::subject(&db, sensor_id).await?.ok_or(Refusal::NotFound)?;
    let unit = new.unit.as_deref().or(subject.unit.as_deref());
    let rpm = new.rpm.map(|r| r.0);
    let wave =
        waveform::Waveform::new(samples, new.rate_hz.0, unit.and_then(Unit::named), rpm).map_err(fault)?;
    let analysis = analysis::of(&wave, unit, &machine(&subject.elements));
    let data = pack(&wave.samples)?;
    let burst = NewBurst {
        sensor_id,
        machine_id: subject.machine_id,
        time,
        rate_hz: wave.rate_hz,
        samples: i32::try_from(wave.samples.len()).unwrap_or(i32::MAX),
        unit,
        axis: new.axis.as_deref(),
        rpm,
        data: &data,
        analysis: &analysis,
    };
    let stored = match vibration::store(&db, &burst).await? {
        Some(stored) => Stored::New(stored),
        None => match vibration::at_time(&db, sensor_id, time).await? {
            Some((known, before)) if before == data && known.rate_hz == burst.rate_hz => Stored::Known(known),
            Some(_) => return Err(Refusal::Conflict("The sensor has another burst at this time".to_owned())),
            None => return Err(Refusal::Unavailable("the burst was not stored".to_owned())),
        },
    };
    let (Stored::New(kept) | Stored::Known(kept)) = &stored;
    ingest(&features(&subject, kept)).await?;
    Ok(stored)
}

/// The features as readings of sensors of the same machine, which register themselves as any sensor does.
fn features(subject: &Subject, kept: &Waveform) -> Batch {
    let name: String = subject.name.chars().take(NAME_CHARS).collect();
    let mut batch = Batch::default();
    for (index, feature) in (0..).zip(&kept.analysis.features) {
        batch.sensors.push(SensorRef {
            machine: subject.machine_id.to_string(),
            sensor: short(&format!("{name} {}", feature.name)),
            sensor_type: Some(FEATURE_TYPE.to_owned()),
            unit: feature.unit.clone(),
            ..SensorRef::default()
        });
        let metadata = json!({ "waveform_id": kept.id }).to_string();
        batch.readings.push(Reading {
            sensor: index,
            time: kept.timestamp,
            value: feature.value,
            metadata: Some(metadata),
            ..Reading::default()
        });
    }
    batch
}

/// As much of a name as the name of a sensor may hold.
fn short(name: &str) -> String {
    let end = name.floor_char_boundary(pm_api::ingest::MAX_NAME_BYTES);
    name[..end].to_owned()
}

fn refused(field: &str, message: &str, input: Value) -> Refusal {
    Refusal::Invalid(vec![FieldError::new("value_error", &["body", field], message, input)])
}

/// What pm-vibration refuses, at its field.
fn fault(fault: waveform::Fault) -> Refusal {
    let text = fault.to_string();
    let (field, message) = text.split_once(": ").unwrap_or(("samples", &text));
    refused(field.split('[').next().unwrap_or(field), message, Value::Null)
}

/// The samples, in their unit.
fn samples(new: &NewWaveform) -> Result<Vec<f64>, Refusal> {
    let counts: Vec<f64> = match (&new.samples, &new.data) {
        (Some(samples), _) => samples.iter().map(|s| s.0).collect(),
        (None, Some(data)) => {
            let bytes = STANDARD
                .decode(data.as_bytes())
                .map_err(|e| refused("data", &format!("Input should be base64: {e}"), Value::Null))?;
            unpacked(&bytes, new.encoding.unwrap_or(SampleEncoding::Float32))?
        }
        (None, None) => Vec::new(),
    };
    if !(MIN_SAMPLES..=MAX_SAMPLES).contains(&counts.len()) {
        let message =
            format!("Input should have {MIN_SAMPLES} to {MAX_SAMPLES} samples: it has {}", counts.len());
        return Err(refused(if new.data.is_some() { "data" } else { "samples" }, &message, Value::Null));
    }
    let (scale, offset) = (new.scale.map_or(1.0, |s| s.0), new.offset.map_or(0.0, |o| o.0));
    waveform::Waveform::calibrated(&counts, scale, offset).map_err(fault)
}

fn unpacked(bytes: &[u8], encoding: SampleEncoding) -> Result<Vec<f64>, Refusal> {
    let (whole, values): (bool, Vec<f64>) = match encoding {
        SampleEncoding::Int16 => {
            let (parts, rest) = bytes.as_chunks();
            (rest.is_empty(), parts.iter().map(|b| f64::from(i16::from_le_bytes(*b))).collect())
        }
        SampleEncoding::Float32 => {
            let (parts, rest) = bytes.as_chunks();
            (rest.is_empty(), parts.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect())
        }
    };
    if whole {
        Ok(values)
    } else {
        Err(refused("data", "Its length is no whole number of samples", Value::Null))
    }
}

/// 32-bit numbers, deflated: a converter has 16 to 24 bits.
fn pack(samples: &[f64]) -> Result<Vec<u8>, Refusal> {
    let bytes: Vec<u8> = samples.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(&bytes).and_then(|()| encoder.finish());
    packed.map_err(|e| Refusal::Internal(format!("samples were not packed: {e}")))
}

/// The samples of a stored burst.
pub(crate) fn unpack(data: &[u8]) -> Result<Vec<f64>, Refusal> {
    let mut bytes = Vec::new();
    DeflateDecoder::new(data)
        .read_to_end(&mut bytes)
        .map_err(|e| Refusal::Internal(format!("samples cannot be unpacked: {e}")))?;
    Ok(bytes.as_chunks().0.iter().map(|b| f64::from(f32::from_le_bytes(*b))).collect())
}
