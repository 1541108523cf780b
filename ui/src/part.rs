//! The parts of the program. Each is a file of its own, fetched when the first of its pages is shown and there from
//! then on; what both need is in the file that is fetched first. `ui/bundle` takes the program apart at the functions
//! marked here.

use crate::{
    page,
    parts::loaded::{failure, skeleton},
};
use futures::FutureExt;
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use pm_ui_core::route::{Part, Route};

/// A page, once its part of the program is there.
#[component]
pub fn PageOf(
    /// The part that shows it.
    part: Part,
    /// The page.
    route: Route,
) -> impl IntoView {
    let there = RwSignal::new(None::<bool>);
    let fetch = move || {
        there.set(None);
        spawn_local(async move {
            let fetched = match part {
                Part::Plant => fetch_plant().await,
                Part::Sensing => fetch_sensing().await,
                Part::Work => fetch_work().await,
                Part::Office => fetch_office().await,
            };
            // The reader may have gone on meanwhile.
            there.try_set(Some(fetched.is_ok()));
        });
    };
    fetch();
    move || {
        let page = there.get().map(|fetched| {
            let page = match part {
                // Nothing is waited for: the part is there.
                Part::Plant => plant(route).now_or_never(),
                Part::Sensing => sensing(route).now_or_never(),
                Part::Work => work(route).now_or_never(),
                Part::Office => office(route).now_or_never(),
            };
            page.filter(|_| fetched).and_then(Result::ok)
        });
        match page {
            None => skeleton(8),
            Some(Some(page)) => page,
            Some(None) => {
                failure("This page could not be fetched.".to_owned(), Callback::new(move |()| fetch()))
            }
        }
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

#[wasm_split(office, wasm_split_path = ::leptos::wasm_split, fallible, preload(fetch_office))]
fn office(route: Route) -> Result<AnyView, SplitLoaderError> {
    Ok(match route {
        Route::Reports => view! { <page::reports::Reports /> }.into_any(),
        Route::Models => view! { <page::models::Models /> }.into_any(),
        Route::Webhooks => view! { <page::webhooks::Webhooks /> }.into_any(),
        Route::Settings => view! { <page::settings::Settings /> }.into_any(),
        Route::Users => view! { <page::users::Users /> }.into_any(),
        Route::Audit => view! { <page::audit::Audit /> }.into_any(),
        Route::System => view! { <page::system::System /> }.into_any(),
        Route::Profile => view! { <page::profile::Profile /> }.into_any(),
        _ => view! { <page::not_found::NotFound /> }.into_any(),
    })
}
