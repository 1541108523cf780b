//! Anomaly and remaining-life models in Burn.
