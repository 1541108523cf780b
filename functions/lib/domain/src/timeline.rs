//! From statuses at points in time to spans of one status.

use pm_api::{ReadingStatus, SpanStatus, Timestamp, sensor::StatusSpan};

/// Spans over `start` to `end`, without gaps, neighbours different.
///
/// `points` are the begins of buckets of `width_us` (0: single readings) with their worst status, oldest first. A status
/// lasts until the next point; when that is more than `gap_us` after the end of its bucket, it lasts until the end of its
/// bucket, and what follows is «no data».
#[must_use]
pub fn timeline(
    points: &[(Timestamp, ReadingStatus)],
    width_us: i64,
    (start, end): (Timestamp, Timestamp),
    gap_us: i64,
) -> Vec<StatusSpan> {
    let mut spans = Vec::new();
    let mut reached = start;
    for (i, (time, status)) in points.iter().enumerate() {
        let bucket_end = Timestamp(time.0.saturating_add(width_us));
        let next = points.get(i + 1).map_or(end, |p| p.0);
        let continues = next.0.saturating_sub(bucket_end.0) <= gap_us;
        let until = if continues { next } else { bucket_end };
        push(&mut spans, &mut reached, (*time).min(end), SpanStatus::NoData);
        push(&mut spans, &mut reached, until.min(end), (*status).into());
    }
    push(&mut spans, &mut reached, end, SpanStatus::NoData);
    spans
}

/// Lasts from where the spans end until `until`; nothing if that is not later.
fn push(spans: &mut Vec<StatusSpan>, reached: &mut Timestamp, until: Timestamp, status: SpanStatus) {
    if until <= *reached {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.status == status => last.end = until,
        _ => spans.push(StatusSpan { start: *reached, end: until, status }),
    }
    *reached = until;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};
    use proptest::prelude::*;

    fn spans(
        points: &[(i64, ReadingStatus)],
        width: i64,
        range: (i64, i64),
        gap: i64,
    ) -> Vec<(i64, i64, SpanStatus)> {
        let points: Vec<_> = points.iter().map(|(t, s)| (Timestamp(*t), *s)).collect();
        let range = (Timestamp(range.0), Timestamp(range.1));
        timeline(&points, width, range, gap).iter().map(|s| (s.start.0, s.end.0, s.status)).collect()
    }

    #[test]
    fn statuses_and_silence() {
        use SpanStatus as S;
        assert_eq!(spans(&[], 10, (0, 100), 20), [(0, 100, S::NoData)]);
        assert_eq!(spans(&[(-5, Normal), (20, Normal)], 10, (0, 40), 20), [(0, 40, S::Normal)]);
        assert_eq!(
            spans(&[(0, Normal), (10, Warning), (20, Critical), (70, Normal)], 10, (0, 100), 20),
            [
                (0, 10, S::Normal),
                (10, 20, S::Warning),
                (20, 30, S::Critical),
                (30, 70, S::NoData),
                (70, 100, S::Normal)
            ]
        );
        // a single reading, then silence
        assert_eq!(spans(&[(50, Critical)], 0, (0, 100), 60), [(0, 50, S::NoData), (50, 100, S::Critical)]);
        assert_eq!(spans(&[(50, Critical)], 0, (0, 200), 60), [(0, 200, S::NoData)]);
    }

    proptest! {
        #[test]
        fn spans_fill_the_range(
            steps in prop::collection::vec((0..50_i64, 0..3_usize), 0..40), width in 0..20_i64, gap in 0..60_i64,
        ) {
            let mut at = 0;
            let points: Vec<_> = steps
                .into_iter()
                .map(|(step, status)| {
                    at += step + width;
                    (Timestamp(at), ReadingStatus::ALL[status])
                })
                .collect();
            let range = (Timestamp(100), Timestamp(900));
            let spans = timeline(&points, width, range, gap);
            prop_assert_eq!(spans.first().map(|s| s.start), Some(range.0));
            prop_assert_eq!(spans.last().map(|s| s.end), Some(range.1));
            for pair in spans.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
                prop_assert_ne!(pair[0].status, pair[1].status);
            }
            prop_assert!(spans.iter().all(|s| s.start < s.end));
        }
    }
}
