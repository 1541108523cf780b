//! Component `vibration`: bursts of vibration samples, their spectra and diagnoses, the elements of machines.
//!
//! Invariants: a burst is stored before its features become readings, and sending it again does both again without effect;
//! a unit, a speed or a geometry that is not given is not assumed. Deliberately absent: signal processing (pm-vibration),
//! limits and alarms (features are readings, and readings have them).

mod analysis;
mod elements;
mod receive;
mod views;

use pm_api::{SensorId, route::op};
use pm_store::vibration;
use pm_web::{Answer, Given, Input, Request, handlers, serve_up_to};

/// Longest body: the longest burst as JSON, 20 characters to a sample.
const MAX_BODY_BYTES: usize = 20 * pm_api::vibration::MAX_SAMPLES;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        CreateWaveform => receive::create,
        ListWaveforms => list,
        WaveformCurve => views::curve,
        WaveformSpectrum => views::spectrum,
        WaveformEnvelope => views::envelope,
        WaveformDiagnosis => views::diagnosis,
        MachineElements => elements::of_machine,
        PutMachineElements => elements::put,
        ListKnownBearings => elements::known,
    };
    serve_up_to(MAX_BODY_BYTES, "vibration", request, handlers).await
}

async fn list(input: Input<op::ListWaveforms>) -> Given<op::ListWaveforms> {
    let id: SensorId = input.id("sensor_id")?;
    Ok(vibration::list(&input.db().await?, id, &input.page).await?)
}
