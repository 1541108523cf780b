//! A stored burst for a page: its course, its spectra, its diagnosis.

use crate::{
    analysis::answer,
    elements::{machine, marks},
    receive::unpack,
};
use pm_api::{
    SensorId, WaveformId,
    route::{Operation, op, operation::NoBody},
    vibration::{VibrationDiagnosis, VibrationPeak, VibrationSpectrum, Waveform, WaveformCurve},
};
use pm_store::vibration::{self, Subject};
use pm_vibration::{
    Fft, Unit,
    diagnosis::diagnose,
    envelope::envelope_spectrum,
    kurtogram::{best, kurtogram},
    spectrum::{Spectrum, Window},
    waveform::{self, Quantity},
};
use pm_web::{Give, Input, Refusal};
use serde_json::Value;

/// Points of an answer unless given.
const POINTS: usize = 2000;
/// Lines that are listed, and how far they stand above the noise.
const PEAKS: usize = 20;
const PEAK_DB: f64 = 12.0;
/// Narrowest band whose envelope is taken, in revolutions of the shaft, and where the speed is not known, in Hz.
const NARROWEST_ORDERS: f64 = 20.0;
const NARROWEST_HZ: f64 = 500.0;
/// Slowest motion that is integrated, Hz.
const SLOWEST_HZ: f64 = 5.0;

struct Stored {
    kept: Waveform,
    subject: Subject,
    wave: waveform::Waveform,
}

async fn stored<O>(input: &Input<O>) -> Result<Stored, Refusal>
where
    O: Operation<Body = NoBody, Answer: Give>,
{
    let sensor_id: SensorId = input.id("sensor_id")?;
    let id: WaveformId = input.id("waveform_id")?;
    let db = input.db().await?;
    let (kept, data) = vibration::get(&db, sensor_id, id).await?.ok_or(Refusal::NotFound)?;
    let subject = vibration::subject(&db, sensor_id).await?.ok_or(Refusal::NotFound)?;
    let unit = kept.unit.as_deref().and_then(Unit::named);
    let wave = waveform::Waveform::new(unpack(&data)?, kept.rate_hz, unit, kept.rpm)
        .map_err(|e| Refusal::Internal(format!("a stored burst is not one: {e}")))?;
    Ok(Stored { kept, subject, wave })
}

/// `GET …/curve`.
pub(crate) async fn curve(input: Input<op::WaveformCurve>) -> Result<WaveformCurve, Refusal> {
    let Stored { kept, wave, .. } = stored(&input).await?;
    let points = input.query.points.map_or(POINTS, |p| p.0 as usize);
    let group = wave.samples.len().div_ceil(points).max(1);
    let of = |pick: fn(f64, f64) -> f64| -> Vec<f64> {
        wave.samples.chunks(group).filter_map(|c| c.iter().copied().reduce(pick)).collect()
    };
    Ok(WaveformCurve {
        step_s: group as f64 / wave.rate_hz,
        unit: kept.unit,
        least: of(f64::min),
        greatest: of(f64::max),
    })
}

/// `GET …/spectrum`.
pub(crate) async fn spectrum(input: Input<op::WaveformSpectrum>) -> Result<VibrationSpectrum, Refusal> {
    let stored = stored(&input).await?;
    let wave = &stored.wave;
    let mut spectrum = Spectrum::averaged(
        &mut Fft::default(),
        &wave.samples,
        wave.rate_hz,
        wave.samples.len(),
        Window::Hann,
    );
    let mut unit = stored.kept.unit.clone();
    if input.query.velocity.is_some_and(|v| v.0) {
        let Some(acceleration) = wave.unit.filter(|u| u.quantity == Quantity::Acceleration) else {
            let message = "Only a burst in a known unit of acceleration can be integrated to velocity";
            return Err(Refusal::field("value_error", &["query", "velocity"], message, Value::Null));
        };
        spectrum = spectrum.integrated(SLOWEST_HZ);
        spectrum.amplitude.iter_mut().for_each(|a| *a *= 1000.0 * acceleration.si);
        unit = Some("mm/s".to_owned());
    }
    Ok(picture(&stored, &spectrum, unit, None, input.query.points.map(|p| p.0)))
}

/// `GET …/envelope`.
pub(crate) async fn envelope(input: Input<op::WaveformEnvelope>) -> Result<VibrationSpectrum, Refusal> {
    let stored = stored(&input).await?;
    let wave = &stored.wave;
    let mut fft = Fft::default();
    let narrowest = wave.shaft_hz().map_or(NARROWEST_HZ, |hz| NARROWEST_ORDERS * hz);
    let bands = kurtogram(&mut fft, &wave.samples, wave.rate_hz, narrowest.min(wave.rate_hz / 4.0));
    let band = best(&bands).ok_or_else(|| Refusal::Internal("no band".to_owned()))?.band;
    let mut spectrum = envelope_spectrum(&mut fft, &wave.samples, wave.rate_hz, band);
    // beyond the width of the band an envelope holds nothing
    spectrum.amplitude.truncate(((band.to_hz - band.from_hz) / spectrum.df_hz) as usize + 1);
    let edges = Some((band.from_hz, band.to_hz));
    Ok(picture(&stored, &spectrum, stored.kept.unit.clone(), edges, input.query.points.map(|p| p.0)))
}

/// `GET …/diagnosis`.
pub(crate) async fn diagnosis(input: Input<op::WaveformDiagnosis>) -> Result<VibrationDiagnosis, Refusal> {
    let Stored { subject, wave, .. } = stored(&input).await?;
    Ok(answer(diagnose(&mut Fft::default(), &wave, &machine(&subject.elements), None)))
}

fn picture(
    stored: &Stored,
    spectrum: &Spectrum,
    unit: Option<String>,
    band_hz: Option<(f64, f64)>,
    points: Option<i64>,
) -> VibrationSpectrum {
    let shaft_hz = stored.wave.shaft_hz();
    let width = shaft_hz.map_or(40.0 * spectrum.df_hz, |hz| 1.36 * hz);
    let peaks = spectrum.peaks(PEAKS, PEAK_DB, width).into_iter().map(|p| VibrationPeak {
        hz: p.hz,
        order: shaft_hz.map(|s| p.hz / s),
        amplitude: p.amplitude,
        above_noise_db: p.above_noise_db,
    });
    let (hz, amplitude) = spectrum.reduced(points.map_or(POINTS, |p| p as usize)).into_iter().unzip();
    VibrationSpectrum {
        resolution_hz: spectrum.df_hz,
        unit,
        hz,
        amplitude,
        band_hz,
        peaks: peaks.collect(),
        marks: if shaft_hz.is_some() { marks(&stored.subject.elements, shaft_hz) } else { Vec::new() },
    }
}
