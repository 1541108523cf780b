//! The alarm rule of a sensor: each value with where it is from, and the form of the sensor's own rule.

use crate::{
    api::{Query, Refresh},
    components::{
        confirm::Dialog,
        form::{self, choice},
        icon::Icon,
        loaded::Loaded,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Priority, Role, RuleScope, SensorId,
    alarm_rule::SensorAlarmRule,
    route::{op, request},
};
use pm_ui_core::{
    change::{given, number},
    text::{duration, reading, title},
};
use serde_json::{Map, Value, json};

/// How a value of a rule is shown and asked for.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Whole seconds.
    Seconds,
    /// In the sensor's unit.
    Number,
    /// In the sensor's unit per minute.
    Rate,
    /// A word for urgency.
    Priority,
    /// Sentences.
    Text,
    /// A web address.
    Link,
}

/// The values of a rule: name, label, kind.
const FIELDS: [(&str, &str, Kind); 12] = [
    ("on_delay_s", "On-delay", Kind::Seconds),
    ("off_delay_s", "Off-delay", Kind::Seconds),
    ("dead_band", "Dead band", Kind::Number),
    ("max_rate_per_min", "Largest change", Kind::Rate),
    ("plausible_low", "Plausible from", Kind::Number),
    ("plausible_high", "Plausible to", Kind::Number),
    ("expected_interval_s", "Sends at least every", Kind::Seconds),
    ("priority", "Priority", Kind::Priority),
    ("cause", "Cause", Kind::Text),
    ("consequence", "Consequence", Kind::Text),
    ("response", "Response", Kind::Text),
    ("link", "More", Kind::Link),
];

/// The word for a priority that is not set.
const INHERITED: &str = "inherited";
const PRIORITIES: &[&str] =
    &[INHERITED, Priority::WORDS[0], Priority::WORDS[1], Priority::WORDS[2], Priority::WORDS[3]];

/// The section on the page of a sensor.
#[component]
pub fn AlarmRuleSection(
    /// Which sensor.
    id: SensorId,
    /// Unit of its values.
    #[prop(into)]
    unit: Signal<String>,
) -> impl IntoView {
    let rule = Query::new(move || Some(request(op::SensorAlarmRule, [&id])), &[Refresh::Pulse]);
    let steady = Memo::new(move |_| rule.data.get());
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Alarm rule"</h2>
                {move || steady.get().map(|known| view! { <EditRule known query=rule /> })}
            </header>
            <Loaded phase=rule.phase() retry=rule.retry() lines=3>
                {move || steady.get().map(|rule| shown(&rule, &unit.get()))}
                <p class="hint muted">
                    "What the sensor's own rule leaves open is from the rules of its machine, of the machine's class and of its
                    kind, in this order. Without an on-delay a single reading beyond a limit is an alarm."
                </p>
            </Loaded>
        </section>
    }
    .into_any()
}

/// The values that are set.
fn shown(rule: &SensorAlarmRule, unit: &str) -> AnyView {
    let values = object(rule);
    let row = |(name, label, kind): &(&str, &'static str, Kind)| {
        let value = values.get(*name).filter(|value| !value.is_null())?;
        let from = rule.origins.get(*name).map(|origin| origin_words(origin.scope));
        let value = match (kind, value.as_str()) {
            (Kind::Link, Some(link)) => {
                let (address, link) = (link.to_owned(), link.to_owned());
                view! { <a href=address target="_blank" rel="noopener noreferrer">{link}</a> }.into_any()
            }
            _ => value_words(*kind, value, unit).into_any(),
        };
        Some(view! {
            <dt>{*label}</dt>
            <dd>{value} " " <small class="muted">{from}</small></dd>
        })
    };
    let rows: Vec<_> = FIELDS.iter().filter_map(row).collect();
    if rows.is_empty() {
        return view! { <p class="muted">"No rule says anything about this sensor."</p> }.into_any();
    }
    view! { <dl class="facts">{rows}</dl> }.into_any()
}

fn object(rule: &SensorAlarmRule) -> Map<String, Value> {
    match serde_json::to_value(&rule.values) {
        Ok(Value::Object(values)) => values,
        _ => Map::new(),
    }
}

fn origin_words(scope: RuleScope) -> &'static str {
    match scope {
        RuleScope::Sensor => "this sensor's own",
        RuleScope::Machine => "from its machine",
        RuleScope::MachineClass => "from the machine's class",
        RuleScope::SensorType => "from its kind",
    }
}

fn value_words(kind: Kind, value: &Value, unit: &str) -> String {
    let number = value.as_f64().unwrap_or_default();
    match kind {
        Kind::Seconds => duration(number * 1000.0),
        Kind::Number => format!("{} {unit}", reading(number)),
        Kind::Rate => format!("{} {unit} per minute", reading(number)),
        Kind::Priority => title(value.as_str().unwrap_or_default()),
        Kind::Text | Kind::Link => value.as_str().unwrap_or_default().to_owned(),
    }
}

