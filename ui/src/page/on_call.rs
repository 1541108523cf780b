//! Who is on call, whom the system tells of alarms until somebody answers, and who was told.

use super::{
    alarm_notices::AllNotices, escalation_chains::Chains, notice_channels::Channels,
    on_call_form::ScheduleForm, stand_in_form::StandInForm,
};
use crate::{
    api::{Query, Refresh},
    components::{
        confirm::Dialog,
        form::{self, Only},
        icon::Icon,
        loaded::{Empty, Loaded},
        time::Clock,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role, UserId,
    escalation::NoticeChannel,
    on_call::{OnCallOverride, OnCallSchedule, Person, Shift, ShiftReason},
    route::{op, request},
};

/// What forms of this page choose from.
#[derive(Clone, Copy)]
pub struct Choices {
    /// The people who can be on call; none for those who may not change schedules.
    pub people: Query<Vec<Person>>,
    /// The on-call schedules.
    pub schedules: Query<Vec<OnCallSchedule>>,
    /// The notice channels; none for those who may not change chains.
    pub channels: Query<Vec<NoticeChannel>>,
}

/// What the dialog shows.
#[derive(Clone)]
enum Shown {
    New,
    Known(Box<OnCallSchedule>),
    StandIn(Box<OnCallSchedule>),
}

/// The page.
#[component]
pub fn OnCall() -> impl IntoView {
    let session = app().api.session;
    let may = move || session.may(Role::Engineer);
    let choices = Choices {
        people: Query::new(move || may().then(|| request(op::OnCallPeople, [])), &[]),
        schedules: Query::new(|| Some(request(op::ListOnCallSchedules, []).limit(200)), &[Refresh::Pulse]),
        channels: Query::new(
            move || may().then(|| request(op::ListNoticeChannels, []).limit(200)),
            &[Refresh::Pulse],
        ),
    };
    let schedules = choices.schedules;
    let shown = RwSignal::new(None::<Shown>);
    view! {
        <header class="page-head">
            <h1>"On call"</h1>
            {form::opener("Add schedule", Icon::Plus, Role::Engineer, move || shown.set(Some(Shown::New)))}
        </header>
        <Loaded phase=schedules.phase() retry=schedules.retry() lines=6>
            <For
                each=move || schedules.items()
                key=|s| (s.id, s.updated_at, s.on_call, s.plan.overrides.clone().len())
                children=move |s| panel(s, choices, shown)
            />
            {move || {
                schedules
                    .items()
                    .is_empty()
                    .then(|| {
                        view! {
                            <Empty icon=Icon::Users title="No on-call schedules">
                                "A schedule says who answers for alarms when: people who take turns."
                            </Empty>
                        }
                    })
            }}
        </Loaded>
        <Chains choices />
        <Only least=Role::Engineer>
            <Channels channels=choices.channels />
        </Only>
        <Only least=Role::Admin>
            <AllNotices />
        </Only>
        <Dialog open=shown title="On-call schedule">
            {move || match shown.get() {
                None => ().into_any(),
                Some(Shown::New) => view! { <ScheduleForm old=None choices shown /> }.into_any(),
                Some(Shown::Known(old)) => view! { <ScheduleForm old=Some(*old) choices shown /> }.into_any(),
                Some(Shown::StandIn(of)) => view! { <StandInForm of=*of choices shown /> }.into_any(),
            }}
        </Dialog>
    }
    .into_any()
}

fn name(schedule: &OnCallSchedule, user_id: Option<UserId>) -> String {
    user_id.map_or_else(|| "nobody".to_owned(), |id| schedule.name_of(id).to_owned())
}

fn panel(schedule: OnCallSchedule, choices: Choices, shown: RwSignal<Option<Shown>>) -> AnyView {
    let app = app();
    let id = schedule.id;
    let known = StoredValue::new(schedule.clone());
    let shifts = Query::new(move || Some(request(op::OnCallShifts, [&id])), &[Refresh::Pulse]);
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteOnCallSchedule, [&id])).await {
                Ok(()) => choices.schedules.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let now = name(&schedule, schedule.on_call);
    let class = if schedule.on_call.is_some() { "badge calm" } else { "badge warning" };
    let minute = schedule.plan.hand_over_minute;
    let order: Vec<_> = schedule.plan.people.iter().map(|id| schedule.name_of(*id).to_owned()).collect();
    let turns = format!(
        "{}, handed over at {:02}:{:02} by the clocks of {}",
        length(schedule.plan.turn_days),
        minute / 60,
        minute % 60,
        schedule.plan.zone
    );
    let overrides = schedule.plan.overrides.clone();
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>{schedule.name.clone()}</h2>
                <span class=class>"On call now: " {now}</span>
            </header>
            <dl class="facts">
                <dt>"Turns"</dt>
                <dd>{order.join(" → ")}</dd>
                <dt>"Each"</dt>
                <dd>{turns}</dd>
            </dl>
            <h3>"The next two weeks"</h3>
            <Loaded phase=shifts.phase() retry=shifts.retry() lines=3>
                <ul class="pairs">
                    <For
                        each=move || shifts.items()
                        key=|s| (s.from, s.to, s.user_id)
                        children=move |s| known.with_value(|schedule| shift(&s, schedule))
                    />
                </ul>
            </Loaded>
            {(!overrides.is_empty())
                .then(|| {
                    view! {
                        <h3>"Overrides"</h3>
                        <ul class="entries">
                            {overrides
                                .into_iter()
                                .map(|o| known.with_value(|schedule| stand_in(&o, schedule, choices)))
                                .collect_view()}
                        </ul>
                    }
                })}
            <Only least=Role::Engineer>
                <footer class="form-foot">
                    {form::sure_button("Delete", "Really delete", remove)}
                    <button
                        class="button small"
                        on:click=move |_| shown.set(Some(Shown::StandIn(Box::new(known.get_value()))))
                    >
                        "Add override"
                    </button>
                    <button
                        class="button small"
                        on:click=move |_| shown.set(Some(Shown::Known(Box::new(known.get_value()))))
                    >
                        "Change"
                    </button>
                </footer>
            </Only>
        </section>
    }
    .into_any()
}

