//! Ctrl-K: go anywhere by typing a few letters.

use super::confirm::Dialog;
use crate::{api::Query, state::app};
use leptos::{ev, html, prelude::*};
use pm_api::{
    route::{op, request},
    sensor::SensorFilter,
};
use pm_ui_core::route::Route;

#[derive(Clone, PartialEq)]
struct Place {
    kind: &'static str,
    name: String,
    hint: String,
    address: String,
}

/// The palette; Ctrl-K opens it.
#[component]
pub fn Palette() -> impl IntoView {
    let app = app();
    let open = RwSignal::new(false);
    let handle = window_event_listener(ev::keydown, move |event| {
        if (event.ctrl_key() || event.meta_key()) && event.key() == "k" {
            event.prevent_default();
            open.update(|open| *open = !*open);
        }
    });
    on_cleanup(move || handle.remove());
    Effect::new(move |_| {
        app.nav.route.track();
        open.set(false);
    });
    view! {
        <Dialog open title="Go to" class="palette">
            <Finder open />
        </Dialog>
    }
    .into_any()
}

#[component]
fn Finder(open: RwSignal<bool>) -> impl IntoView {
    let app = app();
    let wanted = RwSignal::new(String::new());
    // The server looks for the longest word; the others narrow its answer here.
    let longest = Memo::new(move |_| {
        wanted.with(|w| w.split_whitespace().max_by_key(|word| word.len()).map(str::to_owned))
    });
    let machines = Query::new(|| Some(request(op::ListMachines, []).limit(1000)), &[]);
    let sensors = Query::new(
        move || {
            let filter = SensorFilter { q: longest.get().map(Into::into), ..SensorFilter::default() };
            Some(request(op::ListSensors, []).query(&filter).limit(100))
        },
        &[],
    );
    let chosen = RwSignal::new(0_usize);
    let input = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = input.get() {
            let _ = input.focus();
        }
    });
    let found = Memo::new(move |_| {
        let words: Vec<String> = wanted.with(|w| w.split_whitespace().map(str::to_lowercase).collect());
        let pages = Route::PAGES.iter().filter(|page| app.api.session.may_see(**page)).map(|page| Place {
            kind: "Page",
            name: page.name().to_owned(),
            hint: String::new(),
            address: page.to_string(),
        });
        let machine_list = machines.items();
        let names: std::collections::HashMap<_, _> =
            machine_list.iter().map(|m| (m.id, m.name.clone())).collect();
        let machines = machine_list.into_iter().map(|machine| Place {
            kind: "Machine",
            hint: machine.location.unwrap_or_default(),
            name: machine.name,
            address: Route::Machine(machine.id).to_string(),
        });
        let sensors = sensors.items().into_iter().map(|sensor| Place {
            kind: "Sensor",
            hint: names.get(&sensor.machine_id).cloned().unwrap_or_default(),
            name: sensor.name,
            address: Route::Sensor(sensor.id).to_string(),
        });
        pages
            .chain(machines)
            .chain(sensors)
            .filter(|place| {
                let text = format!("{} {} {}", place.kind, place.name, place.hint).to_lowercase();
                words.iter().all(|word| text.contains(word))
            })
            .take(12)
            .collect::<Vec<_>>()
    });
    let go = move |address: &str| {
        open.set(false);
        app.nav.go(address);
    };
    view! {
        <input
            node_ref=input
            class="input"
            type="search"
            placeholder="Page, machine or sensor"
            aria-label="Page, machine or sensor"
            prop:value=move || wanted.get()
            on:input=move |event| {
                wanted.set(event_target_value(&event));
                chosen.set(0);
            }
            on:keydown=move |event| {
                let last = found.with(Vec::len).saturating_sub(1);
                match event.key().as_str() {
                    "ArrowDown" => chosen.update(|i| *i = (*i + 1).min(last)),
                    "ArrowUp" => chosen.update(|i| *i = i.saturating_sub(1)),
                    "Enter" => {
                        if let Some(place) = found.with(|f| f.get(chosen.get()).cloned()) {
                            go(&place.address);
                        }
                    }
                    _ => return,
                }
                event.prevent_default();
            }
        />
        <ul class="places">
            {move || {
                found
                    .get()
                    .into_iter()
                    .enumerate()
                    .map(|(i, place)| {
                        view! {
                            <li>
                                <a href=place.address class:chosen=move || chosen.get() == i>
                                    <span>{place.name}</span>
                                    <span class="muted">{place.hint}</span>
                                    <span class="muted small">{place.kind}</span>
                                </a>
                            </li>
                        }
                    })
                    .collect_view()
            }}
        </ul>
        {move || {
            found.with(Vec::is_empty).then(|| view! { <p class="muted pad">"Nothing has that name."</p> })
        }}
    }
    .into_any()
}
