//! Sparkplug B 3.0 (Eclipse): birth and death certificates, data by name or alias, on `spBv1.0/GROUP/TYPE/NODE[/DEVICE]`.
//!
//! The machine is `GROUP/NODE` or `GROUP/NODE/DEVICE`, the sensor is the metric's name; a number or a boolean (0 or 1)
//! is a reading, of births as of data, with its quality. Metrics of other types (texts, data sets, templates) and null
//! values are named as ignored; the protocol's own metrics (`bdSeq`, `Node Control/…`, `Device Control/…`) are no values.
//! Data may name a metric by the alias that its birth certificate gave it; births are therefore stored on disk, since a
//! bridge that starts again would otherwise not understand what comes next. They are bounded, see [`births`]. An alias
//! without a birth is a dead letter, and the node is asked for its births again (`Node Control/Rebirth`), as it is after
//! a gap in its sequence numbers.

mod births;
mod wire;

use super::{Message, Parsed, ParsedReading};
use births::{Births, Known};
use pm_api::ingest::{MAX_BATCH_READINGS, SensorRef};
use pm_api::{Quality, Timestamp};
use pm_domain::payload::{Reader, Style, TimeOrigin, check_length, field, time};
use prost::Message as _;
use std::collections::HashMap;
use std::path::PathBuf;
use wire::{Metric, Payload};

/// First level of every topic of Sparkplug B.
pub const NAMESPACE: &str = "spBv1.0/";
/// A node is asked for its births at most this often, µs.
const ASK_EVERY_US: i64 = 5_000_000;
/// Most nodes of which is known when they were asked.
const MAX_ASKED_NODES: usize = 10_000;

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
        let topic = Topic::read(message.topic);
        let style = Style::default();
        let mut reader = Reader::new(message, &style);
        let result = match topic {
            // of hosts and to nodes: not of sensors
            _ if message.topic.starts_with("spBv1.0/STATE/") => return (Parsed::default(), None),
            Some(Topic { kind: "NCMD" | "DCMD", .. }) => return (Parsed::default(), None),
            Some(topic) => self.read_known(&mut reader, topic),
            None => Err("topic: not spBv1.0/GROUP/TYPE/NODE or spBv1.0/GROUP/TYPE/NODE/DEVICE".to_owned()),
        };
        let ask = result.unwrap_or_else(|reason| {
            reader.fault(reason);
            false
        });
        let rebirth = topic.filter(|_| ask).and_then(|topic| self.ask(topic, message.received_at));
        (reader.finish(), rebirth)
    }

    /// True when the node should be asked for its births.
    fn read_known(&mut self, reader: &mut Reader<'_>, topic: Topic<'_>) -> Result<bool, String> {
        let message = reader.message;
        check_length(message.payload)?;
        let count = wire::metric_count(message.payload);
        if count > MAX_BATCH_READINGS {
            return Err(format!("metrics: {count} of them, more than {MAX_BATCH_READINGS}"));
        }
        let payload = Payload::decode(message.payload)
            .map_err(|error| format!("payload: not a Sparkplug B payload: {error}"))?;
        let machine = topic.machine();
        field::check_name("machine (group, node and device of the topic)", &machine)?;
        let node = topic.edge_node();
        let in_order = match topic.kind {
            "NBIRTH" | "DBIRTH" => match self.births.born(&node, topic.device, &payload) {
                Ok(in_order) => in_order,
                Err(reason) => {
                    reader.fault(reason);
                    true
                }
            },
            "NDATA" | "DDATA" => self.births.follows(&node, payload.seq),
            "NDEATH" => {
                self.births.died(&node, &payload);
                return Ok(false);
            }
            "DDEATH" => return Ok(!self.births.device_died(&node, topic.device, payload.seq)),
            other => return Err(format!("topic: {other} is no message type of Sparkplug B")),
        };
        reader.values_may_repeat();
        let mut unknown = false;
        for (index, metric) in payload.metrics.iter().enumerate() {
            let known = self.births.known(&node, topic.device, metric);
            unknown |= known.is_none();
            let added = match reading(reader, &payload, &machine, metric, known) {
                Ok(reading) => reading.map_or(Ok(()), |reading| reader.add(reading)),
                Err(reason) => Err(reason),
            };
            if let Err(reason) = added {
                reader.fault(format!("metrics[{index}]: {reason}"));
            }
        }
        Ok(unknown || !in_order)
    }

    fn ask(&mut self, topic: Topic<'_>, now: Timestamp) -> Option<Rebirth> {
        let node = topic.edge_node();
        let lately = |at: &Timestamp| (0..ASK_EVERY_US).contains(&now.0.saturating_sub(at.0));
        if self.asked_at.get(&node).is_some_and(lately) {
            return None;
        }
        if self.asked_at.len() >= MAX_ASKED_NODES {
            self.asked_at.retain(|_, at| lately(at));
            if self.asked_at.len() >= MAX_ASKED_NODES {
                return None;
            }
        }
        self.asked_at.insert(node, now);
        Some(Rebirth {
            topic: format!("{NAMESPACE}{}/NCMD/{}", topic.group, topic.node),
            payload: Payload::rebirth(now).encode_to_vec(),
        })
    }
}

fn reading(
    reader: &mut Reader<'_>,
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
    if wire::is_of_protocol(known.name) {
        return Ok(None);
    }
    field::check_name("name", known.name)?;
    let number = if metric.is_null.unwrap_or(false) { Ok(None) } else { metric.number(known.datatype) };
    let Some(value) = number.map_err(|e| format!("{}: {e}", known.name))? else {
        reader.ignore(known.name);
        return Ok(None);
    };
    let quality = metric.quality().unwrap_or_else(|| {
        reader.ignore("Quality");
        Quality::Good
    });
    let sent = metric.timestamp.map(|ms| (ms, TimeOrigin::Value));
    let (time, time_origin) = match sent.or(payload.timestamp.map(|ms| (ms, TimeOrigin::Message))) {
        Some((ms, origin)) => {
            let at = time::check("timestamp", i128::from(ms) * 1000);
            (at.map_err(|reason| format!("{}: {reason}", known.name))?, origin)
        }
        None if reader.message.retained => {
            return Err(format!("{}: no timestamp in a retained message", known.name));
        }
        None => (reader.message.received_at, TimeOrigin::Receipt),
    };
    Ok(Some(ParsedReading {
        sensor: SensorRef {
            machine: machine.to_owned(),
            sensor: known.name.to_owned(),
            sensor_type: known.name.rsplit('/').next().map(str::to_owned),
            unit: known.unit.map(str::to_owned),
            ..SensorRef::default()
        },
        time,
        time_origin,
        value,
        quality,
        historical: metric.is_historical.unwrap_or(false),
        ..ParsedReading::default()
    }))
}

#[cfg(test)]
mod tests;
