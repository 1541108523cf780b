//! A mapping says where machine, sensor, value, time, unit and quality stand in the payloads of a topic. People make them;
//! the [`builtin`](super::builtin) forms are such mappings too.

use super::shared::{self, Outcome, Shared};
use super::template::{Context, Found, Name, Pointer, Step, Template, child, pointer, wildcards};
use super::time::Zone;
use super::{Reader, Style, TimeOrigin, field, influx, json, table, unread, value};
use pm_api::PayloadFormat;
use pm_api::mapping::MappingRules;
use serde_json::Value;

/// The mappings that are in force, in order: the first whose filter fits a topic counts.
#[derive(Debug, Default)]
pub struct Mappings(Vec<Mapping>);

impl Mappings {
    /// These, in this order.
    #[must_use]
    pub fn new(mappings: Vec<Mapping>) -> Self {
        Self(mappings)
    }

    /// Those of these rules that can be used, in this order.
    #[must_use]
    pub fn of_rules(rules: &[MappingRules]) -> Self {
        Self(rules.iter().filter_map(|rules| Mapping::new(rules).ok()).collect())
    }

    /// The first mapping for a topic.
    #[must_use]
    pub fn of_topic(&self, topic: &str) -> Option<&Mapping> {
        self.0.iter().find(|mapping| filter_fits(&mapping.topic, topic))
    }
}

/// A mapping, ready for use.
#[derive(Debug)]
pub struct Mapping {
    topic: String,
    format: PayloadFormat,
    /// Names of the columns of CSV without a header line.
    pub(super) columns: Vec<String>,
    /// How the source writes times and numbers.
    pub style: Style,
    places: Option<Places>,
}

/// Where the parts of a reading stand.
#[derive(Debug)]
pub(super) struct Places {
    pub machine: Template,
    pub sensor: Template,
    pub values: Vec<Pointer>,
    pub time: Option<Template>,
    pub unit: Option<Template>,
    pub quality: Option<Template>,
    /// Members of this pointer say why a value is missing.
    pub errors: Vec<Pointer>,
    /// Names that are no values.
    pub except: Vec<String>,
}

impl Mapping {
    /// Checks and prepares the rules of a mapping.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn new(rules: &MappingRules) -> Result<Self, (&'static str, String)> {
        let template = |field: &'static str, text: &Option<String>| {
            text.as_deref()
                .filter(|text| !text.trim().is_empty())
                .map(|text| Template::read(text).map_err(|e| (field, e)))
                .transpose()
        };
        if !is_filter(&rules.topic) {
            return Err(("topic", "not a topic filter".to_owned()));
        }
        let zone = match rules.time_zone.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Some(Zone::find(name).ok_or(("time_zone", format!("{name}: no IANA time zone")))?),
            None => None,
        };
        let (machine, sensor) = (template("machine", &rules.machine)?, template("sensor", &rules.sensor)?);
        let values = rules.value.as_deref().unwrap_or_default();
        let places = match (machine, sensor) {
            (None, None) if values.trim().is_empty() => None,
            (None, _) => return Err(("machine", "missing".to_owned())),
            (_, None) => return Err(("sensor", "missing".to_owned())),
            (Some(machine), Some(sensor)) => {
                let values: Result<Vec<_>, _> = values.split(" | ").map(pointer).collect();
                let values = values.map_err(|e| ("value", e))?;
                let most = values.iter().map(|pointer| wildcards(pointer)).min().unwrap_or(0);
                let places = Places {
                    machine,
                    sensor,
                    values,
                    time: template("time", &rules.time)?,
                    unit: template("unit", &rules.unit)?,
                    quality: template("quality", &rules.quality)?,
                    errors: Vec::new(),
                    except: Vec::new(),
                };
                for (field, template) in places.templates() {
                    if template.wildcards() > most {
                        return Err((
                            field,
                            "names more wildcards than the pointer of the value has".to_owned(),
                        ));
                    }
                }
                Some(places)
            }
        };
        let columns: Vec<String> =
            rules.columns.as_deref().unwrap_or_default().split(',').map(|c| c.trim().to_owned()).collect();
        Ok(Self {
            topic: rules.topic.clone(),
            format: rules.format,
            columns: if columns == [""] { Vec::new() } else { columns },
            style: Style { zone, decimal_comma: rules.decimal_comma, same_time: rules.same_time },
            places,
        })
    }

    /// A built-in mapping.
    pub(super) fn built_in(places: Places) -> Self {
        Self {
            topic: String::new(),
            format: PayloadFormat::Json,
            columns: Vec::new(),
            style: Style::default(),
            places: Some(places),
        }
    }

    /// Does it say where values stand? One that does not only says how the source writes values.
    #[must_use]
    pub fn maps_values(&self) -> bool {
        self.places.is_some()
    }

    /// Reads a payload.
    pub(super) fn read(&self, reader: &mut Reader<'_>, text: &str) -> Result<(), String> {
        let rows = |reader: &mut Reader<'_>, rows: super::rows::Rows| {
            rows.take(reader)?.map_or(Ok(()), |rows| self.read_value(reader, &rows))
        };
        match self.format {
            PayloadFormat::Csv => rows(reader, table::read(text, &self.columns)?),
            PayloadFormat::Influx => rows(reader, influx::read(text)?),
            PayloadFormat::Text => self.read_value(reader, &Value::String(text.trim().to_owned())),
            PayloadFormat::Json | PayloadFormat::Auto => match json::read(text) {
                Ok(json::Read { value, leftover }) => {
                    reader.ignore_leftover(leftover);
                    self.read_value(reader, &value)
                }
                Err(reason) if self.format == PayloadFormat::Json => {
                    Err(format!("payload: not JSON: {reason}"))
                }
                Err(_) if !self.columns.is_empty() => rows(reader, table::read(text, &self.columns)?),
                Err(_) => match table::unmistakable(text).or_else(|| influx::unmistakable(text)) {
                    Some(read) => rows(reader, read?),
                    None => self.read_value(reader, &Value::String(text.trim().to_owned())),
                },
            },
        }
    }

    /// Reads a JSON value; an array of objects is several payloads, unless the mapping reads into it.
    pub(super) fn read_value(&self, reader: &mut Reader<'_>, root: &Value) -> Result<(), String> {
        let Some(places) = &self.places else { return Ok(()) };
        reader.several = true;
        let reads_arrays = places.values.iter().any(|pointer| {
            matches!(pointer.first(), Some(Step::Any))
                || matches!(pointer.first(), Some(Step::Key(key)) if key.parse::<usize>().is_ok())
        });
        match root {
            Value::Array(elements) if !reads_arrays && elements.first().is_some_and(Value::is_object) => {
                if elements.len() > super::rows::MAX_ROWS {
                    return Err(format!(
                        "payload: {} elements, more than {}",
                        elements.len(),
                        super::rows::MAX_ROWS
                    ));
                }
                elements.iter().for_each(|element| places.read(reader, element));
            }
            root => places.read(reader, root),
        }
        Ok(())
    }
}

