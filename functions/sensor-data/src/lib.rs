//! Component sensor-data.
