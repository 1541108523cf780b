//! How well scores rank anomalies above the rest.

/// Area under the ROC curve: the chance that an anomaly scores above a normal row, ties half (Mann-Whitney).
pub fn auroc(scores: &[f64], anomaly: &[bool]) -> f64 {
    let (mut rank_sum, mut below) = (0.0, 0.0);
    for tie in ties(scores) {
        let rank = below + (tie.len() + 1) as f64 / 2.0;
        rank_sum += rank * tie.iter().filter(|&&i| anomaly[i]).count() as f64;
        below += tie.len() as f64;
    }
    let hits = anomaly.iter().filter(|a| **a).count() as f64;
    (rank_sum - hits * (hits + 1.0) / 2.0) / (hits * (anomaly.len() as f64 - hits))
}

/// Average precision: the precision at every threshold, weighted by the recall gained there (as in scikit-learn).
pub fn average_precision(scores: &[f64], anomaly: &[bool]) -> f64 {
    let all = anomaly.iter().filter(|a| **a).count() as f64;
    let (mut taken, mut found, mut sum) = (0.0, 0.0, 0.0);
    for tie in ties(scores).into_iter().rev() {
        let hits = tie.iter().filter(|&&i| anomaly[i]).count() as f64;
        taken += tie.len() as f64;
        found += hits;
        sum += found / taken * hits / all;
    }
    sum
}

/// Indices in groups of equal score, lowest first.
fn ties(scores: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    order.chunk_by(|&a, &b| scores[a] == scores[b]).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_rankings() {
        let anomaly = [false, false, true, true];
        for (scores, area, precision) in [
            ([0.1, 0.2, 0.3, 0.4], 1.0, 1.0),
            ([0.4, 0.3, 0.2, 0.1], 0.0, 5.0 / 12.0),
            ([0.1; 4], 0.5, 0.5),
            ([0.1, 0.3, 0.2, 0.4], 0.75, 5.0 / 6.0),
        ] {
            assert!((auroc(&scores, &anomaly) - area).abs() < 1e-12, "{scores:?}");
            let found = average_precision(&scores, &anomaly);
            assert!((found - precision).abs() < 1e-12, "{scores:?}: {found}");
        }
    }
}
