//! Vibration of machines: from the samples of one burst to spectra, features and the part that is damaged.
//!
//! | Module | What it does |
//! |---|---|
//! | [`waveform`] | a burst and its unit; what is wrong with one that cannot be analysed |
//! | [`condition`] | trend and mean removed, high pass, integration acceleration → velocity → displacement |
//! | [`spectrum`] | averaged amplitude spectrum in Hz and in orders, with the corrections of its window |
//! | [`features`] | RMS, peak, crest factor, kurtosis, energy of bands |
//! | [`kurtogram`] | the band in which the signal is most impulsive |
//! | [`envelope`] | envelope spectrum of a band; whitened envelope for the diagnosis |
//! | [`speed`] | running speed from the spectrum, where no tachometer gives it |
//! | [`bearing`], [`element`] | the frequencies at which bearings, gears, blades and belts show |
//! | [`comb`] | how far a series of harmonics stands above what the same spectrum shows elsewhere |
//! | [`diagnosis`] | hypotheses with their evidence, ranked; «cannot tell» is an answer |
//! | [`simulate`] | bursts of bearings with slip, shafts and gears, for tests and for the simulated plant |
//!
//! Invariants: nothing here reads a clock, a file or a random source; the same burst gives the same answer. A unit, a speed
//! or a geometry that is not given is never assumed: the answer names what is missing. Frequencies are in Hz, orders are
//! multiples of the shaft's speed, amplitudes are peak values in the unit of the waveform unless a name says otherwise.
//!
//! Deliberately absent: storage, limits and alarms. Features become readings, and readings have all of that.

pub mod bearing;
pub mod comb;
pub mod condition;
pub mod diagnosis;
pub mod element;
pub mod envelope;
pub mod features;
pub mod fft;
pub mod kurtogram;
pub mod simulate;
pub mod spectrum;
pub mod speed;
pub mod stats;
pub mod waveform;

pub use bearing::Bearing;
pub use diagnosis::{Diagnosis, Verdict};
pub use element::Machine;
pub use fft::Fft;
pub use waveform::{Unit, Waveform};
