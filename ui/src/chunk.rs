//! The chunks of the program. Each is a file of its own, fetched when the first of its pages is shown and kept until
//! the document is left. Code that several chunks use is in the file that is fetched first. `ui/bundle` splits the
//! program at the functions marked here.

use crate::{
    components::loaded::{failure, skeleton},
    page,
};
use futures::FutureExt;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use pm_api::{MachineId, SensorId, alarm::Alarm};
use pm_ui_core::route::{Chunk, Route};

/// A page, once its chunk of the program is loaded.
#[component]
pub fn ChunkedPage(
    /// The chunk that holds the page.
    chunk: Chunk,
    /// The page.
    route: Route,
) -> impl IntoView {
    let fetch = move || async move {
        match chunk {
            Chunk::Plant => fetch_plant().await,
            Chunk::Sensing => fetch_sensing().await,
            Chunk::Work => fetch_work().await,
            Chunk::Operations => fetch_operations().await,
            Chunk::Admin => fetch_admin().await,
            Chunk::OnCall => fetch_on_call().await,
        }
        .is_ok()
    };
    let page = move || match chunk {
        // Nothing is waited for: the chunk is loaded.
        Chunk::Plant => plant(route).now_or_never(),
        Chunk::Sensing => sensing(route).now_or_never(),
        Chunk::Work => work(route).now_or_never(),
        Chunk::Operations => operations(route).now_or_never(),
        Chunk::Admin => admin(route).now_or_never(),
        Chunk::OnCall => on_call(route).now_or_never(),
    };
    once_loaded(fetch, page, 8)
}

/// A panel that is fetched after its page, so that the page comes sooner.
#[derive(Debug, Clone, Copy)]
pub enum Panel {
    /// What the sensors of a machine show beside their references.
    References(MachineId),
    /// What happened to a machine, with its alarms.
    History(MachineId, Memo<Vec<Alarm>>),
    /// Planned maintenance of a machine.
    Maintenance(MachineId),
    /// The alarm rule of a sensor with this unit.
    AlarmRule(SensorId, Signal<String>),
    /// A rule tried on what the sensor with this unit has shown.
    TryOnHistory(SensorId, Signal<String>),
}

/// A panel, once the chunk of all panels is loaded.
#[component]
pub fn ChunkedPanel(
    /// Which panel.
    panel: Panel,
) -> impl IntoView {
    let fetch = move || async move { fetch_panels().await.is_ok() };
    once_loaded(fetch, move || panels(panel).now_or_never(), 3)
}

/// A skeleton of so many lines, then what the loaded chunk makes, or the offer to fetch it again.
fn once_loaded<F: Future<Output = bool> + 'static>(
    fetch: impl Fn() -> F + Copy + Send + Sync + 'static,
    made: impl Fn() -> Option<Result<AnyView, SplitLoaderError>> + Send + Sync + 'static,
    lines: usize,
) -> impl IntoView {
    let loaded = RwSignal::new(None::<bool>);
    let start = move || {
        loaded.set(None);
        spawn_local(async move {
            let fetched = fetch().await;
            // The user may have opened another page while it loaded.
            loaded.try_set(Some(fetched));
        });
    };
    start();
    move || match loaded.get().map(|fetched| made().filter(|_| fetched).and_then(Result::ok)) {
        None => skeleton(lines),
        Some(Some(view)) => view,
        Some(None) => failure("This page could not be fetched.".to_owned(), Callback::new(move |()| start())),
    }
}

#[wasm_split(plant, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_plant))]
fn plant(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Overview => view! { <page::overview::Overview /> }.into_any(),
        Route::Machines => view! { <page::machines::Machines /> }.into_any(),
        Route::Start => view! { <page::start::Start /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}

#[wasm_split(sensing, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_sensing))]
fn sensing(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Machine(id) => view! { <page::machine::MachinePage id /> }.into_any(),
        Route::Sensors => view! { <page::sensors::Sensors /> }.into_any(),
        Route::Sensor(id) => view! { <page::sensor::SensorPage id /> }.into_any(),
        Route::Predictions | Route::Prediction(_) => view! { <page::predictions::Predictions /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}

#[wasm_split(work, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_work))]
fn work(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Alarms | Route::Alarm(_) => view! { <page::alarms::Alarms /> }.into_any(),
        Route::Tickets | Route::Ticket(_) => view! { <page::tickets::Tickets /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}

#[wasm_split(operations, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_operations))]
fn operations(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Reports => view! { <page::reports::Reports /> }.into_any(),
        Route::Models => view! { <page::models::Models /> }.into_any(),
        Route::Webhooks => view! { <page::webhooks::Webhooks /> }.into_any(),
        Route::Mappings => view! { <page::mappings::Mappings /> }.into_any(),
        Route::System => view! { <page::system::System /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}

#[wasm_split(admin, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_admin))]
fn admin(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Settings => view! { <page::settings::Settings /> }.into_any(),
        Route::Users => view! { <page::users::Users /> }.into_any(),
        Route::Audit => view! { <page::audit::Audit /> }.into_any(),
        Route::Profile => view! { <page::profile::Profile /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}

#[wasm_split(on_call, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_on_call))]
fn on_call(_: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <page::on_call::OnCall /> }.into_any())
}

#[wasm_split(panels, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_panels))]
fn panels(panel: Panel) -> Result<AnyView, SplitLoaderError> {
    Ok(match panel {
        Panel::References(id) => view! { <page::references::References id /> }.into_any(),
        Panel::History(id, own) => view! { <page::machine_history::MachineHistory id own /> }.into_any(),
        Panel::Maintenance(id) => view! { <page::maintenance::Maintenance id /> }.into_any(),
        Panel::AlarmRule(id, unit) => view! { <page::alarm_rule::AlarmRuleSection id unit /> }.into_any(),
        Panel::TryOnHistory(id, unit) => view! { <page::try_on_history::TryOnHistory id unit /> }.into_any(),
    })
}
