//! The fields of a machine: how the form reads and writes them, what the list and the machine's page show. A field
//! stands here once.

use crate::components::{
    badge,
    form::{choice, text_field},
};
use leptos::prelude::*;
use pm_api::{Criticality, MachineStatus, Timestamp, machine::Machine};
use pm_ui_core::{change::given, text::title};

/// A field of a machine.
pub struct Field {
    /// Its name for people.
    pub label: &'static str,
    /// How the form asks for it.
    input: Input,
    /// Its text in the form.
    read: fn(&Machine) -> String,
    /// Takes the text of the form.
    write: fn(&mut Machine, &str),
    /// The class of its column in the list of machines, if it has one.
    pub column: Option<&'static str>,
    /// Does the machine's page show it among the facts?
    pub fact: bool,
    /// What list and page show.
    pub view: fn(&Machine) -> AnyView,
}

enum Input {
    Text { required: bool },
    Day,
    Words(&'static [&'static str]),
}

/// Every field that people change, in the order of the form.
pub const FIELDS: &[Field] = &[
    Field {
        label: "Name",
        input: Input::Text { required: true },
        read: |m| m.name.clone(),
        write: |m, text| m.name = text.to_owned(),
        column: None,
        fact: false,
        view: |m| m.name.clone().into_any(),
    },
    Field {
        label: "Place",
        input: Input::Text { required: false },
        read: |m| m.location.clone().unwrap_or_default(),
        write: |m, text| m.location = given(text),
        column: Some("wide"),
        fact: false,
        view: |m| view! { <span class="muted">{m.location.clone()}</span> }.into_any(),
    },
    Field {
        label: "Description",
        input: Input::Text { required: false },
        read: |m| m.description.clone().unwrap_or_default(),
        write: |m, text| m.description = given(text),
        column: None,
        fact: false,
        view: |m| m.description.clone().into_any(),
    },
    Field {
        label: "Class",
        input: Input::Text { required: false },
        read: |m| m.machine_class.clone().unwrap_or_default(),
        write: |m, text| m.machine_class = given(text),
        column: Some("wide"),
        fact: true,
        view: |m| m.machine_class.clone().unwrap_or_else(|| "–".to_owned()).into_any(),
    },
    Field {
        label: "State",
        input: Input::Words(MachineStatus::WORDS),
        read: |m| m.status.to_string(),
        write: |m, word| m.status = word.parse().unwrap_or(m.status),
        column: Some(""),
        fact: false,
        view: |m| badge::machine(m.status),
    },
    Field {
        label: "Criticality",
        input: Input::Words(Criticality::WORDS),
        read: |m| m.criticality.to_string(),
        write: |m, word| m.criticality = word.parse().unwrap_or(m.criticality),
        column: Some("wide"),
        fact: true,
        view: |m| {
            let class = if m.criticality >= Criticality::High { "strong" } else { "muted" };
            view! { <span class=class>{title(m.criticality.as_str())}</span> }.into_any()
        },
    },
    Field {
        label: "Last service",
        input: Input::Day,
        read: |m| m.last_service_date.clone().unwrap_or_default(),
        write: |m, day| m.last_service_date = given(day),
        column: None,
        fact: true,
        view: |m| m.last_service_date.clone().unwrap_or_else(|| "not recorded".to_owned()).into_any(),
    },
];

/// A machine of which nothing is known yet.
pub fn blank() -> Machine {
    Machine {
        name: String::new(),
        location: None,
        description: None,
        machine_class: None,
        status: MachineStatus::Online,
        criticality: Criticality::Medium,
        metadata: None,
        last_service_date: None,
        id: uuid::Uuid::nil().into(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

/// What the form of a machine holds: the text of each field.
#[derive(Clone, Copy)]
pub struct Draft(StoredValue<Vec<RwSignal<String>>>);

impl Draft {
    /// The machine as it is.
    pub fn of(machine: &Machine) -> Self {
        Self(StoredValue::new(FIELDS.iter().map(|field| RwSignal::new((field.read)(machine))).collect()))
    }

    fn fields(self) -> impl Iterator<Item = (&'static Field, RwSignal<String>)> {
        FIELDS.iter().zip(self.0.get_value())
    }

    /// The machine with what the form holds.
    pub fn onto(self, mut machine: Machine) -> Machine {
        for (field, text) in self.fields() {
            (field.write)(&mut machine, text.get_untracked().trim());
        }
        machine
    }

    /// The inputs of the form.
    pub fn inputs(self) -> AnyView {
        let input = |(field, text): (&'static Field, RwSignal<String>)| match field.input {
            Input::Text { required } => text_field(field.label, "text", required, text).into_any(),
            Input::Day => text_field(field.label, "date", false, text).into_any(),
            Input::Words(words) => {
                let chosen = move || words.iter().copied().find(|word| text.with(|t| t == word));
                choice(field.label, words, move || chosen().unwrap_or_default(), move |word| text.set(word))
            }
        };
        view! { <div class="form-row">{self.fields().map(input).collect_view()}</div> }.into_any()
    }
}
