//! Dead letters by topic and reason: messages and values that could not be used. A mapping may make them readable; then they are
//! replayed.

use crate::{
    api::{Api, ApiError, Query, Refresh},
    components::{
        form,
        icon::Icon,
        loaded::{Empty, Entries},
        time::Ago,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    route::{op, request},
    status::{DeadLetterCause, DeadLetterGroup, DeadLetterReplay, ReplayReport},
};
use pm_ui_core::{route::Route, text::count};

/// The panel.
#[component]
pub fn DeadLetters() -> impl IntoView {
    let groups = Query::new(|| Some(request(op::DeadLetterGroups, [])), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Dead letters"</h2>
            </header>
            <Entries list=groups key=|group: &DeadLetterGroup| group.newest_id row lines=4 none />
        </section>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Check title="No dead letters">
            "A message or value that cannot be used appears here with the reason."
        </Empty>
    }
    .into_any()
}

fn row(group: DeadLetterGroup, groups: Query<Vec<DeadLetterGroup>>) -> AnyView {
    let app = app();
    let cause = StoredValue::new((group.topic.clone(), group.reason.clone()));
    let again = move |_| {
        let (topic, reason) = cause.get_value();
        spawn_local(async move {
            match replay(app.api, &topic, Some(&reason)).await {
                Ok(report) => app.toasts.done(told(&report)),
                Err(error) => app.toasts.failed(error.to_string()),
            }
            groups.refetch();
        });
    };
    let remove = move || {
        let (topic, reason) = cause.get_value();
        let cause = DeadLetterCause { topic: topic.into(), reason: reason.into() };
        spawn_local(async move {
            if let Err(error) = app.api.call(request(op::DeleteDeadLetters, []).query(&cause)).await {
                app.toasts.failed(error.to_string());
            }
            groups.refetch();
        });
    };
    view! {
        <li>
            <details class="more">
                <summary>
                    <code>{group.topic}</code> " "
                    <small class="muted">{count(group.count)} ", the last " <Ago at=group.received_at /></small>
                    <p class="small">{group.reason}</p>
                </summary>
                <pre tabindex="0" aria-label="Newest payload">{group.payload}</pre>
            </details>
            <div class="acts">
                <a class="button small" href=format!("{}?letter={}", Route::Mappings, group.newest_id)>
                    "Make a mapping"
                </a>
                <button class="button small" on:click=again>
                    "Replay"
                </button>
                {form::sure_button("Delete", "Really delete", remove)}
            </div>
        </li>
    }
    .into_any()
}

/// Has the dead letters of a topic read again, all of them.
pub async fn replay(api: Api, topic: &str, reason: Option<&str>) -> Result<ReplayReport, ApiError> {
    let mut all = ReplayReport::default();
    let mut body = DeadLetterReplay { topic: topic.into(), reason: reason.map(Into::into), after: None };
    loop {
        let some = api.send(request(op::ReplayDeadLetters, []), &body).await?;
        all.replayed += some.replayed;
        all.kept += some.kept;
        all.stored += some.stored;
        for reason in some.reasons {
            if !all.reasons.contains(&reason) {
                all.reasons.push(reason);
            }
        }
        match some.next {
            Some(after) => body.after = Some(pm_api::input::Whole(after)),
            None => return Ok(all),
        }
    }
}

/// What became of replayed dead letters.
#[must_use]
pub fn told(report: &ReplayReport) -> String {
    let mut text = format!("{} replayed, {} readings stored.", report.replayed, report.stored);
    if report.kept > 0 {
        text += &format!(" {} stay: {}", report.kept, report.reasons.join("; "));
    }
    text
}