impl Places {
    fn templates(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let optional = [("time", &self.time), ("unit", &self.unit), ("quality", &self.quality)];
        let given = optional.into_iter().filter_map(|(field, template)| Some((field, template.as_ref()?)));
        [("machine", &self.machine), ("sensor", &self.sensor)].into_iter().chain(given)
    }

    fn read(&self, reader: &mut Reader<'_>, root: &Value) {
        let mut walk = Walk { places: self, root, found: Found::default(), seen: false };
        for pointer in &self.values {
            walk.values(reader, root, pointer);
        }
        for pointer in &self.errors {
            walk.errors(reader, root, pointer);
        }
        let seen = walk.seen;
        let of_templates = self.templates().flat_map(|(_, template)| template.pointers());
        let pointers: Vec<&Pointer> = self.values.iter().chain(&self.errors).chain(of_templates).collect();
        unread::ignore(reader, root, &pointers);
        if !seen {
            let at: Vec<String> = self.values.iter().map(|pointer| shown(pointer)).collect();
            reader.fault(format!("value: none found at {}", at.join(" or ")));
        }
    }
}

/// A payload while it is read.
struct Walk<'a> {
    places: &'a Places,
    root: &'a Value,
    found: Found<'a>,
    /// Was there a value, or the statement that there is none?
    seen: bool,
}

impl<'a> Walk<'a> {
    /// Calls `leaf` for everything that the pointer reaches.
    fn each(
        &mut self,
        reader: &mut Reader<'_>,
        value: &'a Value,
        rest: &[Step],
        leaf: &mut dyn FnMut(&mut Self, &mut Reader<'_>, &'a Value),
    ) {
        let Some((step, rest)) = rest.split_first() else { return leaf(self, reader, value) };
        match (step, value) {
            (Step::Key(key), value) => {
                if let Some(value) = child(value, key) {
                    self.each(reader, value, rest, leaf);
                }
            }
            (Step::Any, Value::Object(members)) => {
                for (key, value) in members {
                    self.found.steps.push(Name::Key(key));
                    self.each(reader, value, rest, leaf);
                    self.found.steps.pop();
                }
            }
            (Step::Any, Value::Array(elements)) => {
                for (index, value) in elements.iter().enumerate() {
                    self.found.steps.push(Name::Index(index));
                    self.each(reader, value, rest, leaf);
                    self.found.steps.pop();
                }
            }
            (Step::Any, _) => {}
            (Step::Deep, Value::Object(members)) => self.deep(reader, members, "", leaf),
            (Step::Deep, _) => {}
        }
    }

