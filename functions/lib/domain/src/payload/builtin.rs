//! Payload forms of gateways and devices, as mappings. Each is recognised by members that no other form has.
//!
//! Most specific first: the first form whose members are all there counts.

use super::mapping::{Mapping, Places};
use super::template::{Step, Template, child, pointer};
use serde_json::Value;
use std::sync::LazyLock;

/// A form in the words of [`super::template`].
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Name of the gateway or device.
    pub name: &'static str,
    /// Pointers of members by which it is recognised; `*` is the first member, `=text` demands this text.
    pub when: &'static [&'static str],
    /// Demanded last level of the topic.
    pub topic_end: Option<&'static str>,
    /// Is it an object of plain values, which a flat form of the topic would read as well?
    pub flat: bool,
    /// The machine.
    pub machine: &'static str,
    /// The sensor.
    pub sensor: &'static str,
    /// Pointers of the values.
    pub values: &'static [&'static str],
    /// The time.
    pub time: Option<&'static str>,
    /// The unit.
    pub unit: Option<&'static str>,
    /// The quality.
    pub quality: Option<&'static str>,
    /// Pointers of errors that stand in place of values.
    pub errors: &'static [&'static str],
    /// Names that are no values.
    pub except: &'static [&'static str],
}

const FORM: Form = Form {
    name: "",
    when: &[],
    topic_end: None,
    flat: false,
    machine: "",
    sensor: "",
    values: &[],
    time: None,
    unit: None,
    quality: None,
    errors: &[],
    except: &[],
};

const SHELLY: Form = Form {
    name: "Shelly",
    when: &["/src", "/method=NotifyStatus", "/params"],
    machine: "{/src}",
    sensor: "{name}",
    values: &["/params/**"],
    time: Some("{/params/ts}"),
    // the minute that by_minute begins with, and the device's clock
    except: &["id", "minute_ts", "unixtime"],
    ..FORM
};

