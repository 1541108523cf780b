//! Sparkplug B 3.0 (Eclipse): birth and death certificates, data by name or alias, on `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`.
//!
//! The machine is `GROUP/NODE` or `GROUP/NODE/DEVICE`, the sensor is the metric's name; a number or a boolean (0 or 1)
//! is a reading, of births as of data. Metrics of other types (texts, data sets, templates), null values and the
//! protocol's own metrics (`bdSeq`, `Node Control/…`, `Device Control/…`) are no readings. Data may name a metric by the
//! alias that its birth certificate gave it; births are therefore kept on disk, since a bridge that starts again would
//! otherwise not understand what comes next. An alias without a birth is a dead letter, and the node is asked for its
//! births again (`Node Control/Rebirth`), as it is after a gap in its sequence numbers.

mod births;
mod wire;

use super::{Message, Parsed, ParsedReading, dead_letter, field, too_long};
use births::{Births, Known};
use pm_api::Timestamp;
use pm_api::ingest::{MAX_BATCH_READINGS, SensorRef};
use prost::Message as _;
use std::collections::HashMap;
use std::path::PathBuf;
use wire::{Metric, Payload};

/// First level of every topic of Sparkplug B.
pub const NAMESPACE: &str = "spBv1.0/";
/// A node is asked for its births at most this often, µs.
const ASK_EVERY_US: i64 = 5_000_000;

/// A command to an edge node: send all birth certificates again.
#[derive(Debug, Clone, PartialEq)]
pub struct Rebirth {
    /// Topic of the command.
    pub topic: String,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// The state of the edge nodes, from their births.
#[derive(Debug, Default)]
pub struct Sparkplug {
    births: Births,
    asked_at: HashMap<String, Timestamp>,
}

/// A topic in its levels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Topic<'a> {
    kind: &'a str,
    group: &'a str,
    node: &'a str,
    device: Option<&'a str>,
}

impl<'a> Topic<'a> {
    fn read(topic: &'a str) -> Option<Self> {
        let mut levels = topic.strip_prefix(NAMESPACE)?.split('/');
        let (group, kind, node) = (levels.next()?, levels.next()?, levels.next()?);
        let device = levels.next();
        let named = ![group, node].contains(&"") && device != Some("") && levels.next().is_none();
        (named && kind.starts_with('D') == device.is_some()).then_some(Self { kind, group, node, device })
    }

    fn edge_node(&self) -> String {
        format!("{}/{}", self.group, self.node)
    }

    fn machine(&self) -> String {
        self.device.map_or_else(|| self.edge_node(), |device| format!("{}/{device}", self.edge_node()))
    }
}

impl Sparkplug {
    /// With the births that an earlier process stored in `folder`; new ones are stored there.
    #[must_use]
    pub fn open(folder: PathBuf) -> Self {
        Self { births: Births::open(folder), asked_at: HashMap::new() }
    }

    /// Reads a message on a topic of Sparkplug B: its readings, and what to ask its node for. Both lists may be empty,
    /// as for a death certificate.
    pub fn read(&mut self, message: Message<'_>) -> (Parsed, Option<Rebirth>) {
        let mut parsed = Parsed::default();
        let topic = Topic::read(message.topic);
        let result = match topic {
            // of hosts and to nodes: not of sensors
            _ if message.topic.starts_with("spBv1.0/STATE/") => return (parsed, None),
            Some(Topic { kind: "NCMD" | "DCMD", .. }) => return (parsed, None),
            Some(topic) => self.read_known(message, topic, &mut parsed),
            None => Err("topic: not spBv1.0/GROUP/TYPE/NODE or spBv1.0/GROUP/TYPE/NODE/DEVICE".to_owned()),
        };
        let ask = match result {
            Ok(ask) => ask,
            Err(reason) => {
                parsed.dead_letters.push(dead_letter(message, message.payload, reason));
                false
            }
        };
        let rebirth = topic.filter(|_| ask).and_then(|topic| self.ask(topic, message.received_at));
        (parsed, rebirth)
    }

