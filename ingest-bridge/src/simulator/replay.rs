//! Recorded readings from a CSV file: timestamp, machine_id, sensor_id, value, and perhaps unit and sensor_type.

use anyhow::{Context, ensure};
use pm_api::Timestamp;
use serde::Deserialize;
use std::path::Path;

#[derive(Deserialize)]
struct Row {
    timestamp: String,
    machine_id: String,
    sensor_id: String,
    value: f64,
    unit: Option<String>,
    sensor_type: Option<String>,
}

/// A recorded reading, ready to be published.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// When it was measured.
    pub time: Timestamp,
    /// `factory/replay/<machine>/sensors`.
    pub topic: String,
    machine: String,
    sensor: String,
    value: f64,
    unit: Option<String>,
    sensor_type: Option<String>,
}

impl Recorded {
    /// Its payload, dated `time`.
    #[must_use]
    pub fn payload(&self, time: Timestamp) -> Vec<u8> {
        let payload = serde_json::json!({
            "machine_id": self.machine, "sensor_id": self.sensor, "value": self.value, "timestamp": time,
            "unit": self.unit, "metric": self.sensor_type,
        });
        payload.to_string().into_bytes()
    }
}

/// Reads a recording; sorted by time.
///
/// # Errors
/// The file cannot be read, or a line is wrong: which line and why.
pub fn read(file: &Path) -> anyhow::Result<Vec<Recorded>> {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file);
    let mut reader = reader.with_context(|| format!("cannot read {}", file.display()))?;
    let mut rows = Vec::new();
    for (index, row) in reader.deserialize().enumerate() {
        let place = || format!("{} line {}", file.display(), index + 2);
        let row: Row = row.with_context(place)?;
        let time =
            crate::payload::recorded_time(&row.timestamp).map_err(anyhow::Error::msg).with_context(place)?;
        ensure!(row.value.is_finite(), "{}: value is not finite", place());
        let level: String = row
            .machine_id
            .chars()
            .map(|c| if matches!(c, '/' | '+' | '#' | '\0') { '_' } else { c })
            .collect();
        rows.push(Recorded {
            time,
            topic: format!("factory/replay/{level}/sensors"),
            machine: row.machine_id,
            sensor: row.sensor_id,
            value: row.value,
            unit: row.unit.filter(|u| !u.is_empty()),
            sensor_type: row.sensor_type.filter(|t| !t.is_empty()),
        });
    }
    ensure!(!rows.is_empty(), "{} holds no readings", file.display());
    rows.sort_by_key(|r| r.time);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_read_and_a_faulty_one_refused() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("r.csv");
        let write = |text: &str| std::fs::write(&file, text);
        write(
            "timestamp,machine_id,sensor_id,value,unit\n2026-01-02T00:00:01Z,a/b,t,2,°C\n1767312000, a/b,t,1.5,\n",
        )?;
        let rows = read(&file)?;
        assert_eq!(rows.iter().map(|r| r.value).collect::<Vec<_>>(), [1.5, 2.0], "by time");
        assert_eq!((rows[0].topic.as_str(), rows[0].unit.as_deref()), ("factory/replay/a_b/sensors", None));
        assert!(String::from_utf8_lossy(&rows[1].payload(rows[1].time)).contains("\"°C\""));
        for bad in [
            "timestamp,machine_id,sensor_id,value\n",
            "a,b\n1,2\n",
            "timestamp,machine_id,sensor_id,value\nx,m,s,1\n",
        ] {
            write(bad)?;
            assert!(read(&file).is_err(), "{bad}");
        }
        Ok(())
    }
}