fn length(days: i64) -> String {
    match days {
        1 => "a day".to_owned(),
        7 => "a week".to_owned(),
        14 => "two weeks".to_owned(),
        days => format!("{days} days"),
    }
}

fn shift(shift: &Shift, schedule: &OnCallSchedule) -> AnyView {
    let why = match shift.reason {
        ShiftReason::Rotation => None,
        ShiftReason::Holiday => Some("holiday"),
        ShiftReason::Override => Some("override"),
    };
    view! {
        <li>
            <div>
                {name(schedule, shift.user_id)} " " {why.map(|why| view! { <span class="badge off">{why}</span> })}
            </div>
            <small class="muted"><Clock at=shift.from /> " to " <Clock at=shift.to /></small>
        </li>
    }
    .into_any()
}

fn stand_in(of: &OnCallOverride, schedule: &OnCallSchedule, choices: Choices) -> AnyView {
    let app = app();
    let (id, schedule_id) = (of.id, schedule.id);
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteOnCallOverride, [&schedule_id, &id])).await {
                Ok(()) => choices.schedules.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <li>
            <div>
                <strong>{schedule.name_of(of.user_id).to_owned()}</strong>
                <p class="muted small"><Clock at=of.starts_at /> " to " <Clock at=of.ends_at /></p>
            </div>
            <div class="acts">
                <Only least=Role::Engineer>{form::sure_button("Remove", "Really remove", remove)}</Only>
            </div>
        </li>
    }
    .into_any()
}

/// A choice among the people who can be on call; `none` stands for nobody.
pub fn person_choice(
    label: &'static str,
    none: &'static str,
    people: Query<Vec<Person>>,
    value: RwSignal<String>,
) -> AnyView {
    view! {
        <label class="field">
            <span>{label}</span>
            <select class="input" prop:value=move || value.get() on:change=move |event| value.set(event_target_value(&event))>
                <option value="">{none}</option>
                {move || {
                    people
                        .items()
                        .into_iter()
                        .map(|p| {
                            let id = p.id.to_string();
                            let own = id.clone();
                            view! {
                                <option value=id selected=move || value.with(|v| *v == own)>
                                    {p.name}
                                </option>
                            }
                        })
                        .collect_view()
                }}
            </select>
        </label>
    }
    .into_any()
}

/// Closes the dialog and asks for the schedules again.
pub fn saved<T: Send + Sync + 'static>(choices: Choices, shown: RwSignal<Option<T>>) {
    choices.schedules.refetch();
    shown.try_set(None);
}
