//! Known signals give known answers.

use pm_vibration::{
    Fft, Unit, Waveform,
    condition::{detrend, high_pass, integrate},
    features::Features,
    simulate::{Plan, Random},
    spectrum::{Spectrum, Window},
    speed,
    stats::{median, sliding_median},
    waveform::Fault,
};
use proptest::prelude::*;
use std::f64::consts::TAU;

fn sine(n: usize, rate: f64, hz: f64, amplitude: f64) -> Vec<f64> {
    (0..n).map(|i| amplitude * (TAU * hz * i as f64 / rate + 0.3).sin()).collect()
}

#[test]
fn a_sine_on_a_bin_has_its_amplitude_with_every_window() {
    let values = sine(4096, 4096.0, 100.0, 2.5);
    for window in [Window::Rectangular, Window::Hann, Window::FlatTop] {
        let s = Spectrum::averaged(&mut Fft::default(), &values, 4096.0, 1024, window);
        let (hz, a) = s.line(100.0, 3.0).unwrap();
        assert_eq!((hz, s.averages), (100.0, 7), "{window:?}");
        assert!((a - 2.5).abs() < 1e-6, "{window:?}: {a}");
        assert!((s.rms_between(50.0, 150.0) - 2.5 / 2.0_f64.sqrt()).abs() < 1e-6, "{window:?}");
    }
}

#[test]
fn a_flat_top_window_reads_amplitudes_between_bins() {
    let values = sine(4096, 4096.0, 100.5, 2.0);
    let read =
        |w| Spectrum::averaged(&mut Fft::default(), &values, 4096.0, 4096, w).line(100.5, 2.0).unwrap().1;
    assert!((read(Window::FlatTop) - 2.0).abs() < 0.005);
    assert!(read(Window::Hann) < 1.72);
}

#[test]
fn acceleration_integrates_to_velocity_and_displacement_within_one_percent() {
    let (rate, n) = (5120.0, 20_480);
    for hz in [12.3, 24.9, 99.7, 400.3] {
        let acceleration = sine(n, rate, hz, 4.0);
        let mut fft = Fft::default();
        let velocity = integrate(&mut fft, &acceleration, rate, 5.0);
        let displacement = integrate(&mut fft, &velocity, rate, 5.0);
        let inner = n / 10..n - n / 10;
        let rms = |v: &[f64]| Features::of(&v[inner.clone()]).rms;
        let theory = 4.0 / 2.0_f64.sqrt() / (TAU * hz);
        assert!((rms(&velocity) / theory - 1.0).abs() < 0.01, "{hz} Hz: {}", rms(&velocity) / theory);
        assert!((rms(&displacement) * TAU * hz / theory - 1.0).abs() < 0.01, "{hz} Hz");
        let spectrum = Spectrum::averaged(&mut fft, &acceleration, rate, n, Window::Hann).integrated(5.0);
        assert!((spectrum.rms_between(10.0, 1000.0) / theory - 1.0).abs() < 0.01, "{hz} Hz");
    }
}

#[test]
fn the_high_pass_takes_what_is_slow_and_leaves_what_is_fast() {
    let (rate, n) = (1000.0, 4000);
    let slow = sine(n, rate, 1.0, 5.0);
    let fast = sine(n, rate, 60.0, 1.0);
    let both: Vec<f64> = slow.iter().zip(&fast).map(|(a, b)| a + b).collect();
    let passed = high_pass(&mut Fft::default(), &both, rate, 10.0);
    assert!(passed.iter().zip(&fast).all(|(a, b)| (a - b).abs() < 1e-6));
}

#[test]
fn a_trend_is_removed() {
    let mut values: Vec<f64> = (0..500).map(|i| 7.0 - 0.01 * f64::from(i)).collect();
    detrend(&mut values);
    assert!(values.iter().all(|v| v.abs() < 1e-9));
}

#[test]
fn sine_and_noise_have_their_crest_factor_and_kurtosis() {
    let f = Features::of(&sine(10_000, 1000.0, 10.0, 3.0));
    assert!((f.crest_factor - 2.0_f64.sqrt()).abs() < 1e-3 && (f.kurtosis - 1.5).abs() < 1e-3);
    let mut random = Random::new(1);
    let noise: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
    assert!((Features::of(&noise).kurtosis - 3.0).abs() < 0.1);
}

#[test]
fn peaks_are_found_between_bins() {
    let mut random = Random::new(3);
    let values: Vec<f64> = sine(8192, 2048.0, 77.1, 1.0).iter().map(|v| v + 0.1 * random.normal()).collect();
    let s = Spectrum::averaged(&mut Fft::default(), &values, 2048.0, 8192, Window::Hann);
    let peaks = s.peaks(3, 20.0, 40.0);
    assert!((peaks[0].hz - 77.1).abs() < 0.05, "{peaks:?}");
    assert_eq!(s.reduced(100).iter().map(|p| p.1).fold(0.0, f64::max), peaks[0].amplitude);
}

#[test]
fn the_running_speed_is_read_off_the_spectrum_or_not_at_all() {
    let mut fft = Fft::default();
    for (seed, rpm) in [(1, 1480.0), (2, 2965.0), (3, 990.0)] {
        let plan = Plan { shaft: vec![0.5, 0.3, 0.2, 0.1], ..Plan::healthy(65_536, 5120.0, rpm) };
        let found = speed::estimate(&mut fft, &plan.run(seed), 5120.0, 600.0..=4000.0).unwrap();
        assert!((found.rpm / rpm - 1.0).abs() < 0.005, "{rpm}: {found:?}");
    }
    let noise = Plan { shaft: vec![], ..Plan::healthy(65_536, 5120.0, 1480.0) };
    assert_eq!(speed::estimate(&mut fft, &noise.run(9), 5120.0, 600.0..=4000.0), None);
}

