//! State of functions, database, broker and bridge, model.

use super::{dead_letters::DeadLetters, jobs::Jobs};
use crate::{
    api::{Query, Refresh},
    components::{form::Only, icon::Icon, loaded::Loaded, time::Ago},
};
use leptos::prelude::*;
use pm_api::{
    Role,
    route::{op, request},
    status::SystemStatus,
    tick::BridgeHealth,
};
use pm_ui_core::text::count;

/// The page.
#[component]
pub fn System() -> impl IntoView {
    let status = Query::new(|| Some(request(op::SystemStatus, [])), &[Refresh::Pulse]);
    view! {
        <header class="page-head">
            <h1>"System"</h1>
        </header>
        <div class="status-grid">
            <Loaded phase=status.phase() retry=status.retry() lines=10>
                {move || status.data.get().map(services)}
            </Loaded>
            <Only least=Role::Engineer>
                <Jobs />
                <DeadLetters />
            </Only>
        </div>
    }
    .into_any()
}

fn services(status: SystemStatus) -> AnyView {
    let model = status.ai_service.details.clone();
    let s = status;
    view! {
            {service("Functions", &s.backend.message, s.backend.status == "running", view! {
                <dl class="facts">
                    <dt>"Version"</dt>
                    <dd>{s.version.clone()}</dd>
                </dl>
            }.into_any())}
            {service("Database", &s.database.message, s.database.status == "connected", ().into_any())}
            {service("Model", &s.ai_service.message, s.ai_service.status == "running", model.map(|m| view! {
                <dl class="facts">
                    <dt>"Active model"</dt>
                    <dd>{if m.model_loaded { format!("version {}", m.model_version) } else { "none, rules only".to_owned() }}</dd>
                </dl>
            }).into_any())}
            {service("Periodic tasks", &s.tasks.message, s.tasks.status == "running", ().into_any())}
            {service("Broker and bridge", &s.mqtt.message, s.mqtt.connected, s.mqtt.bridge.map(bridge).into_any())}
    }
    .into_any()
}

fn service(name: &'static str, message: &str, good: bool, details: AnyView) -> AnyView {
    // The API's messages begin with a sign; the badge has its own.
    let message = message.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned();
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>{name}</h2>
                <span class=if good { "badge calm" } else { "badge critical" }>
                    {if good { Icon::Check.view() } else { Icon::Critical.view() }}
                    {if good { "OK" } else { "Fault" }}
                </span>
            </header>
            <p class="muted">{message}</p>
            {details}
        </section>
    }
    .into_any()
}

fn bridge(b: BridgeHealth) -> AnyView {
    let figures = [
        ("Messages received", b.messages_received),
        ("Messages acknowledged", b.messages_acknowledged),
        ("Readings", b.readings),
        ("Readings committed", b.readings_committed),
        ("Dead letters", b.dead_letters),
        ("Waiting in memory", b.queue_size),
        ("Batches waiting on disk", b.spool_batches),
        ("Batches refused", b.post_failures),
        ("Mails sent", b.mails_sent),
        ("Mails not sent", b.mail_failures),
    ];
    view! {
        <dl class="facts">
            <dt>"Broker"</dt>
            <dd>{format!("{}:{}", b.broker_host, b.broker_port)}</dd>
            <dt>"Topics"</dt>
            <dd>{b.topics.iter().map(|t| view! { <code>{t.clone()}</code> " " }).collect_view()}</dd>
            <dt>"Started"</dt>
            <dd><Ago at=b.started_at /></dd>
            {figures
                .into_iter()
                .map(|(name, n)| {
                    view! {
                        <dt>{name}</dt>
                        <dd class="num-left">{count(n as i64)}</dd>
                    }
                })
                .collect_view()}
            {b
                .last_error
                .map(|error| {
                    view! {
                        <dt>"Last failure"</dt>
                        <dd>{error}</dd>
                    }
                })}
        </dl>
    }
    .into_any()
}
