//! The form of a mapping. While it is filled in, it shows what a message gives by it.

use super::dead_letters::{replay, told};
use crate::{
    api::Query,
    components::{
        confirm::OpenState,
        form::{self, check, choice, text_field},
        time::Clock,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    PayloadFormat, SameTime,
    mapping::{Mapping, MappingRules, Preview, PreviewReading},
    route::{op, request},
};
use pm_ui_core::change::given;
use serde::Serialize;
use std::time::Duration;

/// How long the form waits for the next letter before it asks what a message gives.
const PAUSE: Duration = Duration::from_millis(300);
/// Readings that are shown.
const MAX_SHOWN: usize = 50;

/// A message that a mapping is tried on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Its topic.
    pub topic: String,
    /// Its payload.
    pub payload: String,
    /// Is it that of a dead letter?
    pub is_letter: bool,
}

/// What the form is about.
#[derive(Clone)]
pub struct Shown {
    /// The mapping that is changed; `None`: a new one.
    pub known: Option<Mapping>,
    /// The message that it is tried on.
    pub sample: Sample,
}

/// Body of a new mapping and of a change alike.
#[derive(Serialize, Clone, PartialEq)]
struct Body {
    name: Option<String>,
    position: i64,
    is_active: bool,
    #[serde(flatten)]
    rules: MappingRules,
}

#[derive(Serialize, Clone, PartialEq)]
struct Trial {
    topic: String,
    payload: String,
    /// Without a topic filter, the mappings in force are tried.
    mapping: Option<Body>,
}

/// The fields.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    topic: RwSignal<String>,
    position: RwSignal<String>,
    format: RwSignal<PayloadFormat>,
    /// Machine, sensor, value, time, unit, quality, columns, time zone.
    texts: [RwSignal<String>; 8],
    decimal_comma: RwSignal<bool>,
    same_time: RwSignal<SameTime>,
    is_active: RwSignal<bool>,
}

impl Draft {
    fn of(known: Option<&Mapping>, sample: &Sample) -> Self {
        let rules = known.map_or_else(
            || MappingRules { topic: sample.topic.clone(), ..MappingRules::default() },
            |mapping| mapping.rules.clone(),
        );
        let text = |text: Option<String>| RwSignal::new(text.unwrap_or_default());
        Self {
            name: text(known.map(|mapping| mapping.name.clone())),
            topic: RwSignal::new(rules.topic),
            position: RwSignal::new(known.map_or(0, |mapping| mapping.position).to_string()),
            format: RwSignal::new(rules.format),
            texts: [
                text(rules.machine),
                text(rules.sensor),
                text(rules.value),
                text(rules.time),
                text(rules.unit),
                text(rules.quality),
                text(rules.columns),
                text(rules.time_zone),
            ],
            decimal_comma: RwSignal::new(rules.decimal_comma),
            same_time: RwSignal::new(rules.same_time),
            is_active: RwSignal::new(known.is_none_or(|mapping| mapping.is_active)),
        }
    }

    /// What the fields say now. Reactive.
    fn body(self) -> Body {
        let text = |index: usize| self.texts[index].with(|text| given(text));
        Body {
            name: self.name.with(|name| given(name)),
            position: self.position.with(|position| position.trim().parse().unwrap_or_default()),
            is_active: self.is_active.get(),
            rules: MappingRules {
                topic: self.topic.with(|topic| topic.trim().to_owned()),
                format: self.format.get(),
                machine: text(0),
                sensor: text(1),
                value: text(2),
                time: text(3),
                unit: text(4),
                quality: text(5),
                columns: text(6),
                time_zone: text(7),
                decimal_comma: self.decimal_comma.get(),
                same_time: self.same_time.get(),
            },
        }
    }
}

