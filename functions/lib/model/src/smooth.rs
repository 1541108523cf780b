//! Levels and spreads of a series over several spans at once, one reading at a time.

/// Exponentially weighted mean and deviation over several spans (in readings). In its first readings a span is as long
/// as what there is, so that nothing has to be thrown away at the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoother {
    spans: Vec<f64>,
    seen: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl Smoother {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(spans: &[f64]) -> Self {
        Self {
            spans: spans.to_vec(),
            seen: 0.0,
            mean: vec![0.0; spans.len()],
            square: vec![0.0; spans.len()],
        }
    }

    /// Takes a reading and gives mean and deviation per span: `2 · spans` numbers.
    pub fn push(&mut self, value: f64) -> Vec<f64> {
        self.seen += 1.0;
        let mut out = Vec::with_capacity(2 * self.spans.len());
        for (i, span) in self.spans.iter().enumerate() {
            let rate = (1.0 / span).max(1.0 / self.seen);
            self.mean[i] += rate * (value - self.mean[i]);
            self.square[i] += rate * ((value - self.mean[i]).powi(2) - self.square[i]);
            out.extend([self.mean[i], self.square[i].max(0.0).sqrt()]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Smoother;

    #[test]
    fn a_constant_has_its_level_and_no_spread_and_a_step_is_followed() {
        let mut smoother = Smoother::new(&[4.0, 40.0]);
        for _ in 0..50 {
            assert_eq!(smoother.push(7.0), [7.0, 0.0, 7.0, 0.0]);
        }
        let after: Vec<f64> = (0..12).map(|_| smoother.push(17.0)).last().expect("a reading");
        assert!(after[0] > 16.0 && after[2] < 11.0 && after[3] > 1.0, "{after:?}");
    }
}