#[component]
fn EditRule(known: SensorAlarmRule, query: Query<SensorAlarmRule>) -> impl IntoView {
    let open = RwSignal::new(false);
    let known = StoredValue::new(known);
    view! {
        {form::opener("Change rule", Icon::Wrench, Role::Engineer, move || open.set(true))}
        <Dialog open title="Alarm rule">
            <Form open known=known.get_value() query />
        </Dialog>
    }
    .into_any()
}

/// What a person typed, as the API takes it; null where nothing is left.
fn typed(kind: Kind, label: &str, text: &str) -> Result<Value, String> {
    let wrong = |problem: String| format!("{label}: {problem}");
    Ok(match kind {
        Kind::Seconds => match number(text).map_err(wrong)? {
            Some(seconds) if seconds.fract() == 0.0 => json!(seconds as i64),
            Some(_) => return Err(format!("{label}: whole seconds, please")),
            None => Value::Null,
        },
        Kind::Number | Kind::Rate => json!(number(text).map_err(wrong)?),
        Kind::Priority => json!(text.parse::<Priority>().ok()),
        Kind::Text | Kind::Link => json!(given(text)),
    })
}

#[component]
fn Form(open: RwSignal<bool>, known: SensorAlarmRule, query: Query<SensorAlarmRule>) -> impl IntoView {
    let app = app();
    let (sensor_id, own_rule_id) = (known.sensor_id, known.own_rule_id);
    let values = object(&known);
    let is_own = |name: &str| known.origins.get(name).is_some_and(|o| o.scope == RuleScope::Sensor);
    let text_of = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = FIELDS.map(|(name, label, kind)| {
        let value = values.get(name).filter(|value| !value.is_null()).cloned().unwrap_or_default();
        let own = if is_own(name) { value.clone() } else { Value::Null };
        let inherited = if is_own(name) || value.is_null() { String::new() } else { text_of(&value) };
        let text = if own.is_null() { String::new() } else { text_of(&own) };
        (name, label, kind, own, inherited, RwSignal::new(text))
    });
    let problem = RwSignal::new(None::<String>);
    let compared = StoredValue::new(fields.clone());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let mut body = Map::new();
        for (name, label, kind, own, _, text) in compared.get_value() {
            match typed(kind, label, &text.get_untracked()) {
                Ok(new) if new == own => {}
                // 5 and 5.0 are the same
                Ok(new) if new.as_f64().is_some() && new.as_f64() == own.as_f64() => {}
                Ok(new) => {
                    body.insert(name.to_owned(), new);
                }
                Err(text) => return problem.set(Some(text)),
            }
        }
        if body.is_empty() {
            return open.set(false);
        }
        spawn_local(async move {
            let answer = match own_rule_id {
                Some(id) => app.api.send_changes(request(op::UpdateAlarmRule, [&id]), &body).await,
                None => {
                    body.insert("sensor_id".to_owned(), json!(sensor_id));
                    app.api.send_changes(request(op::CreateAlarmRule, []), &body).await
                }
            };
            match answer {
                Ok(_) => {
                    open.set(false);
                    query.refetch();
                    app.toasts.done("Alarm rule saved.");
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = own_rule_id.map(|id| {
        let remove = move || {
            spawn_local(async move {
                match app.api.call(request(op::DeleteAlarmRule, [&id])).await {
                    Ok(()) => {
                        open.set(false);
                        query.refetch();
                        app.toasts.done("The sensor has no rule of its own any more.");
                    }
                    Err(error) => {
                        problem.try_set(Some(error.to_string()));
                    }
                }
            });
        };
        form::sure_button("Delete", "Delete the sensor's own rule", remove)
    });
    let inputs =
        fields.into_iter().map(|(_, label, kind, _, inherited, text)| input(label, kind, inherited, text));
    view! {
        <form class="form" on:submit=submit>
            <div class="form-row">{inputs.collect_view()}</div>
            <p class="muted small">"What is left empty is inherited; grey is what counts then."</p>
            {form::problem(problem)}
            {form::foot(open, "Save", remove)}
        </form>
    }
    .into_any()
}

fn input(label: &'static str, kind: Kind, inherited: String, text: RwSignal<String>) -> AnyView {
    let (hint, mode) = match kind {
        Kind::Seconds => (", s", "numeric"),
        Kind::Rate => (", per minute", "decimal"),
        Kind::Number => ("", "decimal"),
        Kind::Link => (" (web address)", "url"),
        Kind::Text => ("", "text"),
        Kind::Priority => {
            let word = move || {
                let word = text.get();
                PRIORITIES.iter().find(|p| **p == word).copied().unwrap_or(INHERITED)
            };
            return choice(label, PRIORITIES, word, move |word| text.set(word));
        }
    };
    view! {
        <label class="field">
            <span>{label} {hint}</span>
            <input class="input" inputmode=mode autocomplete="off" placeholder=inherited bind:value=text />
        </label>
    }
    .into_any()
}
