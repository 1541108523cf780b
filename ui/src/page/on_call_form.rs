//! The form of an on-call schedule.

use super::on_call::{Choices, person_choice, saved};
use crate::{
    components::{
        confirm::OpenState,
        form::{self, choice, text_field},
        icon::Icon,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    UserId,
    input::{Day, Many, Whole},
    on_call::{Holiday, NewOnCallSchedule, OnCallSchedule, OnCallScheduleChange},
    route::{op, request},
};

/// Lengths of a turn and their days; others are possible by the API.
const TURNS: [(&str, i64); 3] = [("daily", 1), ("weekly", 7), ("every two weeks", 14)];
const TURN_WORDS: [&str; 3] = [TURNS[0].0, TURNS[1].0, TURNS[2].0];

/// A holiday of the form.
#[derive(Clone, Copy)]
struct Row {
    number: usize,
    day: RwSignal<String>,
    user: RwSignal<String>,
}

/// The form; `old` is the schedule that it changes.
#[component]
pub fn ScheduleForm<T: Clone + Send + Sync + 'static>(
    /// The schedule that it changes; none: a new one.
    old: Option<OnCallSchedule>,
    /// What it chooses from.
    choices: Choices,
    /// What the dialog shows.
    shown: RwSignal<Option<T>>,
) -> impl IntoView {
    let app = app();
    let plan = old.as_ref().map(|s| s.plan.clone());
    let name = RwSignal::new(old.as_ref().map(|s| s.name.clone()).unwrap_or_default());
    let zone = plan.as_ref().map(|p| p.zone.clone()).or_else(crate::browser::time_zone);
    let zone = RwSignal::new(zone.unwrap_or_else(|| "UTC".to_owned()));
    let people = RwSignal::new(plan.as_ref().map(|p| p.people.clone()).unwrap_or_default());
    let known = StoredValue::new(old.clone());
    let days = RwSignal::new(plan.as_ref().map_or(7, |p| p.turn_days));
    let starts_on = RwSignal::new(plan.as_ref().map(|p| p.starts_on.0.clone()).unwrap_or_default());
    let minute = plan.as_ref().map_or(8 * 60, |p| p.hand_over_minute);
    let hand_over = RwSignal::new(format!("{:02}:{:02}", minute / 60, minute % 60));
    let holidays = plan.map(|p| p.holidays).unwrap_or_default();
    let made = StoredValue::new(0);
    let row = move |day: String, user: Option<UserId>| {
        made.update_value(|n| *n += 1);
        let user = user.map(|id| id.to_string()).unwrap_or_default();
        Row { number: made.get_value(), day: RwSignal::new(day), user: RwSignal::new(user) }
    };
    let rows = RwSignal::new(holidays.into_iter().map(|h| row(h.day.0, h.user_id)).collect::<Vec<_>>());
    let problem = RwSignal::new(None::<String>);
    let open = OpenState::from(shown);
    let id = old.as_ref().map(|s| s.id);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Some(minute) = hand_over.with_untracked(|text| minutes(text)) else {
            problem.set(Some("The hand-over needs a time of day.".to_owned()));
            return;
        };
        if people.with_untracked(Vec::is_empty) {
            problem.set(Some("Choose at least one person.".to_owned()));
            return;
        }
        let holiday = |row: &Row| Holiday {
            day: Day(row.day.get_untracked()),
            user_id: row.user.get_untracked().parse().ok(),
        };
        let new = NewOnCallSchedule {
            name: name.get_untracked().trim().into(),
            people: Many(people.get_untracked()),
            starts_on: Day(starts_on.get_untracked()),
            zone: Some(zone.get_untracked().trim().into()),
            turn_days: Some(Whole(days.get_untracked())),
            hand_over_minute: Some(Whole(minute)),
            holidays: Some(Many(rows.with_untracked(|rows| rows.iter().map(holiday).collect()))),
        };
        let change = OnCallScheduleChange {
            name: Some(new.name.clone()),
            people: Some(new.people.clone()),
            starts_on: Some(new.starts_on.clone()),
            zone: new.zone.clone(),
            turn_days: new.turn_days,
            hand_over_minute: new.hand_over_minute,
            holidays: new.holidays.clone(),
        };
        spawn_local(async move {
            let answer = match id {
                Some(id) => app.api.send(request(op::UpdateOnCallSchedule, [&id]), &change).await,
                None => app.api.send(request(op::CreateOnCallSchedule, []), &new).await,
            };
            form::answered(answer, problem, move || saved(choices, shown));
        });
    };
    let name_of = move |id: UserId| {
        let listed = choices.people.items().into_iter().find(|p| p.id == id).map(|p| p.name);
        listed
            .or_else(|| known.with_value(|s| s.as_ref().map(|s| s.name_of(id).to_owned())))
            .unwrap_or_default()
    };
    let added = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Ok(id) = added.get().parse::<UserId>() {
            people.update(|people| people.push(id));
            added.set(String::new());
        }
    });
    view! {
        <form class="form" on:submit=submit>
            {text_field("Name", "text", true, name)}
            <fieldset>
                <legend>"People, in the order of their turns"</legend>
                <ol class="pairs">
                    {move || {
                        people
                            .get()
                            .into_iter()
                            .enumerate()
                            .map(|(index, id)| person(index, name_of(id), people))
                            .collect_view()
                    }}
                </ol>
                {person_choice("Add a person", "Choose…", choices.people, added)}
            </fieldset>
            <div class="form-row">
                {choice("A turn is", &TURN_WORDS, move || turn_word(days.get()), move |word| {
                    if let Some((_, length)) = TURNS.iter().find(|(known, _)| *known == word) {
                        days.set(*length);
                    }
                })} {text_field("First person takes over on", "date", true, starts_on)}
                {text_field("Hand-over at", "time", true, hand_over)}
            </div>
            {text_field("Time zone", "text", true, zone)}
            <fieldset>
                <legend>"Holidays"</legend>
                <For each=move || rows.get() key=|row| row.number children=move |row| holiday(row, rows, choices) />
                <button
                    class="button small"
                    type="button"
                    on:click=move |_| rows.update(|rows| rows.push(row(String::new(), None)))
                >
                    {Icon::Plus.view()}
                    "Add holiday"
                </button>
            </fieldset>
            {form::problem(problem)} {form::foot(open, "Save", None)}
        </form>
    }
    .into_any()
}

fn turn_word(days: i64) -> &'static str {
    TURNS.iter().find(|(_, length)| *length == days).map_or("", |(word, _)| *word)
}

/// Minutes after midnight of a time of day, `08:30`.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<i64>().ok()? * 60 + minute.get(..2)?.parse::<i64>().ok()?)
}

fn person(index: usize, name: String, people: RwSignal<Vec<UserId>>) -> AnyView {
    let up = move |_| {
        people.update(|people| {
            if index > 0 && index < people.len() {
                people.swap(index, index - 1);
            }
        });
    };
    let remove = move |_| {
        people.update(|people| {
            if index < people.len() {
                people.remove(index);
            }
        });
    };
    view! {
        <li>
            <div>{name}</div>
            <div class="acts">
                <button class="quiet small" type="button" disabled=move || index == 0 on:click=up>
                    "Earlier"
                </button>
                <button class="quiet small" type="button" on:click=remove>
                    "Remove"
                </button>
            </div>
        </li>
    }
    .into_any()
}

fn holiday(row: Row, rows: RwSignal<Vec<Row>>, choices: Choices) -> AnyView {
    view! {
        <div class="form-row">
            {text_field("Day", "date", true, row.day)}
            {person_choice("On call then", "Nobody", choices.people, row.user)}
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
