//! The first run: how to publish a reading, and the reading arriving.

use crate::{
    api::{Query, Refresh},
    components::icon::Icon,
    live::Topic,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    SensorId, Timestamp,
    route::{op, request},
    sensor::{Sensor, SensorFilter},
    sort::SensorSort,
};
use pm_ui_core::{route::Route, text::reading};

/// The page.
#[component]
pub fn Start() -> impl IntoView {
    let app = app();
    let status = Query::new(|| Some(request(op::SystemStatus, [])), &[Refresh::Pulse]);
    let sensors = Query::new(
        || {
            let filter = SensorFilter { q: Some("press-7".into()), ..SensorFilter::default() };
            Some(request(op::ListSensors, []).query(&filter).descending(SensorSort::UpdatedAt).limit(50))
        },
        &[Refresh::On(Topic::Readings), Refresh::Pulse],
    );
    let command = move || {
        let (host, port) = status.data.with(|status| {
            status
                .as_ref()
                .and_then(|s| s.mqtt.bridge.as_ref())
                .map_or_else(|| ("localhost".to_owned(), 1883), |b| (b.broker_host.clone(), b.broker_port))
        });
        format!(
            "mosquitto_pub -h {host} -p {port} -t factory/plant1/line1/press7/sensors \\\n  -m '{{\"machine_id\":\"press-7\",\"sensor_id\":\"temp\",\"value\":93.5,\"unit\":\"°C\"}}'"
        )
    };
    // Readings that were there before do not count as an arrival.
    let before = StoredValue::new(None::<Vec<(SensorId, Timestamp)>>);
    let fresh = Memo::new(move |_| {
        let newest = |s: &Sensor| s.latest.as_ref().map(|latest| (s.id, latest.timestamp));
        let list = sensors.data.get()?;
        if before.with_value(Option::is_none) {
            before.set_value(Some(list.iter().filter_map(newest).collect()));
        }
        let known = before.get_value().unwrap_or_default();
        list.into_iter().find(|s| newest(s).is_some_and(|newest| !known.contains(&newest)))
    });
    let arrived = move || {
        fresh.get().map(|sensor| {
            let value = sensor.latest.map(|l| reading(l.value)).unwrap_or_default();
            view! {
                <p class="arrived" role="status">
                    {Icon::Check.view()} "It arrived: " <b>{value} " " {sensor.unit}</b> " from sensor "
                    <a href=Route::Sensor(sensor.id).to_string()>{sensor.name}</a> ". See "
                    <a href=Route::Machine(sensor.machine_id).to_string()>"its machine"</a> "."
                </p>
            }
        })
    };
    view! {
        <section class="panel start">
            <h1>"Connect a sensor"</h1>
            <p>
                "Machines and sensors register themselves with their first reading. Publish one from any computer
                that reaches the broker:"
            </p>
            <div class="code">
                <pre tabindex="0" role="region" aria-label="Command">
                    <code>{command}</code>
                </pre>
                <button
                    class="button small"
                    on:click=move |_| {
                        let promise = window().navigator().clipboard().write_text(&command());
                        spawn_local(async move {
                            match wasm_bindgen_futures::JsFuture::from(promise).await {
                                Ok(_) => app.toasts.done("Copied."),
                                Err(_) => app.toasts.failed("The browser did not allow copying."),
                            }
                        });
                    }
                >
                    {Icon::Copy.view()}
                    "Copy"
                </button>
            </div>
            {move || match arrived() {
                Some(view) => view.into_any(),
                None => {
                    view! {
                        <p class="waiting muted" role="status">
                            <span class="dot" aria-hidden="true"></span>
                            "Waiting for the first reading. It shows here within a second."
                        </p>
                    }
                        .into_any()
                }
            }}
            <h2>"Fields of the message"</h2>
            <dl class="facts">
                <dt><code>"machine_id"</code></dt>
                <dd>"Which machine. It is created when it is new."</dd>
                <dt><code>"sensor_id"</code></dt>
                <dd>"Which sensor of that machine."</dd>
                <dt><code>"value"</code></dt>
                <dd>"The reading. Several at once: " <code>"\"values\": {\"temp\": 93.5, \"vibration\": 2.1}"</code></dd>
                <dt><code>"timestamp"</code></dt>
                <dd>"When it was measured, RFC 3339. Without it, the time of arrival counts."</dd>
            </dl>
        </section>
    }
    .into_any()
}
