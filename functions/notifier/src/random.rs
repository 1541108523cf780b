//! Chance, for pauses that must not fall in step.

/// Drawn evenly from [0, 1).
pub(crate) fn fraction() -> f64 {
    let bits = uuid::Uuid::new_v4().as_u128() as u32;
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}
