//! The form of an escalation chain.

use super::on_call::Choices;
use crate::{
    api::Query,
    components::{
        confirm::OpenState,
        form::{self, choice, text_field},
        icon::Icon,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role, Severity,
    escalation::{EscalationChain, EscalationChainChange, EscalationStep, NewEscalationChain},
    input::{Flag, Many, Whole},
    route::{op, request},
};
use pm_ui_core::{change::given, text};

/// The choice of a step that is a mail address.
const MAIL: &str = "mail:";

/// A step of the form.
#[derive(Clone, Copy)]
struct Row {
    number: usize,
    minutes: RwSignal<String>,
    /// `kind:id`.
    target: RwSignal<String>,
    mail: RwSignal<String>,
}

impl Row {
    fn of(number: usize, step: Option<&EscalationStep>) -> Self {
        let minutes = step.map_or(0.0, |s| s.after_s.0 as f64 / 60.0);
        let mail = step.and_then(|s| s.mail.as_ref()).map(|m| m.0.clone()).unwrap_or_default();
        Self {
            number,
            minutes: RwSignal::new(format!("{}", (minutes * 100.0).round() / 100.0)),
            target: RwSignal::new(step.map(chosen).unwrap_or_default()),
            mail: RwSignal::new(mail),
        }
    }

    fn step(self) -> Result<EscalationStep, String> {
        let minutes = self.minutes.get_untracked().replace(',', ".").parse::<f64>();
        let after = minutes.ok().filter(|m| *m >= 0.0).ok_or("The minutes of a step are a number.")?;
        let mut step = EscalationStep {
            after_s: Whole((after * 60.0).round() as i64),
            user_id: None,
            schedule_id: None,
            role: None,
            channel_id: None,
            mail: None,
        };
        let target = self.target.get_untracked();
        match target.split_once(':') {
            Some(("schedule", id)) => step.schedule_id = id.parse().ok(),
            Some(("user", id)) => step.user_id = id.parse().ok(),
            Some(("role", name)) => step.role = Some(name.into()),
            Some(("channel", id)) => step.channel_id = id.parse().ok(),
            Some(("mail", _)) => step.mail = Some(self.mail.get_untracked().trim().into()),
            _ => return Err("Choose who is notified by each step.".to_owned()),
        }
        Ok(step)
    }
}

fn chosen(step: &EscalationStep) -> String {
    let named = [
        step.schedule_id.map(|id| format!("schedule:{id}")),
        step.user_id.map(|id| format!("user:{id}")),
        step.role.as_ref().map(|role| format!("role:{}", role.0)),
        step.channel_id.map(|id| format!("channel:{id}")),
        step.mail.as_ref().map(|_| MAIL.to_owned()),
    ];
    named.into_iter().flatten().next().unwrap_or_default()
}

/// The form; `old` is the chain that it changes.
#[component]
pub fn ChainForm(
    /// The chain that it changes; none: a new one.
    old: Option<EscalationChain>,
    /// What steps choose from.
    choices: Choices,
    /// The list behind it.
    chains: Query<Vec<EscalationChain>>,
    /// What the dialog shows.
    shown: RwSignal<Option<Option<EscalationChain>>>,
) -> impl IntoView {
    let app = app();
    let name = RwSignal::new(old.as_ref().map(|c| c.name.clone()).unwrap_or_default());
    let severity = RwSignal::new(old.as_ref().map_or(Severity::Critical, |c| c.minimum_severity));
    let active = RwSignal::new(old.as_ref().is_none_or(|c| c.active_since.is_some()));
    let (machine, class) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let every_s = old.as_ref().map_or(1800, |c| c.repeat_every_s);
    let every = RwSignal::new(format!("{}", (every_s as f64 / 0.6).round() / 100.0));
    let repeats = RwSignal::new(old.as_ref().map_or(0, |c| c.repeats).to_string());
    let steps = old.as_ref().map(|c| c.steps.clone()).unwrap_or_default();
    let first = steps.is_empty().then(|| Row::of(0, None));
    let rows: Vec<_> =
        steps.iter().enumerate().map(|(n, step)| Row::of(n, Some(step))).chain(first).collect();
    let made = StoredValue::new(rows.len());
    let rows = RwSignal::new(rows);
    let problem = RwSignal::new(None::<String>);
    let open = OpenState::from(shown);
    let id = old.as_ref().map(|c| c.id);
    let body = move || -> Result<NewEscalationChain, String> {
        let steps =
            rows.with_untracked(|rows| rows.iter().map(|row| row.step()).collect::<Result<_, _>>())?;
        let number = |text: RwSignal<String>| text.get_untracked().replace(',', ".").parse::<f64>().ok();
        let every = number(every).ok_or("The minutes between repetitions are a number.")?;
        let repeats = number(repeats).ok_or("The number of repetitions is a number.")?;
        Ok(NewEscalationChain {
            name: name.get_untracked().trim().into(),
            steps: Many(steps),
            is_active: Some(Flag(active.get_untracked())),
            machine_id: machine.get_untracked().parse().ok(),
            machine_class: given(&class.get_untracked()).map(Into::into),
            minimum_severity: Some(severity.get_untracked()),
            repeat_every_s: Some(Whole((every * 60.0).round() as i64)),
            repeats: Some(Whole(repeats as i64)),
        })
    };
    let done = move || {
        chains.refetch();
        open.close();
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let new = match body() {
            Ok(new) => new,
            Err(why) => {
                problem.set(Some(why));
                return;
            }
        };
        let change = EscalationChainChange {
            name: Some(new.name.clone()),
            steps: Some(new.steps.clone()),
            is_active: new.is_active,
            minimum_severity: new.minimum_severity,
            repeat_every_s: new.repeat_every_s,
            repeats: new.repeats,
        };
        spawn_local(async move {
            let answer = match id {
                Some(id) => app.api.send(request(op::UpdateEscalationChain, [&id]), &change).await,
                None => app.api.send(request(op::CreateEscalationChain, []), &new).await,
            };
            form::answered(answer, problem, done);
        });
    };
    let remove = move || {
        let Some(id) = id else { return };
        spawn_local(async move {
            form::answered(app.api.call(request(op::DeleteEscalationChain, [&id])).await, problem, done);
        });
    };
    let add = move |_| {
        made.update_value(|n| *n += 1);
        rows.update(|rows| rows.push(Row::of(made.get_value(), None)));
    };
    view! {
        <form class="form" on:submit=submit>
            {text_field("Name", "text", true, name)}
            {choice("For alarms from", Severity::WORDS, move || severity.get().as_str(), move |word| {
                if let Ok(word) = word.parse() {
                    severity.set(word);
                }
            })}
            {id.is_none()
                .then(|| {
                    view! {
                        <div class="form-row">
                            {form::machine_choice("Every machine", false, machine)}
                            {text_field("Or only machines of the class", "text", false, class)}
                        </div>
                    }
                })}
            <fieldset>
                <legend>"Steps"</legend>
                <For each=move || rows.get() key=|row| row.number children=move |row| step(row, rows, choices) />
                <button class="button small" type="button" on:click=add>
                    {Icon::Plus.view()}
                    "Add step"
                </button>
            </fieldset>
            <div class="form-row">
                {text_field("Do the steps again, times", "number", true, repeats)}
                {text_field("Every, minutes", "text", true, every)}
            </div>
            {form::check("In use", active)}
            <p class="muted small">"It ends when somebody acknowledges, resolves or shelves the alarm."</p>
            {form::problem(problem)}
            {form::foot(open, "Save", id.map(|_| form::sure_button("Delete", "Really delete", remove)))}
        </form>
    }
    .into_any()
}

fn step(row: Row, rows: RwSignal<Vec<Row>>, choices: Choices) -> AnyView {
    view! {
        <div class="form-row">
            {text_field("After minutes", "text", true, row.minutes)}
            <label class="field">
                <span>"Notify"</span>
                <select class="input" required on:change=move |event| row.target.set(event_target_value(&event))>
                    <option value="">"Choose…"</option>
                    {move || {
                        targets(choices)
                            .into_iter()
                            .map(|(value, label)| {
                                let own = value.clone();
                                view! {
                                    <option value=value selected=move || row.target.with(|t| *t == own)>
                                        {label}
                                    </option>
                                }
                            })
                            .collect_view()
                    }}
                </select>
            </label>
            {move || {
                row.target.with(|t| t == MAIL).then(|| text_field("Mail address", "email", true, row.mail))
            }}
            <button
                class="quiet small"
                type="button"
                on:click=move |_| rows.update(|rows| rows.retain(|other| other.number != row.number))
            >
                "Remove"
            </button>
        </div>
    }
    .into_any()
}

/// Whom a step can tell: the value of the choice and its label. Reactive.
fn targets(choices: Choices) -> Vec<(String, String)> {
    let schedules = choices.schedules.items().into_iter();
    let on_call = schedules.map(|s| (format!("schedule:{}", s.id), format!("On call: {}", s.name)));
    let channels = choices.channels.items().into_iter();
    let channels = channels.map(|c| (format!("channel:{}", c.id), format!("Channel: {}", c.name)));
    let people = choices.people.items().into_iter();
    let people = people.map(|p| (format!("user:{}", p.id), format!("Person: {}", p.name)));
    let roles = Role::WORDS.iter().map(|r| (format!("role:{r}"), format!("Role: {}", text::title(r))));
    let mail = [(MAIL.to_owned(), "A mail address".to_owned())];
    on_call.chain(channels).chain(people).chain(roles).chain(mail).collect()
}
