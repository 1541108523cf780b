//! Escalation chains: whom the system tells of alarms until somebody answers.

use super::{escalation_chain_form::ChainForm, on_call::Choices};
use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        confirm::Dialog,
        form::{self, Only},
        icon::Icon,
        loaded::{Empty, Loaded},
    },
    shell::Machines,
};
use leptos::prelude::*;
use pm_api::{
    Role,
    escalation::{EscalationChain, EscalationStep},
    route::{op, request},
};
use pm_ui_core::text;

/// The section of the page.
#[component]
pub fn Chains(
    /// What steps choose from.
    choices: Choices,
) -> impl IntoView {
    let chains = Query::new(|| Some(request(op::ListEscalationChains, []).limit(200)), &[Refresh::Pulse]);
    // `Some(None)`: a new one
    let shown = RwSignal::new(None::<Option<EscalationChain>>);
    view! {
        <header class="page-head">
            <h2>"Escalation chains"</h2>
            {form::opener("Add chain", Icon::Plus, Role::Engineer, move || shown.set(Some(None)))}
        </header>
        <Loaded phase=chains.phase() retry=chains.retry() lines=4>
            <For each=move || chains.items() key=|c| (c.id, c.updated_at) children=move |c| panel(c, choices, shown) />
            {move || {
                chains
                    .items()
                    .is_empty()
                    .then(|| {
                        view! {
                            <Empty icon=Icon::Alarm title="No escalation chains">
                                "A chain notifies people and services step by step until an alarm is acknowledged."
                            </Empty>
                        }
                    })
            }}
        </Loaded>
        <Dialog open=shown title="Escalation chain">
            {move || shown.get().map(|old| view! { <ChainForm old choices chains shown /> })}
        </Dialog>
    }
    .into_any()
}

fn panel(
    chain: EscalationChain,
    choices: Choices,
    shown: RwSignal<Option<Option<EscalationChain>>>,
) -> AnyView {
    let machines = expect_context::<Machines>();
    let known = StoredValue::new(chain.clone());
    let (machine, class) = (chain.machine_id, chain.machine_class.clone());
    let scope = move || match (machine, &class) {
        (Some(id), _) => format!("the machine {}", machines.name(id).unwrap_or_default()),
        (None, Some(class)) => format!("every {class}"),
        (None, None) => "the whole site".to_owned(),
    };
    let repeats = match chain.repeats {
        0 => "once".to_owned(),
        times => format!("again every {}, at most {times} times", wait(chain.repeat_every_s)),
    };
    let steps = chain.steps.clone();
    view! {
        <section class="panel">
            <header class="panel-head">
                <h3>{chain.name.clone()}</h3>
                {if chain.active_since.is_some() {
                    view! { <span class="badge calm">{Icon::Check.view()} "in use"</span> }.into_any()
                } else {
                    view! { <span class="badge off">{Icon::Pause.view()} "off"</span> }.into_any()
                }}
            </header>
            <dl class="facts">
                <dt>"For"</dt>
                <dd>{badge::severity(chain.minimum_severity)} " alarms and above, on " {scope}</dd>
                <dt>"Until acknowledged"</dt>
                <dd>{repeats}</dd>
            </dl>
            <ol class="pairs">
                {steps
                    .into_iter()
                    .map(|step| {
                        let after = step.after_s.0;
                        view! {
                            <li>
                                <div>{move || target(&step, choices)}</div>
                                <small class="muted">
                                    {if after == 0 { "at once".to_owned() } else { format!("after {}", wait(after)) }}
                                </small>
                            </li>
                        }
                    })
                    .collect_view()}
            </ol>
            <Only least=Role::Engineer>
                <footer class="form-foot">
                    <button class="button small" on:click=move |_| shown.set(Some(Some(known.get_value())))>
                        "Change"
                    </button>
                </footer>
            </Only>
        </section>
    }
    .into_any()
}

fn wait(seconds: i64) -> String {
    text::duration(seconds as f64 * 1000.0)
}

/// Whom a step tells, for people. Reactive.
fn target(step: &EscalationStep, choices: Choices) -> String {
    let unknown = || "…".to_owned();
    if let Some(id) = step.schedule_id {
        let name = choices.schedules.items().into_iter().find(|s| s.id == id).map(|s| s.name);
        return format!("On call by {}", name.unwrap_or_else(unknown));
    }
    if let Some(id) = step.user_id {
        let name = choices.people.items().into_iter().find(|p| p.id == id).map(|p| p.name);
        return name.unwrap_or_else(|| "A person".to_owned());
    }
    if let Some(role) = &step.role {
        return format!("Everybody with the role {}", role.0);
    }
    if let Some(id) = step.channel_id {
        let name = choices.channels.items().into_iter().find(|c| c.id == id).map(|c| c.name);
        return name.map_or_else(|| "A notice channel".to_owned(), |name| format!("The channel {name}"));
    }
    step.mail.as_ref().map(|mail| mail.0.clone()).unwrap_or_else(unknown)
}
