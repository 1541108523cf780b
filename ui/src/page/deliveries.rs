//! The deliveries to a webhook and their answers; each can be sent again.

use crate::{
    api::{Query, Refresh},
    components::{
        icon::Icon,
        loaded::{Empty, Entries, again},
        time::Ago,
    },
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    WebhookId,
    route::{op, request},
    webhook::Delivery,
};
use pm_ui_core::text::title;

/// The newest deliveries to a receiver.
#[component]
pub fn Deliveries(
    /// The receiver.
    id: WebhookId,
) -> impl IntoView {
    let list = Query::new(move || Some(request(op::ListDeliveries, [&id]).limit(50)), &[Refresh::Pulse]);
    view! {
        <Entries list key=|d: &Delivery| (d.id, d.attempts, d.status.clone()) row lines=6 none />
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Send title="No deliveries yet">
            "A delivery appears here when an event occurs that the webhook is subscribed to."
        </Empty>
    }
    .into_any()
}

fn row(delivery: Delivery, list: Query<Vec<Delivery>>) -> AnyView {
    let app = app();
    let replay = request(op::ReplayDelivery, [&delivery.webhook_id, &delivery.id]);
    let send = move |_| again(app, replay.clone(), list, "Queued to be sent again.", "Not sent again");
    let class = match delivery.status.as_str() {
        "delivered" => "badge calm",
        "failed" => "badge warning",
        _ => "badge",
    };
    let facts = [
        (delivery.attempts != 1).then(|| format!("{} attempts", delivery.attempts)),
        delivery.response_status.map(|code| format!("answer {code}")),
        delivery.duration_ms.map(|ms| format!("{ms} ms")),
        delivery.error,
    ];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    view! {
        <li>
            <details class="more">
                <summary>
                    <code>{delivery.event}</code> " " <span class=class>{title(&delivery.status)}</span>
                    <p class="muted small"><Ago at=delivery.created_at /> ", " {facts}</p>
                </summary>
                <pre>{delivery.request_body}</pre>
                {delivery.response_body.filter(|body| !body.is_empty()).map(|body| view! { <pre>{body}</pre> })}
            </details>
            <button class="button small" on:click=send>
                "Send again"
            </button>
        </li>
    }
    .into_any()
}
