//! What several values of a payload have in common, and how one value becomes a reading.

use super::value::{self, Read};
use super::{ParsedReading, Reader, TimeOrigin, field, quality, time};
use pm_api::ingest::SensorRef;
use pm_api::{Quality, ReadingStatus, Timestamp};
use serde_json::Value;

/// Why a value of a retained message cannot be dated.
pub const RETAINED_WITHOUT_TIME: &str = "timestamp: missing in a retained message, whose age is unknown";

/// What values of one object share.
#[derive(Debug, Clone)]
pub struct Shared<'a> {
    pub machine: String,
    pub location: Option<String>,
    pub unit: Option<String>,
    /// The time, or why there is none.
    pub time: Result<(Timestamp, TimeOrigin), String>,
    pub quality: Option<(&'a str, &'a Value)>,
    pub status: Option<ReadingStatus>,
    pub historical: bool,
    pub metadata: Option<String>,
}

/// What became of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is a reading.
    Stored,
    /// It says that there is no value.
    Absent,
    /// It is no measured value.
    Other,
    /// It cannot be used; the reader knows why.
    Fault,
}

/// The time of values that have none of their own: the sender's where there is one, else that of the receipt.
pub fn time(
    reader: &Reader<'_>,
    sent: Option<(&str, &Value)>,
    origin: TimeOrigin,
) -> Result<(Timestamp, TimeOrigin), String> {
    match sent.filter(|(_, value)| value::read(value, reader.style) != Read::Absent) {
        Some((key, value)) => Ok((time::read(key, value, reader.style.zone.as_ref())?, origin)),
        None if reader.message.retained => Err(RETAINED_WITHOUT_TIME.to_owned()),
        None => Ok((reader.message.received_at, TimeOrigin::Receipt)),
    }
}

impl Shared<'_> {
    /// Makes a reading of `value`, a plain value or one with its own time, quality and unit. `place` names it in reasons.
    pub fn add(
        &self,
        reader: &mut Reader<'_>,
        sensor: Result<String, String>,
        sensor_type: Option<String>,
        value: &Value,
        place: &dyn Fn() -> String,
    ) -> Outcome {
        let (own, value) = match value {
            Value::Object(object) if value::is_described(object) => {
                let own = value::described(object, |key| reader.ignore(key));
                (own, own.value.unwrap_or(&Value::Null))
            }
            plain => (value::Described::default(), plain),
        };
        let claim = own.quality.or(self.quality);
        let quality = match claim.map(|(key, claim)| (key, claim, quality::read(key, claim))) {
            None => Quality::Good,
            Some((_, _, Some(quality))) => quality,
            Some((key, claim, None)) => {
                if !claim.is_null() {
                    reader.ignore(key);
                }
                Quality::Good
            }
        };
        let number = match value::read(value, reader.style) {
            Read::Number(number) => number,
            Read::Absent if quality == Quality::Good => return Outcome::Absent,
            Read::Absent => {
                let claimed = claim.map(|(_, claim)| quality::shown(claim)).unwrap_or_default();
                reader.fault(format!("{}: no value, its quality is {quality} ({claimed})", place()));
                return Outcome::Fault;
            }
            Read::Other => return Outcome::Other,
            Read::Broken(reason) => {
                reader.fault(format!("{}: {reason}", place()));
                return Outcome::Fault;
            }
        };
        let added = self.reading(reader, own, sensor, sensor_type, number, quality);
        match added.and_then(|reading| reader.add(reading)) {
            Ok(()) => Outcome::Stored,
            Err(reason) => {
                reader.fault(reason);
                Outcome::Fault
            }
        }
    }

    fn reading(
        &self,
        reader: &Reader<'_>,
        own: value::Described<'_>,
        sensor: Result<String, String>,
        sensor_type: Option<String>,
        value: f64,
        quality: Quality,
    ) -> Result<ParsedReading, String> {
        let (time, time_origin) = match own.time {
            Some(_) => time(reader, own.time, TimeOrigin::Value)?,
            None => self.time.clone()?,
        };
        Ok(ParsedReading {
            sensor: SensorRef {
                machine: self.machine.clone(),
                sensor: sensor?,
                sensor_type,
                unit: own.unit.and_then(field::label).or_else(|| self.unit.clone()),
                location: self.location.clone(),
                topic: None,
            },
            time,
            time_origin,
            value,
            status: self.status,
            quality,
            historical: self.historical,
            metadata: self.metadata.clone(),
            replaces: false,
        })
    }
}

/// The last piece of a sensor's name, which says what is measured: `motor.temp` measures `temp`.
pub fn type_of_name(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}
