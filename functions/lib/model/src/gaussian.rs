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
    /// From a middle and a covariance matrix (row by row). Correlations are multiplied by 1 − `shrink`, so that few rows do not
    /// make directions that never varied look infinitely far. A column that is constant counts as having a spread of a
    /// thousandth of its size. `None` without columns, or when the matrix does not fit.
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

    /// What each column adds to T²: zᵢ · (R⁻¹ z)ᵢ. They add up to T², which is about the number of columns for an ordinary
    /// row; one that is explained by the others may be below 0.
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

/// Inverse of a symmetric positive definite matrix by Gauss-Jordan elimination with pivots; `None` when it is singular.
pub(crate) fn inverse(mut a: Vec<f64>, n: usize) -> Option<Vec<f64>> {
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

    /// From rows of some columns.
    fn fit(rows: &[f64], columns: usize, shrink: f64) -> Option<Gaussian> {
        let n = (rows.len() / columns) as f64;
        let mut middle = vec![0.0; columns];
        for row in rows.chunks_exact(columns) {
            middle.iter_mut().zip(row).for_each(|(m, v)| *m += v / n);
        }
        let mut covariance = vec![0.0; columns * columns];
        for row in rows.chunks_exact(columns) {
            for (k, c) in covariance.iter_mut().enumerate() {
                let (i, j) = (k / columns, k % columns);
                *c += (row[i] - middle[i]) * (row[j] - middle[j]) / n;
            }
        }
        Gaussian::from_moments(middle, &covariance, shrink)
    }

    fn t2(gaussian: &Gaussian, row: &[f64]) -> f64 {
        gaussian.contributions(row).iter().sum()
    }

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
        let gaussian = fit(&rows, 3, 0.0).expect("rows");
        let mean = rows.chunks_exact(3).map(|r| t2(&gaussian, r)).sum::<f64>() / 400.0;
        assert!((mean - 3.0).abs() < 1e-6, "{mean}");
    }

    #[test]
    fn columns_that_part_stand_out_although_each_is_usual() {
        let gaussian = fit(&rows(), 3, 0.01).expect("rows");
        let together = t2(&gaussian, &[10.9, 21.8, 5.0]);
        let apart = [10.9, 18.2, 5.0];
        assert!(t2(&gaussian, &apart) > 20.0 * together, "{} {together}", t2(&gaussian, &apart));
        let share = gaussian.contributions(&apart);
        assert!((share.iter().sum::<f64>() - t2(&gaussian, &apart)).abs() < 1e-9);
        assert!(share[0] > share[2] && share[1] > share[2], "{share:?}");
    }

    #[test]
    fn what_does_not_fit_is_refused_and_a_constant_has_a_spread() {
        assert!(Gaussian::from_moments(Vec::new(), &[], 0.1).is_none());
        assert!(Gaussian::from_moments(vec![1.0; 2], &[1.0; 3], 0.1).is_none());
        let constant = fit(&[2.0; 9], 3, 0.1).expect("rows");
        assert!(t2(&constant, &[2.0; 3]) < 1e-9 && t2(&constant, &[3.0; 3]).is_finite());
    }
}
