//! The same numbers as NumPy and SciPy. `fixtures/reference.py` made them.

use pm_vibration::{
    Fft,
    envelope::{envelope, envelope_spectrum},
    features::Features,
    kurtogram::{Band, kurtogram},
    spectrum::{Spectrum, Window},
};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("fixtures/reference.json")).unwrap()
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn equal(what: &str, ours: &[f64], theirs: &[f64]) {
    assert!(ours.len() >= theirs.len(), "{what}: {} of {}", ours.len(), theirs.len());
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1e-3), "{what}[{i}]: {a}, SciPy has {b}");
    }
}

#[test]
fn averaged_spectra_are_those_of_scipy() {
    let r = reference();
    let (values, rate) = (numbers(&r["values"]), r["rate_hz"].as_f64().unwrap());
    let mut fft = Fft::default();
    for (name, window) in [("hann_amplitude", Window::Hann), ("flat_top_amplitude", Window::FlatTop)] {
        let ours = Spectrum::averaged(&mut fft, &values, rate, 512, window);
        // the mean is taken off: SciPy's one-sided scaling differs at 0 Hz and at half of the rate only
        equal(name, &ours.amplitude[1..256], &numbers(&r[name])[1..256]);
    }
    let hann = Spectrum::averaged(&mut fft, &values, rate, 512, Window::Hann);
    equal(
        "rms of a band",
        &[hann.rms_between(100.0, 140.0)],
        &numbers(&Value::from(vec![r["rms_100_to_140_hz"].clone()])),
    );
}

#[test]
fn envelopes_are_those_of_scipy() {
    let r = reference();
    let (values, rate) = (numbers(&r["values"]), r["rate_hz"].as_f64().unwrap());
    let band = Band { from_hz: 400.0, to_hz: 800.0 };
    let mut fft = Fft::default();
    equal("envelope", &envelope(&mut fft, &values, rate, band), &numbers(&r["envelope"]));
    let spectrum = envelope_spectrum(&mut fft, &values, rate, band);
    equal("envelope spectrum", &spectrum.amplitude[1..], &numbers(&r["envelope_amplitude"])[1..]);
}

#[test]
fn features_and_spectral_kurtosis_are_those_of_scipy() {
    let r = reference();
    let (values, rate) = (numbers(&r["values"]), r["rate_hz"].as_f64().unwrap());
    let f = Features::of(&values);
    equal(
        "rms, kurtosis",
        &[f.rms, f.kurtosis],
        &[r["rms"].as_f64().unwrap(), r["kurtosis"].as_f64().unwrap()],
    );
    let bands = kurtogram(&mut Fft::default(), &values, rate, 250.0);
    let half = bands.iter().find(|b| b.band.from_hz == 500.0 && b.band.to_hz == 1000.0).unwrap();
    equal("second half", &[half.kurtosis], &[r["second_half_kurtosis"].as_f64().unwrap()]);
}