/// Every form.
pub const FORMS: &[Form] = &[
    Form {
        name: "Kepware IoT Gateway",
        when: &["/values/0/id", "/values/0/v", "/values/0/q"],
        machine: "{/values/*/id|parent} | {topic:-1}",
        sensor: "{/values/*/id|leaf}",
        values: &["/values/*/v"],
        time: Some("{/values/*/t} | {/timestamp}"),
        quality: Some("{/values/*/q}"),
        ..FORM
    },
    Form {
        name: "OPC UA PubSub",
        when: &["/MessageType=ua-data", "/Messages/0/Payload"],
        machine: "{/Messages/*/DataSetWriterName} | {/PublisherId}/{/Messages/*/DataSetWriterId|number} | {/Messages/*/DataSetWriterId} | {/PublisherId}",
        sensor: "{name}",
        values: &["/Messages/*/Payload/**"],
        time: Some("{/Messages/*/Timestamp}"),
        quality: Some("{/Messages/*/Status}"),
        ..FORM
    },
    Form {
        name: "OPC UA PubSub, one message",
        when: &["/MessageType=ua-data", "/Messages/Payload"],
        machine: "{/Messages/DataSetWriterName} | {/PublisherId}/{/Messages/DataSetWriterId|number} | {/Messages/DataSetWriterId} | {/PublisherId}",
        sensor: "{name}",
        values: &["/Messages/Payload/**"],
        time: Some("{/Messages/Timestamp}"),
        quality: Some("{/Messages/Status}"),
        ..FORM
    },
    Form {
        name: "OPC UA PubSub without network message",
        when: &["/DataSetWriterId", "/Payload"],
        machine: "{/DataSetWriterName} | {/DataSetWriterId}",
        sensor: "{name}",
        values: &["/Payload/**"],
        time: Some("{/Timestamp}"),
        quality: Some("{/Status}"),
        ..FORM
    },
    Form {
        name: "Azure OPC Publisher",
        when: &["/NodeId", "/Value/Value"],
        machine: "{/DataSetWriterName} | {/DataSetWriterGroup} | {/ApplicationUri} | {/EndpointUrl} | {topic:-1}",
        sensor: "{/DisplayName} | {/NodeId}",
        values: &["/Value"],
        time: Some("{/Value/SourceTimestamp} | {/Timestamp}"),
        quality: Some("{/Value/StatusCode} | {/Status} | {/StatusCode}"),
        ..FORM
    },
    Form {
        name: "Azure OPC Publisher, value without time",
        when: &["/NodeId", "/Value", "/EndpointUrl"],
        machine: "{/DataSetWriterName} | {/DataSetWriterGroup} | {/ApplicationUri} | {/EndpointUrl}",
        sensor: "{/DisplayName} | {/NodeId}",
        values: &["/Value"],
        time: Some("{/SourceTimestamp} | {/Timestamp}"),
        quality: Some("{/StatusCode} | {/Status}"),
        ..FORM
    },
    Form {
        name: "EMQX Neuron, tags",
        when: &["/node", "/group", "/tags/0/name"],
        machine: "{/node}",
        sensor: "{/tags/*/name}",
        values: &["/tags/*/value"],
        time: Some("{/timestamp}"),
        errors: &["/tags/*/error"],
        ..FORM
    },
    Form {
        name: "EMQX Neuron, values",
        when: &["/node", "/group", "/values"],
        machine: "{/node}",
        sensor: "{name}",
        values: &["/values/**"],
        time: Some("{/timestamp}"),
        errors: &["/errors/*"],
        ..FORM
    },
    Form {
        name: "EMQX Neuron, only errors",
        when: &["/node", "/group", "/errors"],
        machine: "{/node}",
        sensor: "{name}",
        values: &["/values/**"],
        time: Some("{/timestamp}"),
        errors: &["/errors/*"],
        ..FORM
    },
    Form {
        name: "Ignition, Sparkplug as JSON",
        when: &["/topic/edgeNodeId", "/payload/metrics/0/name"],
        machine: "{/topic/groupId}/{/topic/edgeNodeId}/{/topic/deviceId} | {/topic/groupId}/{/topic/edgeNodeId}",
        sensor: "{/payload/metrics/*/name}",
        values: &["/payload/metrics/*/value"],
        time: Some("{/payload/metrics/*/timestamp} | {/payload/timestamp}"),
        unit: Some("{/payload/metrics/*/properties/engUnit/value}"),
        quality: Some("{/payload/metrics/*/properties/Quality/value}"),
        ..FORM
    },
    Form {
        name: "Ignition, tag",
        when: &["/tagPath", "/value"],
        machine: "{/tagPath|parent} | {topic:-1}",
        sensor: "{/tagPath|leaf}",
        values: &["/value"],
        time: Some("{/timestamp} | {/t_stamp}"),
        unit: Some("{/engUnit} | {/unit}"),
        quality: Some("{/quality} | {/qualityCode}"),
        ..FORM
    },
    Form {
        name: "Ignition, tags",
        when: &["/tags/0/tagPath", "/tags/0/value"],
        machine: "{/tags/*/tagPath|parent} | {topic:-1}",
        sensor: "{/tags/*/tagPath|leaf}",
        values: &["/tags/*/value"],
        time: Some("{/tags/*/timestamp} | {/tags/*/t_stamp} | {/timestamp}"),
        quality: Some("{/tags/*/quality}"),
        ..FORM
    },
    Form {
        name: "ThingsBoard gateway",
        when: &["/*/0/ts", "/*/0/values"],
        machine: "{name:1}",
        sensor: "{name}",
        values: &["/*/*/values/**"],
        time: Some("{/*/*/ts}"),
        ..FORM
    },
    Form {
        name: "ChirpStack v4",
        when: &["/deviceInfo/devEui", "/object"],
        machine: "{/deviceInfo/deviceName} | {/deviceInfo/devEui}",
        sensor: "{name}",
        values: &["/object/**"],
        time: Some("{/time}"),
        ..FORM
    },
    Form {
        name: "ChirpStack v3",
        when: &["/applicationID", "/devEUI", "/object"],
        machine: "{/deviceName} | {/devEUI}",
        sensor: "{name}",
        values: &["/object/**"],
        time: Some("{/rxInfo/0/time} | {/publishedAt}"),
        ..FORM
    },
    Form {
        name: "The Things Stack",
        when: &["/end_device_ids/device_id", "/uplink_message/decoded_payload"],
        machine: "{/end_device_ids/device_id} | {/end_device_ids/dev_eui}",
        sensor: "{name}",
        values: &["/uplink_message/decoded_payload/**"],
        time: Some("{/uplink_message/received_at} | {/received_at}"),
        ..FORM
    },
    SHELLY,
    Form { name: "Shelly, full status", when: &["/src", "/method=NotifyFullStatus", "/params"], ..SHELLY },
    Form {
        name: "Cognite",
        when: &["/items/0/externalId", "/items/0/datapoints"],
        machine: "{/items/*/externalId|parent} | {topic:-1}",
        sensor: "{/items/*/externalId|leaf}",
        values: &["/items/*/datapoints/*/value"],
        time: Some("{/items/*/datapoints/*/timestamp}"),
        quality: Some("{/items/*/datapoints/*/status}"),
        ..FORM
    },
    Form {
        name: "Cognite, instances",
        when: &["/items/0/instanceId/externalId", "/items/0/datapoints"],
        machine: "{/items/*/instanceId/externalId|parent} | {/items/*/instanceId/space}",
        sensor: "{/items/*/instanceId/externalId|leaf}",
        values: &["/items/*/datapoints/*/value"],
        time: Some("{/items/*/datapoints/*/timestamp}"),
        quality: Some("{/items/*/datapoints/*/status}"),
        ..FORM
    },
    Form {
        name: "AVEVA OMF",
        when: &["/containerid", "/values"],
        machine: "{/containerid|parent} | {/containerid}",
        sensor: "{/containerid|leaf}.{name}",
        values: &["/values/*/**"],
        time: Some("{/values/*/timestamp} | {/values/*/Timestamp} | {/values/*/Time} | {/values/*/time}"),
        ..FORM
    },
    Form {
        name: "AVEVA Insight, tags in rows",
        when: &["/TagName", "/Value"],
        machine: "{/TagName|parent} | {topic:-1}",
        sensor: "{/TagName|leaf}",
        values: &["/Value"],
        time: Some("{/DateTime} | {/dateTime} | {/Timestamp}"),
        unit: Some("{/EngUnits} | {/EngineeringUnit}"),
        quality: Some("{/OpcQuality} | {/Quality}"),
        ..FORM
    },
    Form {
        name: "AVEVA Insight, tags in columns",
        when: &["/data/0/dateTime"],
        machine: "{name|parent} | {topic:-1}",
        sensor: "{name|leaf}",
        values: &["/data/*/**"],
        time: Some("{/data/*/dateTime}"),
        ..FORM
    },
    Form {
        name: "AVEVA Insight, tags in columns, DateTime",
        when: &["/data/0/DateTime"],
        machine: "{name|parent} | {topic:-1}",
        sensor: "{name|leaf}",
        values: &["/data/*/**"],
        time: Some("{/data/*/DateTime}"),
        ..FORM
    },
    Form {
        name: "AVEVA PI Web API",
        when: &["/Items/0/Name", "/Items/0/Items/0/Value"],
        machine: "{/Items/*/Name|parent} | {topic:-1}",
        sensor: "{/Items/*/Name|leaf}",
        values: &["/Items/*/Items/*/Value"],
        time: Some("{/Items/*/Items/*/Timestamp}"),
        unit: Some("{/Items/*/Items/*/UnitsAbbreviation}"),
        quality: Some("{/Items/*/Items/*/Good}"),
        ..FORM
    },
    Form {
        name: "Telegraf, metrics of OPC UA",
        when: &["/metrics/0/fields/Quality", "/metrics/0/tags/id"],
        machine: "{/metrics/*/tags/machine_id} | {/metrics/*/tags/machine} | {/metrics/*/tags/device_id} | {/metrics/*/tags/host} | {/metrics/*/tags/device}",
        // the tag id holds the address of the node, which the name of the field stands for
        sensor: "{/metrics/*/name}{/metrics/*/tags|except machine_id,machine,device_id,host,id}.{name}",
        values: &["/metrics/*/fields/**"],
        time: Some("{/metrics/*/timestamp}"),
        quality: Some("{/metrics/*/fields/Quality}"),
        ..FORM
    },
    Form {
        name: "Telegraf, metrics",
        when: &["/metrics/0/fields", "/metrics/0/name"],
        machine: "{/metrics/*/tags/machine_id} | {/metrics/*/tags/machine} | {/metrics/*/tags/device_id} | {/metrics/*/tags/host} | {/metrics/*/tags/device}",
        sensor: "{/metrics/*/name}{/metrics/*/tags|except machine_id,machine,device_id,host}.{name}",
        values: &["/metrics/*/fields/**"],
        time: Some("{/metrics/*/timestamp}"),
        quality: Some("{/metrics/*/fields/Quality} | {/metrics/*/fields/quality}"),
        ..FORM
    },
    Form {
        name: "Telegraf, OPC UA",
        when: &["/fields/Quality", "/name", "/tags/id"],
        machine: "{/tags/machine_id} | {/tags/machine} | {/tags/device_id} | {/tags/host} | {/tags/device}",
        sensor: "{/name}{/tags|except machine_id,machine,device_id,host,id}.{name}",
        values: &["/fields/**"],
        time: Some("{/timestamp}"),
        quality: Some("{/fields/Quality}"),
        ..FORM
    },
    Form {
        name: "Telegraf",
        when: &["/fields", "/name", "/tags"],
        machine: "{/tags/machine_id} | {/tags/machine} | {/tags/device_id} | {/tags/host} | {/tags/device}",
        sensor: "{/name}{/tags|except machine_id,machine,device_id,host}.{name}",
        values: &["/fields/**"],
        time: Some("{/timestamp}"),
        quality: Some("{/fields/Quality} | {/fields/quality}"),
        ..FORM
    },
    Form {
        name: "rtl_433",
        when: &["/model", "/id", "/time"],
        flat: true,
        machine: "{/model}-{/channel}-{/id} | {/model}-{/id}",
        sensor: "{name}",
        values: &["/**"],
        time: Some("{/time}"),
        except: &["mic", "mod", "subtype"],
        ..FORM
    },
    Form {
        name: "Zigbee2MQTT",
        when: &["/linkquality"],
        flat: true,
        machine: "{/device/friendlyName} | {topic:-1}",
        sensor: "{name}",
        values: &["/**"],
        time: Some("{/last_seen}"),
        except: &["update", "device"],
        ..FORM
    },
    Form {
        name: "Tasmota, sensors",
        when: &["/Time"],
        topic_end: Some("SENSOR"),
        flat: true,
        machine: "{topic:-2}",
        sensor: "{name}",
        values: &["/**"],
        time: Some("{/Time}"),
        ..FORM
    },
    Form {
        name: "Tasmota, state",
        when: &["/Time"],
        topic_end: Some("STATE"),
        flat: true,
        machine: "{topic:-2}",
        sensor: "{name}",
        values: &["/**"],
        time: Some("{/Time}"),
        ..FORM
    },
];