    fn deep(
        &mut self,
        reader: &mut Reader<'_>,
        members: &'a serde_json::Map<String, Value>,
        path: &str,
        leaf: &mut dyn FnMut(&mut Self, &mut Reader<'_>, &'a Value),
    ) {
        for (key, value) in members {
            if self.is_read_elsewhere(value) {
                continue;
            }
            if self.places.except.contains(key) {
                reader.ignore(key);
                continue;
            }
            match value {
                Value::Object(inner) if !value::is_described(inner) => {
                    self.deep(reader, inner, &format!("{path}{}.", key.trim()), leaf);
                }
                value => {
                    self.found.steps.push(Name::Path(format!("{path}{}", key.trim())));
                    leaf(self, reader, value);
                    self.found.steps.pop();
                }
            }
        }
    }

    /// Is this what another place of the mapping points to, such as the time?
    fn is_read_elsewhere(&self, value: &Value) -> bool {
        let context = Context { topic: "", root: self.root, found: &self.found };
        self.places.templates().any(|(_, template)| template.points_to(context, value))
    }

    fn values(&mut self, reader: &mut Reader<'_>, root: &'a Value, pointer: &[Step]) {
        self.each(reader, root, pointer, &mut |walk, reader, value| walk.value(reader, value));
    }

    fn value(&mut self, reader: &mut Reader<'_>, value: &'a Value) {
        let context = Context { topic: reader.message.topic, root: self.root, found: &self.found };
        let places = self.places;
        let name = |field: &str, template: &Template| match template.text(context) {
            Some(text) => field::check_name(field, text.trim()).map(|()| text.trim().to_owned()),
            None => Err(format!("{field}: not found")),
        };
        let sensor = name("sensor_id", &places.sensor);
        let shown_name = || sensor.clone().unwrap_or_else(|_| "value".to_owned());
        let machine = match name("machine_id", &places.machine) {
            Ok(machine) => machine,
            Err(reason) => {
                self.seen = true;
                return reader.fault(reason);
            }
        };
        let sent = places.time.as_ref().and_then(|template| template.value(context));
        let sent = sent.as_ref().map(|(key, value)| (*key, value.as_ref()));
        let origin = if reader.of_lines || places.time.as_ref().is_some_and(|t| t.wildcards() > 0) {
            TimeOrigin::Value
        } else {
            TimeOrigin::Message
        };
        let quality = places.quality.as_ref().and_then(|template| template.value(context));
        let shared = Shared {
            machine,
            location: None,
            unit: places
                .unit
                .as_ref()
                .and_then(|template| template.text(context))
                .and_then(|text| field::label(&Value::String(text))),
            time: shared::time(reader, sent, origin),
            quality: quality.as_ref().map(|(key, value)| (*key, value.as_ref())),
            status: None,
            historical: false,
            metadata: None,
        };
        let sensor_type = sensor.as_deref().ok().map(|name| shared::type_of_name(name).to_owned());
        match shared.add(reader, sensor.clone(), sensor_type, value, &shown_name) {
            Outcome::Stored | Outcome::Fault => self.seen = true,
            Outcome::Absent => {
                self.seen = true;
                reader.ignore(&shown_name());
            }
            // the only value of a message
            Outcome::Other if self.found.steps.is_empty() => {
                self.seen = true;
                reader.fault(format!("{}: not a number", shown_name()));
            }
            Outcome::Other => {
                self.seen = true;
                reader.ignore(&shown_name());
            }
        }
    }

    fn errors(&mut self, reader: &mut Reader<'_>, root: &'a Value, pointer: &[Step]) {
        self.each(reader, root, pointer, &mut |walk, reader, error| {
            let context = Context { topic: reader.message.topic, root: walk.root, found: &walk.found };
            let sensor = walk.places.sensor.text(context).unwrap_or_else(|| "value".to_owned());
            walk.seen = true;
            reader.fault(format!(
                "{sensor}: no value, the sender reports error {}",
                super::quality::shown(error)
            ));
        });
    }
}

fn shown(pointer: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!("/{key}"),
        Step::Any => "/*".to_owned(),
        Step::Deep => "/**".to_owned(),
    };
    if pointer.is_empty() { "the payload".to_owned() } else { pointer.iter().map(step).collect() }
}

/// Is it a topic filter of MQTT?
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    let levels: Vec<&str> = filter.split('/').collect();
    let last = levels.len() - 1;
    !filter.is_empty()
        && filter.len() <= 500
        && !filter.chars().any(char::is_control)
        && levels.iter().enumerate().all(|(i, level)| match *level {
            "+" => true,
            "#" => i == last,
            level => !level.contains(['+', '#']),
        })
}

/// Does the filter match the topic (MQTT 3.1.1, 4.7)?
#[must_use]
pub fn filter_fits(filter: &str, topic: &str) -> bool {
    let mut levels = topic.split('/');
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}