#[test]
fn a_burst_that_cannot_be_analysed_is_refused_by_the_name_of_its_field() {
    let good = sine(1000, 1000.0, 10.0, 1.0);
    let fault = |samples: Vec<f64>, rate, rpm| Waveform::new(samples, rate, None, rpm).unwrap_err();
    assert_eq!(fault(vec![1.0; 10], 1000.0, None), Fault::Length(10));
    assert_eq!(fault(vec![1.0; 1000], 1000.0, None), Fault::Constant);
    let mut broken = good.clone();
    broken[17] = f64::NAN;
    assert_eq!(fault(broken, 1000.0, None).to_string(), "samples[17]: not a finite number");
    assert_eq!(fault(good.clone(), 0.0, None), Fault::Rate);
    assert_eq!(fault(good, 1000.0, Some(-1.0)), Fault::Rpm);
    assert_eq!(Waveform::calibrated(&[1.0], 0.0, 0.0), Err(Fault::Scale));
}

#[test]
fn a_unit_is_known_or_not_guessed() {
    assert!((Unit::named("g").unwrap().si - 9.80665).abs() < 1e-12);
    assert_eq!(Unit::named("mm/s").unwrap().si, 1e-3);
    assert_eq!(Unit::named("V"), None);
    assert_eq!(Unit::named(""), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Parseval: the RMS of all lines is the RMS of the values.
    #[test]
    fn no_energy_is_lost(values in proptest::collection::vec(-1e3..1e3_f64, 256..700)) {
        let s = Spectrum::averaged(&mut Fft::default(), &values, 1000.0, values.len(), Window::Rectangular);
        let mut squares: f64 = s.amplitude[1..].iter().map(|a| a * a / 2.0).sum();
        if values.len() % 2 == 0 {
            // the last bin is its own mirror image
            squares -= s.amplitude[values.len() / 2].powi(2) / 4.0;
        }
        prop_assert!((squares.sqrt() - Features::of(&values).rms).abs() < 1e-6);
    }

    #[test]
    fn transforming_back_gives_the_values(values in proptest::collection::vec(-1e3..1e3_f64, 256..700)) {
        let mut fft = Fft::default();
        let mut bins = fft.forward(&values);
        let back = fft.inverse(&mut bins, values.len());
        prop_assert!(back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-8));
    }

    #[test]
    fn features_do_not_depend_on_offset_and_scale_with_the_signal(
        values in proptest::collection::vec(-10.0..10.0_f64, 256..400), scale in 0.1..10.0_f64, offset in -5.0..5.0_f64
    ) {
        let (a, b) = (Features::of(&values), Features::of(&values.iter().map(|v| scale * v + offset).collect::<Vec<_>>()));
        prop_assert!((b.rms / a.rms / scale - 1.0).abs() < 1e-9);
        prop_assert!((b.kurtosis / a.kurtosis - 1.0).abs() < 1e-6);
        prop_assert!((b.crest_factor / a.crest_factor - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_sliding_median_is_the_median_of_each_window(values in proptest::collection::vec(-1e3..1e3_f64, 1..80), half in 0_usize..12) {
        let slid = sliding_median(&values, half);
        prop_assert_eq!(slid.len(), values.len());
        if values.len() > 2 * half {
            for i in half..values.len() - half {
                prop_assert_eq!(slid[i], median(&values[i - half..=i + half]));
            }
        }
    }

    #[test]
    fn lines_of_any_frequency_are_found_where_they_are(hz in 20.0..900.0_f64, amplitude in 0.01..100.0_f64) {
        let values = sine(8192, 2048.0, hz, amplitude);
        let s = Spectrum::averaged(&mut Fft::default(), &values, 2048.0, 8192, Window::Hann);
        let peak = s.peaks(1, 6.0, 40.0)[0];
        prop_assert!((peak.hz - hz).abs() < 0.1 && (peak.amplitude / amplitude) > 0.8 && peak.amplitude / amplitude < 1.01);
    }
}

#[test]
fn the_velocity_of_a_burst_needs_a_unit_and_a_band() {
    use pm_vibration::{Machine, diagnosis::diagnose, features::measured};
    let of = |unit: &str, rate: f64| {
        let values = sine((2.0 * rate) as usize, rate, 50.0, 1.0);
        let wave = Waveform::new(values, rate, Unit::named(unit), None).unwrap();
        let mut fft = Fft::default();
        let diagnosis = diagnose(&mut fft, &wave, &Machine::default(), None);
        let all = measured(&mut fft, &wave, &diagnosis);
        assert!((all[0].value - 1.0 / 2.0_f64.sqrt()).abs() < 1e-3 && all[0].in_unit_of_waveform, "{all:?}");
        all.into_iter().find(|m| m.name.starts_with("velocity")).map(|m| m.value)
    };
    let theory = 1000.0 / 2.0_f64.sqrt() / (TAU * 50.0);
    assert!((of("m/s²", 4000.0).unwrap() / theory - 1.0).abs() < 0.01);
    assert!((of("g", 4000.0).unwrap() / theory / 9.80665 - 1.0).abs() < 0.01);
    assert!((of("mm/s", 4000.0).unwrap() * 2.0_f64.sqrt() - 1.0).abs() < 0.01);
    assert_eq!((of("V", 4000.0), of("µm", 4000.0), of("g", 1000.0)), (None, None, None));
}