struct BuiltIn {
    form: &'static Form,
    when: Vec<(Vec<Step>, Option<&'static str>)>,
    mapping: Mapping,
}

static BUILT_IN: LazyLock<Vec<BuiltIn>> =
    LazyLock::new(|| FORMS.iter().filter_map(|form| built_in(form).ok()).collect());

fn built_in(form: &'static Form) -> Result<BuiltIn, String> {
    let template = |text: Option<&str>| text.map(Template::read).transpose();
    let pointers = |texts: &[&str]| texts.iter().map(|text| pointer(text)).collect::<Result<Vec<_>, _>>();
    let condition = |text: &&'static str| {
        let (place, wanted) =
            text.split_once('=').map_or((*text, None), |(place, wanted)| (place, Some(wanted)));
        pointer(place).map(|place| (place, wanted))
    };
    Ok(BuiltIn {
        form,
        when: form.when.iter().map(condition).collect::<Result<_, _>>()?,
        mapping: Mapping::built_in(Places {
            machine: Template::read(form.machine)?,
            sensor: Template::read(form.sensor)?,
            values: pointers(form.values)?,
            time: template(form.time)?,
            unit: template(form.unit)?,
            quality: template(form.quality)?,
            errors: pointers(form.errors)?,
            except: form.except.iter().map(|name| (*name).to_owned()).collect(),
        }),
    })
}

