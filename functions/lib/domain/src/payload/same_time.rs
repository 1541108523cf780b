//! Several values of a sensor with the same time.

use super::{ParsedReading, TimeOrigin};
use pm_api::Timestamp;
use std::collections::HashMap;

/// What the database knows a reading by: machine, sensor, time.
type Key<'a> = (&'a str, &'a str, Timestamp);

fn key(reading: &ParsedReading) -> Key<'_> {
    (&reading.sensor.machine, &reading.sensor.sensor, reading.time)
}

/// Is the time that of the value alone?
fn is_own(reading: &ParsedReading) -> bool {
    matches!(reading.time_origin, TimeOrigin::Value | TimeOrigin::Spread)
}

/// Values without a time of their own share that of their message or of the receipt. Later ones of a sensor are dated
/// 1 µs later each: they stay apart, in their order.
pub fn keep_apart(readings: &mut [ParsedReading]) {
    if readings.len() < 2 || readings.iter().all(is_own) {
        return;
    }
    let mut seen: HashMap<Key<'_>, i64> = HashMap::with_capacity(readings.len());
    let offsets: Vec<i64> = readings
        .iter()
        .map(|r| {
            if is_own(r) {
                return 0;
            }
            let before = seen.entry(key(r)).or_insert(0);
            *before += 1;
            *before - 1
        })
        .collect();
    for (reading, offset) in readings.iter_mut().zip(offsets) {
        reading.time.0 = reading.time.0.saturating_add(offset);
    }
}

/// Of the values of a sensor with the same time the last one stays, here and in the database.
pub fn keep_last(readings: &mut Vec<ParsedReading>) {
    let dated = |r: &ParsedReading| r.time_origin != TimeOrigin::Receipt;
    let mut last: HashMap<Key<'_>, usize> = HashMap::with_capacity(readings.len());
    for (index, reading) in readings.iter().enumerate().filter(|(_, r)| dated(r)) {
        last.insert(key(reading), index);
    }
    let stays: Vec<bool> = readings
        .iter()
        .enumerate()
        .map(|(index, reading)| !dated(reading) || last.get(&key(reading)) == Some(&index))
        .collect();
    let mut stays = stays.into_iter();
    readings.retain(|_| stays.next().unwrap_or(true));
    for reading in readings.iter_mut().filter(|r| dated(r)) {
        reading.replaces = true;
    }
}

/// Moves values with times in whole seconds within their second: those of one message evenly and in their order, those of
/// several messages by the time of receipt.
pub fn spread(readings: &mut [ParsedReading], received_at: Timestamp) {
    let whole = |r: &ParsedReading| r.time_origin != TimeOrigin::Receipt && r.time.0 % Timestamp::SECOND == 0;
    let mut counts: HashMap<Key<'_>, i64> = HashMap::with_capacity(readings.len());
    let places: Vec<Option<i64>> = readings
        .iter()
        .map(|reading| {
            whole(reading).then(|| {
                let count = counts.entry(key(reading)).or_insert(0);
                *count += 1;
                *count - 1
            })
        })
        .collect();
    let of_second = received_at.0.rem_euclid(Timestamp::SECOND);
    let offsets: Vec<Option<i64>> = readings
        .iter()
        .zip(places)
        .map(|(reading, place)| Some((place? * Timestamp::SECOND + of_second) / *counts.get(&key(reading))?))
        .collect();
    for (reading, offset) in readings.iter_mut().zip(offsets) {
        if let Some(offset) = offset {
            reading.time.0 += offset;
            reading.time_origin = TimeOrigin::Spread;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::ingest::SensorRef;

    const SECOND: Timestamp = Timestamp(1_796_024_595_000_000);

    fn readings(of: &[(&str, i64, f64, TimeOrigin)]) -> Vec<ParsedReading> {
        of.iter()
            .map(|(sensor, after_us, value, time_origin)| ParsedReading {
                sensor: SensorRef { machine: "m".into(), sensor: (*sensor).into(), ..SensorRef::default() },
                time: Timestamp(SECOND.0 + after_us),
                time_origin: *time_origin,
                value: *value,
                ..ParsedReading::default()
            })
            .collect()
    }

    fn shown(readings: &[ParsedReading]) -> Vec<(&str, i64, f64)> {
        readings.iter().map(|r| (r.sensor.sensor.as_str(), r.time.0 - SECOND.0, r.value)).collect()
    }

    #[test]
    fn the_last_value_of_a_time_stays() {
        use TimeOrigin::{Message, Receipt, Value};
        let mut readings = readings(&[
            ("a", 0, 1.0, Value),
            ("b", 0, 2.0, Message),
            ("a", 0, 3.0, Message),
            ("a", 1, 4.0, Value),
            ("a", 5, 5.0, Receipt),
            ("a", 5, 6.0, Receipt),
        ]);
        keep_last(&mut readings);
        assert_eq!(
            shown(&readings),
            [("b", 0, 2.0), ("a", 0, 3.0), ("a", 1, 4.0), ("a", 5, 5.0), ("a", 5, 6.0)]
        );
        assert_eq!(readings.iter().map(|r| r.replaces).collect::<Vec<_>>(), [true, true, true, false, false]);
    }

    #[test]
    fn values_of_a_second_are_spread_over_it() {
        use TimeOrigin::{Message, Receipt, Value};
        let given = [
            ("a", 0, 1.0, Value),
            ("a", 0, 2.0, Value),
            ("b", 0, 3.0, Message),
            ("a", 7, 4.0, Value),
            ("a", 0, 5.0, Receipt),
        ];
        let mut readings = readings(&given);
        spread(&mut readings, Timestamp(SECOND.0 + 400_000));
        assert_eq!(
            shown(&readings),
            [("a", 200_000, 1.0), ("a", 700_000, 2.0), ("b", 400_000, 3.0), ("a", 7, 4.0), ("a", 0, 5.0)]
        );
    }

    proptest::proptest! {
        #[test]
        fn spread_values_keep_their_order_within_their_second(count in 1_usize..200, received_us in 0_i64..10_000_000) {
            let all: Vec<_> = (0..count).map(|i| ("a", 0, i as f64, TimeOrigin::Value)).collect();
            let mut readings = readings(&all);
            spread(&mut readings, Timestamp(SECOND.0 + received_us));
            let times: Vec<i64> = readings.iter().map(|r| r.time.0 - SECOND.0).collect();
            proptest::prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
            proptest::prop_assert!(times.iter().all(|time| (0..Timestamp::SECOND).contains(time)));
        }
    }
}
