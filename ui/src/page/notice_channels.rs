//! Notice channels: the services that steps of escalation chains can tell.

use crate::{
    api::Query,
    components::{
        confirm::{Dialog, OpenState},
        form::{self, Only, choice, text_field},
        icon::Icon,
        loaded::{Empty, Loaded},
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    ChannelKind, Role,
    escalation::{NewNoticeChannel, NoticeChannel, NoticeChannelChange},
    input::Patch,
    route::{op, request},
};
use pm_ui_core::{change::given, text::title};

/// The section of the page.
#[component]
pub fn Channels(
    /// The channels.
    channels: Query<Vec<NoticeChannel>>,
) -> impl IntoView {
    // `Some(None)`: a new one
    let shown = RwSignal::new(None::<Option<NoticeChannel>>);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Notice channels"</h2>
                {form::opener("Add channel", Icon::Plus, Role::Admin, move || shown.set(Some(None)))}
            </header>
            <Loaded phase=channels.phase() retry=channels.retry() lines=3>
                <ul class="pairs">
                    <For
                        each=move || channels.items()
                        key=|c| (c.id, c.updated_at)
                        children=move |c| row(c, shown)
                    />
                </ul>
                {move || channels.items().is_empty().then(none)}
            </Loaded>
        </section>
        <Dialog open=shown title="Notice channel">
            {move || shown.get().map(|old| view! { <Form old channels shown /> })}
        </Dialog>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Send title="No notice channels">
            "A channel is a service that steps notify: Teams, Slack, PagerDuty, Opsgenie, ntfy or your own."
        </Empty>
    }
    .into_any()
}

fn row(channel: NoticeChannel, shown: RwSignal<Option<Option<NoticeChannel>>>) -> AnyView {
    let app = app();
    let id = channel.id;
    let known = StoredValue::new(channel.clone());
    let test = move |_| {
        spawn_local(async move {
            match app.api.call(request(op::TestNoticeChannel, [&id])).await {
                Ok(result) if result.ok => app.toasts.done("The test notice was delivered."),
                Ok(result) => {
                    app.toasts.failed(result.error.unwrap_or_else(|| "The test failed.".to_owned()));
                }
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <li>
            <div>
                <strong>{channel.name}</strong> " " <span class="badge">{kind_name(channel.kind)}</span>
                <p class="muted small"><code>{channel.url}</code></p>
            </div>
            <div class="acts">
                <Only least=Role::Admin>
                    <button class="button small" on:click=test>
                        {Icon::Send.view()}
                        "Test"
                    </button>
                    <button class="button small" on:click=move |_| shown.set(Some(Some(known.get_value())))>
                        "Change"
                    </button>
                </Only>
            </div>
        </li>
    }
    .into_any()
}

/// The name by which a service calls itself.
fn kind_name(kind: ChannelKind) -> String {
    match kind {
        ChannelKind::PagerDuty => "PagerDuty".to_owned(),
        ChannelKind::Ntfy => "ntfy".to_owned(),
        kind => title(kind.as_str()),
    }
}

#[component]
fn Form(
    old: Option<NoticeChannel>,
    channels: Query<Vec<NoticeChannel>>,
    shown: RwSignal<Option<Option<NoticeChannel>>>,
) -> impl IntoView {
    let app = app();
    let name = RwSignal::new(old.as_ref().map(|c| c.name.clone()).unwrap_or_default());
    let kind = RwSignal::new(old.as_ref().map_or(ChannelKind::Teams, |c| c.kind));
    let url = RwSignal::new(old.as_ref().map(|c| c.url.clone()).unwrap_or_default());
    let secret = RwSignal::new(String::new());
    let has_secret = old.as_ref().is_some_and(|c| c.has_secret);
    let problem = RwSignal::new(None::<String>);
    let open = OpenState::from(shown);
    let id = old.as_ref().map(|c| c.id);
    let done = move || {
        channels.refetch();
        open.close();
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (name, url) = (name.get_untracked(), given(&url.get_untracked()));
        let secret = given(&secret.get_untracked());
        let new = NewNoticeChannel {
            name: name.trim().into(),
            kind: kind.get_untracked(),
            url: url.clone().map(Into::into),
            secret: secret.clone().map(Into::into),
        };
        let change = NoticeChannelChange {
            name: Some(name.trim().into()),
            url: url.map(Into::into),
            secret: secret.map_or(Patch::Absent, |secret| Patch::Set(secret.into())),
        };
        spawn_local(async move {
            let answer = match id {
                Some(id) => app.api.send(request(op::UpdateNoticeChannel, [&id]), &change).await,
                None => app.api.send(request(op::CreateNoticeChannel, []), &new).await,
            };
            form::answered(answer, problem, done);
        });
    };
    let remove = move || {
        let Some(id) = id else { return };
        spawn_local(async move {
            form::answered(app.api.call(request(op::DeleteNoticeChannel, [&id])).await, problem, done);
        });
    };
    let key_label =
        if has_secret { "New key or token (empty: stays as it is)" } else { "Key or token, if it needs one" };
    view! {
        <form class="form" on:submit=submit>
            {text_field("Name", "text", true, name)}
            {id.is_none()
                .then(|| {
                    choice("Service", ChannelKind::WORDS, move || kind.get().as_str(), move |word| {
                        if let Ok(word) = word.parse() {
                            kind.set(word);
                        }
                    })
                })} {text_field("Address", "url", false, url)}
            <p class="muted small">{move || hint(kind.get())}</p>
            {text_field(key_label, "password", false, secret)} {form::problem(problem)}
            {form::foot(open, "Save", id.map(|_| form::sure_button("Delete", "Really delete", remove)))}
        </form>
    }
    .into_any()
}

/// What a service needs.
fn hint(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Teams => "The address of a workflow that posts what a webhook received to a channel.",
        ChannelKind::Slack => "The address of an incoming webhook.",
        ChannelKind::PagerDuty => {
            "The key is the integration key of an Events API v2 integration. No address is needed."
        }
        ChannelKind::Opsgenie => {
            "The key is that of an API integration. The address is needed in the EU only: https://api.eu.opsgenie.com/v2/alerts"
        }
        ChannelKind::Ntfy => "The address of the server with the topic, such as https://ntfy.sh/my-plant.",
        ChannelKind::Generic => "Gets JSON; the token is sent as a bearer token.",
    }
}
