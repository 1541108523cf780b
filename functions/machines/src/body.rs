//! Bodies of requests about machines.

use pm_api::{Criticality, MachineStatus};
use pm_store::machine::{MachineChange, NewMachine};
use pm_web::{Fields, Refusal};

const NAME: usize = 200;
const TEXT: usize = 2000;
/// The free object is accepted under both names that clients use.
const METADATA: &[&str] = &["metadata", "metadata_json"];

pub(crate) fn new_machine(mut fields: Fields) -> Result<NewMachine, Refusal> {
    let new = NewMachine {
        name: fields.required_text("name", NAME),
        location: fields.text("location", TEXT).flatten(),
        description: fields.text("description", TEXT).flatten(),
        status: fields.word("status").unwrap_or(MachineStatus::Online),
        criticality: fields.word("criticality").unwrap_or(Criticality::Medium),
        metadata: fields.object(METADATA).flatten(),
        last_service_date: fields.date("last_service_date").flatten(),
    };
    fields.end().map(|()| new)
}

pub(crate) fn machine_change(mut fields: Fields) -> Result<MachineChange, Refusal> {
    let name = fields.text("name", NAME).flatten();
    if name.as_ref().is_some_and(|n| n.trim().is_empty()) {
        fields.refuse("string_too_short", "name", "String should have at least 1 character");
    }
    let change = MachineChange {
        name,
        location: fields.text("location", TEXT),
        description: fields.text("description", TEXT),
        status: fields.word("status"),
        criticality: fields.word("criticality"),
        metadata: fields.object(METADATA),
        last_service_date: fields.date("last_service_date"),
    };
    fields.end().map(|()| change)
}
