//! How payloads are read: the mappings that people made, and the dead letters, from which mappings are made.

use super::{
    dead_letters::DeadLetters,
    mapping_form::{MappingForm, Sample, Shown},
};
use crate::{
    api::{Query, Refresh},
    components::{
        confirm::Dialog,
        icon::Icon,
        loaded::{Empty, Entries},
    },
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    mapping::Mapping,
    route::{op, request},
};

/// The page.
#[component]
pub fn Mappings() -> impl IntoView {
    let app = app();
    let mappings = Query::new(|| Some(request(op::ListMappings, [])), &[Refresh::Pulse]);
    let shown = RwSignal::new(None::<Shown>);
    provide_context(shown);
    // a dead letter that a mapping is to be made of
    let groups = Query::new(move || app.nav.param("letter").map(|_| request(op::DeadLetterGroups, [])), &[]);
    Effect::new(move |_| {
        let Some(letter) = app.nav.param("letter") else { return };
        let letter = groups.items().into_iter().find(|group| group.newest_id.to_string() == letter);
        if let Some(letter) = letter {
            let sample = Sample { topic: letter.topic, payload: letter.payload, is_letter: true };
            shown.set(Some(Shown { known: None, sample }));
            app.nav.set_param("letter", None);
        }
    });
    let add = move |_| shown.set(Some(Shown { known: None, sample: Sample::default() }));
    view! {
        <header class="page-head">
            <h1>"Payloads"</h1>
            <button class="button" on:click=add>
                {Icon::Plus.view()}
                "New mapping"
            </button>
        </header>
        <section class="panel">
            <header class="panel-head">
                <h2>"Mappings"</h2>
            </header>
            <Entries list=mappings key=|mapping: &Mapping| (mapping.id, mapping.updated_at) row lines=3 none />
        </section>
        <DeadLetters />
        <Dialog open=shown title="Mapping" class="broad">
            {move || shown.get().map(|shown_now| view! { <MappingForm about=shown_now shown mappings /> })}
        </Dialog>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Clip title="No mappings">
            "Payloads of many gateways and devices are read without one. A mapping says where machine, sensor and value stand in others."
        </Empty>
    }
    .into_any()
}

fn row(mapping: Mapping, _: Query<Vec<Mapping>>) -> AnyView {
    let shown = expect_context::<RwSignal<Option<Shown>>>();
    let known = StoredValue::new(mapping.clone());
    let change = move |_| {
        shown.set(Some(Shown { known: Some(known.get_value()), sample: Sample::default() }));
    };
    let rules = mapping.rules;
    let reads = match (rules.machine, rules.sensor) {
        (Some(machine), Some(sensor)) => format!("machine {machine}, sensor {sensor}"),
        _ => "the known forms, as the source writes times and numbers".to_owned(),
    };
    view! {
        <li>
            <div>
                <strong>{mapping.name}</strong> " " <code>{rules.topic}</code>
                <p class="muted small">
                    {reads} {(!mapping.is_active).then_some(". Switched off")}
                </p>
            </div>
            <div class="acts">
                <button class="button small" on:click=change>
                    "Change"
                </button>
            </div>
        </li>
    }
    .into_any()
}
