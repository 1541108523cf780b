//! The protobuf messages of Sparkplug B (`org.eclipse.tahu.protobuf`), as far as numbers need them: what is not listed
//! here (data sets, templates, extensions) is skipped by the decoder.

use pm_api::{Quality, Timestamp};
use pm_domain::payload::field;
use prost::encoding::{WireType, decode_key, skip_field};
use prost::{Message, Oneof};

/// A payload.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// Milliseconds since 1970.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// The metrics.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// 0 to 255, one more with each message of a node.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// One value.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its name; data may leave it out where the birth gave an alias.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number in place of the name.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// Milliseconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// What the value is; data may leave it out.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// The value was measured earlier and buffered by the node.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// There is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// Unit, quality and the like.
    #[prost(message, optional, tag = "9")]
    pub properties: Option<PropertySet>,
    /// The value.
    #[prost(oneof = "Value", tags = "10, 11, 12, 13, 14, 15")]
    pub value: Option<Value>,
}

/// Values by name.
#[derive(Clone, PartialEq, Message)]
pub struct PropertySet {
    /// Names.
    #[prost(string, repeated, tag = "1")]
    pub keys: Vec<String>,
    /// Values, in the order of the names.
    #[prost(message, repeated, tag = "2")]
    pub values: Vec<Property>,
}

/// One property.
#[derive(Clone, PartialEq, Message)]
pub struct Property {
    /// The value.
    #[prost(oneof = "PropertyValue", tags = "3, 4, 7, 8")]
    pub value: Option<PropertyValue>,
}

/// The value of a property.
#[derive(Clone, PartialEq, Oneof)]
pub enum PropertyValue {
    /// Up to 32 bits.
    #[prost(uint32, tag = "3")]
    Int(u32),
    /// Up to 64 bits.
    #[prost(uint64, tag = "4")]
    Long(u64),
    /// True or false.
    #[prost(bool, tag = "7")]
    Boolean(bool),
    /// A text.
    #[prost(string, tag = "8")]
    Text(String),
}

/// The value of a metric.
#[derive(Clone, PartialEq, Oneof)]
pub enum Value {
    /// Up to 32 bits; a negative number in two's complement.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Up to 64 bits; a negative number in two's complement.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Single precision.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Double precision.
    #[prost(double, tag = "13")]
    Double(f64),
    /// True or false.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// A text.
    #[prost(string, tag = "15")]
    Text(String),
}

const INT8: u32 = 1;
const INT16: u32 = 2;
const INT32: u32 = 3;
const INT64: u32 = 4;
const BOOLEAN: u32 = 11;
const DATE_TIME: u32 = 13;
/// Field of the metrics in a payload.
const METRICS: u32 = 2;

impl Payload {
    /// The command that asks a node for its births.
    pub fn rebirth(now: Timestamp) -> Self {
        let ms = u64::try_from(now.0 / 1000).ok();
        let metric = Metric {
            name: Some("Node Control/Rebirth".to_owned()),
            timestamp: ms,
            datatype: Some(BOOLEAN),
            value: Some(Value::Boolean(true)),
            ..Metric::default()
        };
        Self { timestamp: ms, metrics: vec![metric], seq: None }
    }

    /// The number that joins a node's death certificate to its birth certificate.
    pub fn bd_seq(&self) -> Option<u64> {
        let metric = self.metrics.iter().find(|m| m.name.as_deref() == Some("bdSeq"))?;
        match metric.value {
            Some(Value::Int(n)) => Some(n.into()),
            Some(Value::Long(n)) => Some(n),
            _ => None,
        }
    }
}

impl Metric {
    /// The value as a number, booleans as 0 and 1; `None` when it is of another type.
    ///
    /// # Errors
    /// It is not finite.
    pub fn number(&self, of_birth: Option<u32>) -> Result<Option<f64>, String> {
        let datatype = self.datatype.or(of_birth).unwrap_or_default();
        let number = match (&self.value, datatype) {
            (None | Some(Value::Text(_)), _) | (_, DATE_TIME) => return Ok(None),
            (Some(Value::Boolean(truth)), _) => f64::from(u8::from(*truth)),
            // narrow types travel in 32 bits, negative ones in two's complement of their own width
            (Some(Value::Int(n)), INT8) => f64::from(*n as i8),
            (Some(Value::Int(n)), INT16) => f64::from(*n as i16),
            (Some(Value::Int(n)), INT32) => f64::from(n.cast_signed()),
            (Some(Value::Int(n)), _) => f64::from(*n),
            (Some(Value::Long(n)), INT8..=INT64) => n.cast_signed() as f64,
            (Some(Value::Long(n)), _) => *n as f64,
            (Some(Value::Float(x)), _) => f64::from(*x),
            (Some(Value::Double(x)), _) => *x,
        };
        if number.is_finite() { Ok(Some(number)) } else { Err("not a finite number".to_owned()) }
    }

    /// The unit in a birth certificate, under the property names in use.
    pub fn unit(&self) -> Option<String> {
        ["engUnit", "Engineering Units", "unit"].iter().find_map(|key| match self.property(key)? {
            PropertyValue::Text(text) => {
                let text = field::short_label(text.trim());
                (!text.is_empty()).then_some(text)
            }
            _ => None,
        })
    }

    /// The property `Quality`, good where there is none; `None` if it is not understood.
    pub fn quality(&self) -> Option<Quality> {
        match self.property("Quality") {
            None => Some(Quality::Good),
            Some(PropertyValue::Int(n)) => Some(Quality::of_number(*n)),
            Some(PropertyValue::Long(n)) => u32::try_from(*n).ok().map(Quality::of_number),
            Some(PropertyValue::Boolean(good)) => Some(if *good { Quality::Good } else { Quality::Bad }),
            Some(PropertyValue::Text(word)) => Quality::of_word(word.trim()),
        }
    }

    fn property(&self, key: &str) -> Option<&PropertyValue> {
        let set = self.properties.as_ref()?;
        let at = set.keys.iter().position(|k| k.eq_ignore_ascii_case(key))?;
        set.values.get(at)?.value.as_ref()
    }
}

/// Number of metrics in an encoded payload. They are counted before they are decoded, because a metric takes a hundred
/// times as much memory as its shortest encoding.
pub fn metric_count(payload: &[u8]) -> usize {
    let mut rest = payload;
    let mut count = 0;
    while !rest.is_empty() {
        let Ok((tag, wire_type)) = decode_key(&mut rest) else { return count };
        count += usize::from(tag == METRICS && wire_type == WireType::LengthDelimited);
        if skip_field(wire_type, tag, &mut rest, prost::encoding::DecodeContext::default()).is_err() {
            return count;
        }
    }
    count
}

/// A metric by which node and host talk of themselves.
pub fn is_of_protocol(name: &str) -> bool {
    name == "bdSeq" || name.starts_with("Node Control/") || name.starts_with("Device Control/")
}