/// The form.
#[component]
pub fn MappingForm(
    /// The mapping and the message.
    about: Shown,
    /// The dialog.
    shown: RwSignal<Option<Shown>>,
    /// The list that shows it.
    mappings: Query<Vec<Mapping>>,
) -> impl IntoView {
    let app = app();
    let open = OpenState::from(shown);
    let Shown { known, sample } = about;
    let draft = Draft::of(known.as_ref(), &sample);
    let id = known.as_ref().map(|mapping| mapping.id);
    let replays = RwSignal::new(sample.is_letter);
    let from_letter = sample.is_letter;
    let (topic, payload) = (RwSignal::new(sample.topic), RwSignal::new(sample.payload));
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = untrack(|| draft.body());
        let replayed = replays.get_untracked().then(|| topic.get_untracked());
        spawn_local(async move {
            let answer = match id {
                Some(id) => app.api.send_changes(request(op::UpdateMapping, [&id]), &body).await,
                None => app.api.send_changes(request(op::CreateMapping, []), &body).await,
            };
            match answer {
                Ok(saved) => {
                    mappings.refetch();
                    open.close();
                    app.toasts.done(format!("{} saved.", saved.name));
                    if let Some(topic) = replayed {
                        match replay(app.api, &topic, None).await {
                            Ok(report) => app.toasts.done(told(&report)),
                            Err(error) => app.toasts.failed(error.to_string()),
                        }
                    }
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = move || {
        let Some(id) = id else { return };
        spawn_local(async move {
            match app.api.call(request(op::DeleteMapping, [&id])).await {
                Ok(()) => {
                    mappings.refetch();
                    open.close();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let [machine, sensor, value, time, unit, quality, columns, time_zone] = draft.texts;
    view! {
        <form class="form" on:submit=submit>
            <div class="form-row">
                {text_field("Topic filter", "text", true, draft.topic)} {text_field("Name", "text", false, draft.name)}
            </div>
            <div class="form-row">
                {text_field("Machine", "text", false, machine)} {text_field("Sensor", "text", false, sensor)}
            </div>
            <div class="form-row">
                {text_field("Value (JSON pointer)", "text", false, value)} {text_field("Time", "text", false, time)}
            </div>
            <div class="form-row">
                {text_field("Unit", "text", false, unit)} {text_field("Quality", "text", false, quality)}
            </div>
            <p class="muted small">
                <code>"{topic:2}"</code> " is a level of the topic, " <code>"{/a/b}"</code>
                " what stands there in the payload, " <code>"{name}"</code> " what " <code>"*"</code> " or " <code>"**"</code>
                " in the pointer of the value stands for. Everything else is taken as it is."
            </p>
            <details class="more">
                <summary>"How the source writes"</summary>
                <div class="form-row">
                    {choice("Payloads are", PayloadFormat::WORDS, move || draft.format.get().as_str(), move |word| {
                        if let Ok(word) = word.parse() {
                            draft.format.set(word);
                        }
                    })}
                    {text_field("Columns of CSV without a header", "text", false, columns)}
                </div>
                <div class="form-row">
                    {text_field("Time zone of times without one", "text", false, time_zone)}
                    {choice("Values at the same time", SameTime::WORDS, move || draft.same_time.get().as_str(), move |word| {
                        if let Ok(word) = word.parse() {
                            draft.same_time.set(word);
                        }
                    })}
                </div>
                <div class="form-row">
                    {text_field("Position, the lowest counts", "number", false, draft.position)}
                    <div>{check("Decimal comma", draft.decimal_comma)} {check("In force", draft.is_active)}</div>
                </div>
            </details>
            <fieldset class="field">
                <legend>"Try it"</legend>
                {text_field("Topic", "text", false, topic)}
                <label class="field">
                    <span>"Payload"</span>
                    <textarea
                        class="input"
                        rows="5"
                        spellcheck="false"
                        prop:value=move || payload.get()
                        on:input=move |event| payload.set(event_target_value(&event))
                    ></textarea>
                </label>
                <Outcome draft topic payload />
                {from_letter.then(|| check("Replay the dead letters of this topic", replays))}
            </fieldset>
            {form::problem(problem)}
            {form::foot(
                open,
                "Save",
                id.map(|_| form::sure_button("Delete", "Really delete", remove)),
            )}
        </form>
    }
    .into_any()
}

/// What the message gives by the mapping, as soon as a person pauses.
#[component]
fn Outcome(draft: Draft, topic: RwSignal<String>, payload: RwSignal<String>) -> impl IntoView {
    let app = app();
    let outcome = RwSignal::new(None::<Result<Preview, String>>);
    let newest = StoredValue::new(0_u32);
    Effect::new(move |before: Option<Option<Trial>>| {
        let body = draft.body();
        let trial = Trial {
            topic: topic.get(),
            payload: payload.get(),
            mapping: (!body.rules.topic.is_empty()).then_some(body),
        };
        let trial = (!trial.topic.trim().is_empty() && !trial.payload.is_empty()).then_some(trial);
        if before.is_some_and(|before| before == trial) {
            return trial;
        }
        newest.update_value(|number| *number += 1);
        let number = newest.get_value();
        let Some(asked) = trial.clone() else {
            outcome.set(None);
            return trial;
        };
        let is_newest = move || newest.try_get_value() == Some(number);
        let ask = move || {
            if !is_newest() {
                return;
            }
            spawn_local(async move {
                let answer = app.api.send_changes(request(op::PreviewMapping, []), &asked).await;
                if is_newest() {
                    outcome.try_set(Some(answer.map_err(|error| error.to_string())));
                }
            });
        };
        set_timeout(ask, PAUSE);
        trial
    });
    view! {
        <div role="status" class="outcome">
            {move || match outcome.get() {
                None => view! { <p class="muted small">"Paste a message to see what it gives."</p> }.into_any(),
                Some(Err(error)) => view! { <p class="form-problem">{error}</p> }.into_any(),
                Some(Ok(preview)) => found(preview),
            }}
        </div>
    }
    .into_any()
}

fn found(preview: Preview) -> AnyView {
    let more = preview.readings.len().saturating_sub(MAX_SHOWN);
    let rows = preview.readings.into_iter().take(MAX_SHOWN).map(reading).collect_view();
    view! {
        {(!preview.fits).then(|| view! { <p class="small">"The topic filter does not fit the topic."</p> })}
        <div class="table-box" tabindex="0">
            <table class="table">
                <thead>
                    <tr>
                        <th>"Machine"</th>
                        <th>"Sensor"</th>
                        <th>"Value"</th>
                        <th>"Time"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {(more > 0).then(|| view! { <p class="muted small">{format!("and {more} more")}</p> })}
        {(!preview.ignored.is_empty())
            .then(|| view! { <p class="small">"Ignored: " {preview.ignored.join(", ")}</p> })}
        {preview.reason.map(|reason| view! { <p class="small">"Falls out: " {reason}</p> })}
    }
    .into_any()
}

fn reading(reading: PreviewReading) -> AnyView {
    let unit = reading.unit.unwrap_or_default();
    let quality = (reading.quality != pm_api::Quality::Good).then(|| format!(" ({})", reading.quality));
    view! {
        <tr>
            <td>{reading.machine_id}</td>
            <td>{reading.sensor_id}</td>
            <td>{format!("{} {unit}", reading.value)} {quality}</td>
            <td>
                {if reading.dated_on_receipt {
                    "on receipt".into_any()
                } else {
                    view! { <Clock at=reading.timestamp /> }.into_any()
                }}
            </td>
        </tr>
    }
    .into_any()
}
