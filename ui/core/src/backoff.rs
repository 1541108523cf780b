//! When to try again.

/// Delay before attempt number `attempt` (0 is the first retry), milliseconds: 0.5 s, doubling, at most 15 s, spread
/// by `jitter` (0 to 1) over the upper half so that many browsers do not come back at once.
#[must_use]
pub fn delay_ms(attempt: u32, jitter: f64) -> f64 {
    let full = 500.0 * f64::from(2_u32.saturating_pow(attempt.min(5)));
    let full = full.min(15_000.0);
    full / 2.0 + full / 2.0 * jitter.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_with_the_attempts_up_to_fifteen_seconds() {
        assert_eq!(delay_ms(0, 1.0), 500.0);
        assert_eq!(delay_ms(0, 0.0), 250.0);
        assert_eq!(delay_ms(3, 1.0), 4_000.0);
        assert_eq!(delay_ms(99, 1.0), 15_000.0);
        assert!((0..99).all(|n| delay_ms(n + 1, 0.5) >= delay_ms(n, 0.5)));
    }
}
