//! A time series in memory: bounded, in order, with gaps known, and drawn as at most one envelope per pixel.

/// One value, or a bucket of values with its envelope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970.
    pub at_ms: f64,
    /// Value, or mean of the bucket.
    pub value: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

impl Point {
    /// A single reading.
    #[must_use]
    pub fn single(at_ms: f64, value: f64) -> Self {
        Self { at_ms, value, min: value, max: value }
    }
}

/// Points in time order, at most [`Series::CAPACITY`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    points: Vec<Point>,
}

impl Series {
    /// Points kept; older ones are dropped.
    pub const CAPACITY: usize = 4_000;

    /// A series of points in any order.
    #[must_use]
    pub fn new(mut points: Vec<Point>) -> Self {
        points.retain(|p| p.at_ms.is_finite() && p.value.is_finite());
        points.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
        points.dedup_by(|b, a| a.at_ms == b.at_ms);
        Self { points }
    }

    /// Adds a live reading. One that is older than the newest, or has its time, changes nothing.
    pub fn push(&mut self, point: Point) -> bool {
        if !point.value.is_finite() || self.points.last().is_some_and(|last| point.at_ms <= last.at_ms) {
            return false;
        }
        if self.points.len() >= Self::CAPACITY {
            self.points.drain(..Self::CAPACITY / 8);
        }
        self.points.push(point);
        true
    }

    /// All points, oldest first.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The points of `from..=to` and one neighbour on either side, so that lines run off the edges.
    #[must_use]
    pub fn visible(&self, from_ms: f64, to_ms: f64) -> &[Point] {
        let start = self.points.partition_point(|p| p.at_ms < from_ms).saturating_sub(1);
        let end = (self.points.partition_point(|p| p.at_ms <= to_ms) + 1).min(self.points.len());
        if start < end { &self.points[start..end] } else { &[] }
    }

    /// The point nearest to `at_ms`.
    #[must_use]
    pub fn nearest(&self, at_ms: f64) -> Option<Point> {
        let i = self.points.partition_point(|p| p.at_ms < at_ms);
        let before = i.checked_sub(1).and_then(|i| self.points.get(i));
        match (before, self.points.get(i)) {
            (Some(a), Some(b)) => Some(if at_ms - a.at_ms <= b.at_ms - at_ms { *a } else { *b }),
            (a, b) => a.or(b).copied(),
        }
    }

    /// Smallest and largest value of `from..=to`; infinite the wrong way round when there is none.
    #[must_use]
    pub fn extent(&self, from_ms: f64, to_ms: f64) -> (f64, f64) {
        self.visible(from_ms, to_ms)
            .iter()
            .filter(|p| p.at_ms >= from_ms && p.at_ms <= to_ms)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), p| (lo.min(p.min), hi.max(p.max)))
    }
}

/// A pause longer than this is a gap: five times the usual distance of neighbours, at least two seconds.
#[must_use]
pub fn gap_ms(points: &[Point]) -> f64 {
    let mut steps: Vec<f64> = points.windows(2).map(|w| w[1].at_ms - w[0].at_ms).collect();
    if steps.is_empty() {
        return f64::INFINITY;
    }
    let middle = steps.len() / 2;
    let (_, median, _) = steps.select_nth_unstable_by(middle, f64::total_cmp);
    (*median * 5.0).max(2_000.0)
}

/// The points as runs without gaps, each thinned to at most one point per column of `column_ms`: its mean with the
/// envelope of all values in it. A spike of one reading stays visible in the envelope.
#[must_use]
pub fn runs(points: &[Point], gap_ms: f64, column_ms: f64) -> Vec<Vec<Point>> {
    let mut runs: Vec<Vec<Point>> = Vec::new();
    let mut previous: Option<f64> = None;
    let mut in_column = 0.0;
    for point in points {
        let new_run = previous.is_none_or(|at| point.at_ms - at > gap_ms);
        previous = Some(point.at_ms);
        if new_run {
            runs.push(vec![*point]);
            in_column = 1.0;
            continue;
        }
        let Some(run) = runs.last_mut() else { continue };
        match run.last_mut() {
            Some(last) if (last.at_ms / column_ms).floor() == (point.at_ms / column_ms).floor() => {
                last.value = (last.value * in_column + point.value) / (in_column + 1.0);
                last.min = last.min.min(point.min);
                last.max = last.max.max(point.max);
                in_column += 1.0;
            }
            _ => {
                run.push(*point);
                in_column = 1.0;
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: &[f64]) -> Vec<Point> {
        times.iter().map(|t| Point::single(*t, *t)).collect()
    }

    #[test]
    fn points_stay_in_order_and_within_the_capacity() {
        let mut series = Series::new(at(&[3.0, 1.0, 2.0, 2.0, f64::NAN]));
        assert_eq!(series.points().iter().map(|p| p.at_ms).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
        assert!(!series.push(Point::single(3.0, 9.0)));
        assert!(!series.push(Point::single(4.0, f64::NAN)));
        for i in 0..10_000 {
            assert!(series.push(Point::single(f64::from(i + 4), 1.0)));
        }
        assert!(series.points().len() <= Series::CAPACITY);
        assert_eq!(series.points().last().map(|p| p.at_ms), Some(10_003.0));
    }

    #[test]
    fn visible_includes_one_neighbour_on_each_side() {
        let series = Series::new(at(&[0.0, 10.0, 20.0, 30.0, 40.0]));
        let seen: Vec<_> = series.visible(12.0, 28.0).iter().map(|p| p.at_ms).collect();
        assert_eq!(seen, [10.0, 20.0, 30.0]);
        assert!(Series::default().visible(0.0, 1.0).is_empty());
        assert_eq!(series.extent(12.0, 28.0), (20.0, 20.0));
    }

    #[test]
    fn nearest_is_the_point_with_the_smallest_distance() {
        let series = Series::new(at(&[0.0, 10.0]));
        for (t, found) in [(-5.0, 0.0), (4.0, 0.0), (6.0, 10.0), (99.0, 10.0)] {
            assert_eq!(series.nearest(t).map(|p| p.at_ms), Some(found));
        }
        assert_eq!(Series::default().nearest(1.0), None);
    }

    #[test]
    fn a_gap_splits_the_line() {
        let points = at(&[0.0, 500.0, 1_000.0, 60_000.0, 60_500.0]);
        assert_eq!(gap_ms(&points), 2_500.0);
        let pieces = runs(&points, gap_ms(&points), 1.0);
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
    }

    #[test]
    fn a_spike_stays_in_the_envelope_of_a_thinned_run() {
        let mut points: Vec<_> = (0..1_000).map(|i| Point::single(f64::from(i), 1.0)).collect();
        points[500] = Point::single(500.0, 99.0);
        let pieces = runs(&points, 1_000.0, 100.0);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].len(), 10);
        assert!(pieces[0].iter().any(|p| p.max == 99.0));
    }
}
