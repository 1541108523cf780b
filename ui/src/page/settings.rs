//! What the functions obey, by category; engineers read, administrators change.

use crate::{
    api::{Query, Refresh},
    components::{
        confirm::{Dialog, OpenState},
        form::{self, Only},
        loaded::Loaded,
        undo,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role, SettingType,
    route::{op, request},
    setting::Setting,
};
use pm_ui_core::{
    change::{changes, number},
    text::title,
};
use serde_json::Map;
use std::collections::BTreeMap;

/// The page.
#[component]
pub fn Settings() -> impl IntoView {
    let settings = Query::new(|| Some(request(op::ListSettings, []).limit(1000)), &[Refresh::Pulse]);
    let editing = RwSignal::new(None::<Setting>);
    let groups = move || {
        let mut groups = BTreeMap::<String, Vec<Setting>>::new();
        for setting in settings.items() {
            groups.entry(setting.category.clone()).or_default().push(setting);
        }
        groups
            .into_iter()
            .map(|(category, list)| {
                view! {
                    <section class="panel">
                        <header class="panel-head">
                            <h2>{title(&category)}</h2>
                        </header>
                        <ul class="pairs">
                            {list.into_iter().map(|setting| row(setting, editing)).collect_view()}
                        </ul>
                    </section>
                }
            })
            .collect_view()
    };
    view! {
        <header class="page-head">
            <h1>"Settings"</h1>
        </header>
        <Loaded phase=settings.phase() retry=settings.retry() lines=12>
            <div class="settings">{groups}</div>
        </Loaded>
        <Dialog open=editing title="Setting">
            {move || editing.get().map(|setting| view! { <Form setting editing settings /> })}
        </Dialog>
    }
    .into_any()
}

fn row(setting: Setting, editing: RwSignal<Option<Setting>>) -> AnyView {
    let changed = setting.value != setting.default_value;
    let value = shown(&setting);
    let (key, description) = (setting.key.clone(), setting.description.clone());
    let setting = StoredValue::new(setting);
    view! {
        <li class="setting">
            <div>
                <code>{key.clone()}</code>
                <p class="muted small">{description}</p>
            </div>
            <div class="setting-value">
                <span class:strong=changed>{value}</span>
                <Only least=Role::Admin>
                    <button
                        class="button small"
                        aria-label=format!("Change {key}")
                        on:click=move |_| editing.set(Some(setting.get_value()))
                    >
                        "Change"
                    </button>
                </Only>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Form(
    setting: Setting,
    editing: RwSignal<Option<Setting>>,
    settings: Query<Vec<Setting>>,
) -> impl IntoView {
    let app = app();
    let open = OpenState::from(editing);
    let value = RwSignal::new(setting.value.clone().unwrap_or_default());
    let problem = RwSignal::new(None::<String>);
    let old = StoredValue::new(setting.clone());
    let kind = setting.value_type;
    let save = move |value: Option<String>| {
        let old = old.get_value();
        let change = request(op::UpdateSetting, [&old.key]);
        let new = Setting { value, ..old.clone() };
        let body = changes(&old, &new);
        // A default is no value of its own. What a secret was is not known here.
        let known = !old.is_secret || old.value.is_none();
        let was = old.value.clone().filter(|value| old.default_value.as_ref() != Some(value));
        let before = if known { changes(&new, &Setting { value: was, ..old }) } else { Map::new() };
        if body.is_empty() {
            return open.close();
        }
        spawn_local(async move {
            match app.api.send_changes(change.clone(), &body).await {
                Ok(saved) => {
                    settings.refetch();
                    open.close();
                    undo::offer(app, format!("{} saved.", saved.key), change, before);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let back = setting.default_value.clone().map(|default| {
        view! {
            <button class="button danger" type="button" on:click=move |_| save(None)>
                {format!("Back to {}", if default.is_empty() { "nothing" } else { &default })}
            </button>
        }
        .into_any()
    });
    let field = match kind {
        SettingType::Boolean => form::choice(
            "Value",
            &["true", "false"],
            move || if value.get() == "true" { "true" } else { "false" },
            move |word| value.set(word),
        ),
        SettingType::Json => view! {
            <label class="field">
                <span>"Value"</span>
                <textarea
                    class="input"
                    rows="5"
                    prop:value=move || value.get()
                    on:input=move |event| value.set(event_target_value(&event))
                ></textarea>
            </label>
        }
        .into_any(),
        SettingType::String | SettingType::Number => {
            form::text_field("Value", if setting.is_secret { "password" } else { "text" }, false, value)
                .into_any()
        }
    };
    view! {
        <form
            class="form"
            on:submit=move |event: web_sys::SubmitEvent| {
                event.prevent_default();
                match typed(kind, &value.get_untracked()) {
                    Ok(value) => save(Some(value)),
                    Err(reason) => problem.set(Some(reason)),
                }
            }
        >
            <p><code>{setting.key.clone()}</code></p>
            <p class="muted">{setting.description.clone()}</p>
            {field}
            {form::problem(problem)}
            {form::foot(open, "Save", back)}
        </form>
    }
    .into_any()
}

/// A setting's value for people.
fn shown(setting: &Setting) -> String {
    let value = setting.value.as_deref().unwrap_or_default();
    let list =
        serde_json::from_str::<Vec<String>>(value).ok().filter(|_| setting.value_type == SettingType::Json);
    let text = list.map_or_else(|| value.to_owned(), |list| list.join(", "));
    if text.is_empty() { "–".to_owned() } else { text }
}

/// What was typed as the text of a value of this type, or why it is none.
fn typed(kind: SettingType, text: &str) -> Result<String, String> {
    match kind {
        SettingType::Number => Ok(number(text)?.map_or_else(String::new, |n| n.to_string())),
        SettingType::Json => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(reason) => Err(format!("This is no JSON: {reason}")),
        },
        SettingType::Boolean | SettingType::String => Ok(text.to_owned()),
    }
}