/// The built-in mapping of a payload; `flat_by_topic`: its topic has a flat form of its own.
#[must_use]
pub fn of_payload(topic: &str, payload: &Value, flat_by_topic: bool) -> Option<&'static Mapping> {
    find(topic, payload, flat_by_topic).map(|known| &known.mapping)
}

/// Name of the built-in form of a payload.
#[must_use]
pub fn name_of(topic: &str, payload: &Value) -> Option<&'static str> {
    find(topic, payload, false).map(|known| known.form.name)
}

fn find(topic: &str, payload: &Value, flat_by_topic: bool) -> Option<&'static BuiltIn> {
    // several payloads in an array: the first one decides
    let payload = match payload {
        Value::Array(elements) => elements.first()?,
        other => other,
    };
    BUILT_IN.iter().filter(|known| !(known.form.flat && flat_by_topic)).find(|known| {
        known.form.topic_end.is_none_or(|end| topic.rsplit('/').next() == Some(end))
            && known.when.iter().all(|(place, wanted)| holds(payload, place, *wanted))
    })
}

fn holds(value: &Value, place: &[Step], wanted: Option<&str>) -> bool {
    let Some((step, rest)) = place.split_first() else {
        return wanted.is_none_or(|wanted| value.as_str() == Some(wanted));
    };
    let next = match (step, value) {
        (Step::Key(key), value) => child(value, key),
        (_, Value::Object(members)) => members.values().next(),
        (_, Value::Array(elements)) => elements.first(),
        _ => None,
    };
    next.is_some_and(|next| holds(next, rest, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_can_be_used() {
        for form in FORMS {
            assert!(built_in(form).is_ok(), "{}: {:?}", form.name, built_in(form).err());
        }
        assert_eq!(BUILT_IN.len(), FORMS.len());
    }
}
