//! The audit log: who did what, when and from where. Administrators only.

use crate::{
    api::{Query, Refresh},
    components::{
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        time::{Ago, Clock},
    },
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    audit::{AuditEntry, AuditFilter},
    route::{op, request},
};
use pm_ui_core::text::title;

const ROWS_PER_PAGE: usize = 50;
const RESOURCES: &[&str] = &[
    "user",
    "role",
    "machine",
    "sensor",
    "alarm",
    "ticket",
    "comment",
    "attachment",
    "report",
    "setting",
    "webhook",
    "ai_model",
    "job",
];

/// The page.
#[component]
pub fn Audit() -> impl IntoView {
    let app = app();
    let entries = Query::new(
        move || {
            let filter = AuditFilter {
                resource_type: app.nav.param("resource_type").map(Into::into),
                action_type: app.nav.param("action_type").map(Into::into),
                q: pager::words(),
                ..AuditFilter::default()
            };
            Some(pager::paged(request(op::ListAuditLogs, []).query(&filter), ROWS_PER_PAGE))
        },
        &[Refresh::Pulse],
    );
    let param = move |key: &'static str| move || app.nav.param(key).unwrap_or_default();
    view! {
        <header class="page-head">
            <h1>"Audit log"</h1>
            <div class="filters">
                <select
                    class="input small"
                    aria-label="Resource type"
                    prop:value=param("resource_type")
                    on:change=move |event| pager::filter("resource_type", &event_target_value(&event))
                >
                    <option value="">"Everything"</option>
                    {RESOURCES.iter().map(|word| view! { <option value=*word>{title(word)}</option> }).collect_view()}
                </select>
                <input
                    class="input small"
                    type="search"
                    placeholder="Search"
                    aria-label="Search"
                    prop:value=param("q")
                    on:change=move |event| pager::filter("q", &event_target_value(&event))
                />
            </div>
        </header>
        <section class="panel flush">
            <Loaded phase=entries.phase() retry=entries.retry() lines=12>
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th>"When"</th>
                                <th class="wide">"Who"</th>
                                <th>"What"</th>
                                <th class="wide">"Change"</th>
                                <th class="wide">"From"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || entries.items() key=|entry| entry.id children=row />
                        </tbody>
                    </table>
                </div>
                {move || {
                    entries
                        .items()
                        .is_empty()
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Audit title="No entries">
                                    "No entry matches the filter."
                                </Empty>
                            }
                        })
                }}
                <Pager
                    total=Signal::derive(move || entries.total.get().unwrap_or_default().unsigned_abs() as usize)
                    size=ROWS_PER_PAGE
                />
            </Loaded>
        </section>
    }
    .into_any()
}

fn row(entry: AuditEntry) -> AnyView {
    let who = entry.user_email.or(entry.user_id.map(|id| id.to_string())).unwrap_or_else(|| "–".to_owned());
    let change = entry.details.or_else(|| entry.metadata.as_ref().map(changed)).unwrap_or_default();
    view! {
        <tr data-row tabindex="-1">
            <td>
                <Clock at=entry.created_at /> " "
                <small class="muted"><Ago at=entry.created_at /></small>
            </td>
            <td class="wide">{who.clone()}</td>
            <td>
                {title(&entry.action_type)} " " <span class="muted">{title(&entry.resource_type)}</span>
                <small class="under muted">{who}</small>
            </td>
            <td class="wide"><code class="clip" title=change.clone()>{change.clone()}</code></td>
            <td class="wide muted" title=entry.user_agent>{entry.ip_address}</td>
        </tr>
    }
    .into_any()
}

/// `name: old → new` for each field of an entry's `before` and `after`.
fn changed(metadata: &serde_json::Value) -> String {
    let side = |name: &str| metadata.get(name).and_then(serde_json::Value::as_object);
    let text = |value: Option<&serde_json::Value>| match value {
        None | Some(serde_json::Value::Null) => "–".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match (side("before"), side("after")) {
        (Some(before), Some(after)) => after
            .iter()
            .map(|(name, now)| format!("{name}: {} → {}", text(before.get(name)), text(Some(now))))
            .collect::<Vec<_>>()
            .join(", "),
        (_, Some(one)) | (Some(one), _) => one
            .iter()
            .filter(|(name, _)| ["name", "title", "email", "key", "message"].contains(&name.as_str()))
            .map(|(_, value)| text(Some(value)))
            .collect::<Vec<_>>()
            .join(", "),
        (None, None) => String::new(),
    }
}