    /// True when the node should be asked for its births.
    fn read_known(
        &mut self,
        message: Message<'_>,
        topic: Topic<'_>,
        parsed: &mut Parsed,
    ) -> Result<bool, String> {
        too_long(message.payload)?;
        let payload = Payload::decode(message.payload)
            .map_err(|error| format!("payload: not a Sparkplug B payload: {error}"))?;
        if payload.metrics.len() > MAX_BATCH_READINGS {
            return Err(format!(
                "metrics: {} of them, more than {MAX_BATCH_READINGS}",
                payload.metrics.len()
            ));
        }
        let machine = topic.machine();
        field::check_name("machine (group, node and device of the topic)", &machine)?;
        let node = topic.edge_node();
        let in_order = match topic.kind {
            "NBIRTH" | "DBIRTH" => self.births.born(&node, topic.device, &payload),
            "NDATA" | "DDATA" => self.births.follows(&node, payload.seq),
            "NDEATH" => {
                self.births.died(&node, &payload);
                return Ok(false);
            }
            "DDEATH" => return Ok(!self.births.device_died(&node, topic.device, payload.seq)),
            other => return Err(format!("topic: {other} is no message type of Sparkplug B")),
        };
        let mut reasons = Vec::new();
        let mut unknown = false;
        for (index, metric) in payload.metrics.iter().enumerate() {
            let known = self.births.known(&node, topic.device, metric);
            unknown |= known.is_none();
            match reading(message, &payload, &machine, metric, known) {
                Ok(reading) => parsed.readings.extend(reading),
                Err(reason) => reasons.push(format!("metrics[{index}]: {reason}")),
            }
        }
        if !reasons.is_empty() {
            let reason = super::joined(&reasons, "");
            parsed.dead_letters.push(dead_letter(message, message.payload, reason));
        }
        Ok(unknown || !in_order)
    }

    fn ask(&mut self, topic: Topic<'_>, now: Timestamp) -> Option<Rebirth> {
        let node = topic.edge_node();
        let lately = |at: &Timestamp| (0..ASK_EVERY_US).contains(&now.0.saturating_sub(at.0));
        if self.asked_at.get(&node).is_some_and(lately) {
            return None;
        }
        self.asked_at.insert(node, now);
        Some(Rebirth {
            topic: format!("{NAMESPACE}{}/NCMD/{}", topic.group, topic.node),
            payload: Payload::rebirth(now).encode_to_vec(),
        })
    }
}

fn reading(
    message: Message<'_>,
    payload: &Payload,
    machine: &str,
    metric: &Metric,
    known: Option<Known<'_>>,
) -> Result<Option<ParsedReading>, String> {
    let Some(known) = known else {
        let alias =
            metric.alias.map_or_else(|| "neither name nor alias".to_owned(), |a| format!("alias {a}"));
        return Err(format!("{alias}: no birth certificate names it"));
    };
    if wire::is_of_protocol(known.name) || metric.is_null.unwrap_or(false) {
        return Ok(None);
    }
    let Some(value) = metric.number(known.datatype).map_err(|e| format!("{}: {e}", known.name))? else {
        return Ok(None);
    };
    if let Some(quality) = metric.bad_quality() {
        return Err(format!("{}: its quality is {quality}, not 192 (good)", known.name));
    }
    field::check_name("name", known.name)?;
    let sent = metric.timestamp.or(payload.timestamp);
    let time = match sent {
        Some(ms) => i64::try_from(ms)
            .ok()
            .and_then(|ms| ms.checked_mul(1000))
            .filter(|us| *us <= field::END_OF_TIME_US)
            .map(Timestamp)
            .ok_or_else(|| format!("{}: its timestamp is not between 1970 and 9999", known.name))?,
        None if message.retained => {
            return Err(format!("{}: no timestamp in a retained message", known.name));
        }
        None => message.received_at,
    };
    Ok(Some(ParsedReading {
        sensor: SensorRef {
            machine: machine.to_owned(),
            sensor: known.name.to_owned(),
            sensor_type: known.name.rsplit('/').next().map(str::to_owned),
            unit: known.unit.map(str::to_owned),
            location: None,
            topic: Some(field::clean(message.topic)),
        },
        time,
        value,
        dated_on_receipt: sent.is_none(),
        ..ParsedReading::default()
    }))
}

#[cfg(test)]
mod tests;
