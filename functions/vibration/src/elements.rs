//! The elements of a machine: as they are given, stored, and used by pm-vibration.

use pm_api::{
    MachineId,
    input::FieldFault,
    route::op,
    vibration::{ElementKind, FrequencyMark, KnownBearing, MachineElement, NewElement, StoredElement},
};
use pm_store::{StoreError, vibration};
use pm_vibration::{
    Bearing, Machine,
    bearing::LIBRARY,
    element::{Element, Kind},
};
use pm_web::{Input, Refusal};
use serde_json::{Value, json};

/// Speeds of shafts against the one that bursts come with.
const RATIOS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// `GET /machines/{machine_id}/elements`.
pub(crate) async fn of_machine(input: Input<op::MachineElements>) -> Result<Vec<MachineElement>, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let stored = vibration::elements(&input.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(stored.into_iter().map(shown).collect())
}

/// `PUT /machines/{machine_id}/elements`.
pub(crate) async fn put(input: Input<op::PutMachineElements>) -> Result<Vec<MachineElement>, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let mut elements: Vec<StoredElement> = Vec::new();
    for (index, new) in input.body.iter().enumerate() {
        let element = stored(new);
        let fault = match element_of(&element) {
            Err(fault) => Some(fault),
            Ok(_) if elements.iter().any(|e| e.name == element.name) => {
                Some(FieldFault::new("name", "Another element has this name", json!(element.name)))
            }
            Ok(_) => None,
        };
        if let Some(FieldFault { field, refused, input }) = fault {
            let mut error = pm_api::error::FieldError::new(refused.kind, &["body"], refused.message, input);
            error.loc.extend([index.into(), field.into()]);
            return Err(Refusal::Invalid(vec![error]));
        }
        elements.push(element);
    }
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let stored = vibration::set_elements(&db, &actor, id, &elements).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "machine_elements_machine_exists" => Refusal::NotFound,
        other => other.into(),
    })?;
    Ok(stored.into_iter().map(shown).collect())
}

/// `GET /bearings`.
pub(crate) async fn known(_: Input<op::ListKnownBearings>) -> Result<Vec<KnownBearing>, Refusal> {
    let known = LIBRARY.iter().map(|k| KnownBearing {
        designation: k.designation.to_owned(),
        count: k.bearing.elements.into(),
        element_diameter: k.bearing.element_diameter,
        pitch_diameter: k.bearing.pitch_diameter,
        contact_angle_deg: k.bearing.contact_angle_deg,
        source: k.source.to_owned(),
    });
    Ok(known.collect())
}

/// What pm-vibration knows of a machine.
pub(crate) fn machine(stored: &[StoredElement]) -> Machine {
    Machine { elements: stored.iter().filter_map(|e| element_of(e).ok()).collect() }
}

/// Where shafts and elements show, in Hz if the speed is known.
pub(crate) fn marks(stored: &[StoredElement], shaft_hz: Option<f64>) -> Vec<FrequencyMark> {
    let shaft = FrequencyMark { name: "1×".to_owned(), order: 1.0, hz: shaft_hz };
    let elements = stored.iter().flat_map(of_element);
    let with_speed = elements.map(|m| FrequencyMark { hz: shaft_hz.map(|hz| hz * m.order), ..m });
    std::iter::once(shaft).chain(with_speed).collect()
}

fn shown(given: StoredElement) -> MachineElement {
    let marks = of_element(&given);
    MachineElement { given, marks }
}

fn of_element(stored: &StoredElement) -> Vec<FrequencyMark> {
    let Ok(element) = element_of(stored) else { return Vec::new() };
    let mark = |label: &str, order: f64| FrequencyMark {
        name: format!("{} {label}", stored.name).trim_end().to_owned(),
        order: stored.ratio * order,
        hz: None,
    };
    match element.kind {
        Kind::Bearing(bearing) => {
            let o = bearing.orders();
            vec![
                mark("BPFO", o.outer),
                mark("BPFI", o.inner),
                mark("2×BSF", 2.0 * o.spin),
                mark("FTF", o.cage),
            ]
        }
        _ => element.order().map(|order| mark("", order / stored.ratio)).into_iter().collect(),
    }
}

fn stored(new: &NewElement) -> StoredElement {
    let bearing = new.kind == ElementKind::Bearing;
    StoredElement {
        name: new.name.0.clone(),
        kind: new.kind,
        ratio: new.ratio.map_or(1.0, |r| r.0),
        count: new.count.map(|c| c.0),
        element_diameter: new.element_diameter.map(|d| d.0),
        pitch_diameter: new.pitch_diameter.map(|d| d.0),
        contact_angle_deg: new.contact_angle_deg.map(|a| a.0).or(bearing.then_some(0.0)),
        pulley_over_belt: new.pulley_over_belt.map(|r| r.0),
    }
}

/// The element, or what is missing or wrong.
fn element_of(stored: &StoredElement) -> Result<Element, FieldFault> {
    let fault = |field, message: &str, value: Value| Err(FieldFault::new(field, message, value));
    if !RATIOS.contains(&stored.ratio) {
        return fault("ratio", "Input should be between 0.001 and 1000", json!(stored.ratio));
    }
    let count = || {
        let count = stored.count.and_then(|c| u32::try_from(c).ok());
        count.ok_or_else(|| FieldFault::new("count", "This kind of element needs its number", Value::Null))
    };
    let kind = match stored.kind {
        ElementKind::Gear => Kind::Gear(count()?),
        ElementKind::Blades => Kind::Blades(count()?),
        ElementKind::Belt => match stored.pulley_over_belt {
            Some(ratio) if ratio > 0.0 && ratio < 0.5 => Kind::Belt(ratio),
            other => {
                return fault("pulley_over_belt", "A belt needs it, between 0 and 0.5", json!(other));
            }
        },
        ElementKind::Bearing => {
            let Some((element, pitch)) = stored.element_diameter.zip(stored.pitch_diameter) else {
                return fault("pitch_diameter", "A bearing needs its two diameters", Value::Null);
            };
            let angle = stored.contact_angle_deg.unwrap_or_default();
            match Bearing::new(count()?, element, pitch, angle) {
                Ok(bearing) => Kind::Bearing(bearing),
                Err(error) => {
                    use pm_vibration::bearing::Fault;
                    let (field, value) = match error {
                        Fault::Elements | Fault::Overlap => ("count", json!(stored.count)),
                        Fault::Diameters => ("element_diameter", json!(element)),
                        Fault::Angle => ("contact_angle_deg", json!(angle)),
                    };
                    let message = error.to_string();
                    let message = message.split_once(": ").map_or(message.as_str(), |(_, m)| m);
                    return fault(field, message, value);
                }
            }
        }
    };
    Ok(Element { name: stored.name.clone(), ratio: stored.ratio, kind })
}
