//! Hotelling's T²: how far a row lies from the middle of what was learned, in spreads, with what the columns usually
//! do together taken out (Hotelling 1931; as a chart for process monitoring: Jackson & Mudholkar 1979).
//!
//! The forest sees rare values and rare combinations of a few columns; T² sees that two columns which always move
//! together have parted, however usual each is by itself.

/// A middle, spreads, and the inverse of the correlations.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    middle: Vec<f64>,
    spread: Vec<f64>,
    /// Inverse of the shrunk correlation matrix, row by row.
    inverse: Vec<f64>,
}

impl Gaussian {
    /// Learns from `rows` (one after the other, `columns` numbers each). Correlations are multiplied by
    /// 1 − `shrink`, so that few rows do not make directions that never varied look infinitely far. A column that is
    /// constant counts as having a spread of a thousandth of its size. `None` with fewer than three rows, without
    /// columns, or with a number that is not finite.
    #[must_use]
    pub fn fit(rows: &[f64], columns: usize, shrink: f64) -> Option<Self> {
        let count = rows.len().checked_div(columns)?;
        if count < 3 || rows.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let n = count as f64;
        let mut middle = vec![0.0; columns];
        rows.chunks_exact(columns).for_each(|row| add(&mut middle, row.iter().map(|v| v / n)));
        let mut products = vec![0.0; columns * columns];
        for row in rows.chunks_exact(columns) {
            for (i, line) in products.chunks_exact_mut(columns).enumerate() {
                let off = row[i] - middle[i];
                add(line, row.iter().zip(&middle).map(|(v, m)| off * (v - m) / n));
            }
        }
        Self::from_moments(middle, &products, shrink)
    }

    /// From a middle and a covariance matrix (row by row); see [`Gaussian::fit`].
    #[must_use]
    pub fn from_moments(middle: Vec<f64>, covariance: &[f64], shrink: f64) -> Option<Self> {
        let columns = middle.len();
        if columns == 0 || covariance.len() != columns * columns {
            return None;
        }
        let spread: Vec<f64> = (0..columns)
            .map(|i| {
                let floor = 1e-3 * middle[i].abs();
                covariance[i * columns + i].max(0.0).sqrt().max(floor).max(1e-9)
            })
            .collect();
        let mut correlation = vec![0.0; columns * columns];
        for (i, line) in correlation.chunks_exact_mut(columns).enumerate() {
            for (j, r) in line.iter_mut().enumerate() {
                let raw = covariance[i * columns + j] / (spread[i] * spread[j]);
                *r = if i == j { 1.0 } else { (1.0 - shrink) * raw };
            }
        }
        Some(Self { middle, spread, inverse: inverse(correlation, columns)? })
    }

    /// T² of a row: about the number of columns for an ordinary one. A row that is too short gives 0.
    #[must_use]
    pub fn t2(&self, row: &[f64]) -> f64 {
        self.contributions(row).iter().sum::<f64>().max(0.0)
    }

    /// What each column adds to T²: zᵢ · (R⁻¹ z)ᵢ. They add up to T²; one that is explained by the others may be below 0.
    #[must_use]
    pub fn contributions(&self, row: &[f64]) -> Vec<f64> {
        let columns = self.middle.len();
        let Some(row) = row.get(..columns) else { return vec![0.0; columns] };
        let z: Vec<f64> =
            row.iter().zip(&self.middle).zip(&self.spread).map(|((v, m), s)| (v - m) / s).collect();
        self.inverse
            .chunks_exact(columns)
            .zip(&z)
            .map(|(line, zi)| zi * line.iter().zip(&z).map(|(a, b)| a * b).sum::<f64>())
            .collect()
    }
}

fn add(sum: &mut [f64], values: impl Iterator<Item = f64>) {
    sum.iter_mut().zip(values).for_each(|(s, v)| *s += v);
}

/// Inverse of a symmetric positive definite matrix by Gauss-Jordan elimination with pivots; `None` when it is singular.
fn inverse(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
    let mut b = vec![0.0; n * n];
    (0..n).for_each(|i| b[i * n + i] = 1.0);
    for column in 0..n {
        let pivot =
            (column..n).max_by(|&i, &j| a[i * n + column].abs().total_cmp(&a[j * n + column].abs()))?;
        if a[pivot * n + column].abs() < 1e-10 {
            return None;
        }
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
            b.swap(column * n + k, pivot * n + k);
        }
        let scale = a[column * n + column];
        for k in 0..n {
            a[column * n + k] /= scale;
            b[column * n + k] /= scale;
        }
        for i in (0..n).filter(|&i| i != column) {
            let factor = a[i * n + column];
            for k in 0..n {
                a[i * n + k] -= factor * a[column * n + k];
                b[i * n + k] -= factor * b[column * n + k];
            }
        }
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two columns that move together, and a third of its own.
    fn rows() -> Vec<f64> {
        (0..400)
            .flat_map(|i| {
                let (a, b) = ((f64::from(i) * 0.7).sin(), (f64::from(i) * 1.3).cos());
                let c = (f64::from(i) * 2.9).sin();
                [10.0 + a, 20.0 + 2.0 * a + 0.1 * c, 5.0 + b]
            })
            .collect()
    }

    #[test]
    fn the_mean_of_t2_is_the_number_of_columns() {
        let rows = rows();
        let gaussian = Gaussian::fit(&rows, 3, 0.0).expect("rows");
        let mean = rows.chunks_exact(3).map(|r| gaussian.t2(r)).sum::<f64>() / 400.0;
        assert!((mean - 3.0).abs() < 1e-6, "{mean}");
    }

    #[test]
    fn columns_that_part_stand_out_although_each_is_usual() {
        let gaussian = Gaussian::fit(&rows(), 3, 0.01).expect("rows");
        let together = gaussian.t2(&[10.9, 21.8, 5.0]);
        let apart = [10.9, 18.2, 5.0];
        assert!(gaussian.t2(&apart) > 20.0 * together, "{} {together}", gaussian.t2(&apart));
        let share = gaussian.contributions(&apart);
        assert!((share.iter().sum::<f64>() - gaussian.t2(&apart)).abs() < 1e-9);
        assert!(share[0] > share[2] && share[1] > share[2], "{share:?}");
    }

    #[test]
    fn what_cannot_be_learned_from_is_refused() {
        assert!(Gaussian::fit(&[], 3, 0.1).is_none());
        assert!(Gaussian::fit(&[1.0; 9], 0, 0.1).is_none());
        assert!(Gaussian::fit(&[f64::NAN; 9], 3, 0.1).is_none());
        let constant = Gaussian::fit(&[2.0; 9], 3, 0.1).expect("rows");
        assert!(constant.t2(&[2.0; 3]) < 1e-9 && constant.t2(&[3.0; 3]).is_finite());
    }
}
