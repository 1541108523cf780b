//! Dead letters: messages that could not be parsed, with the reason.

use crate::{
    api::{Query, Refresh},
    components::{
        icon::Icon,
        loaded::{Empty, Entries},
        time::Ago,
    },
};
use leptos::prelude::*;
use pm_api::{
    route::{op, request},
    status::DeadLetter,
};

/// The panel.
#[component]
pub fn DeadLetters() -> impl IntoView {
    let letters = Query::new(|| Some(request(op::ListDeadLetters, []).limit(10)), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Dead letters"</h2>
            </header>
            <Entries list=letters key=|letter: &DeadLetter| letter.id row=|letter, _| row(letter) lines=4 none />
        </section>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Check title="No dead letters">
            "A message that cannot be parsed appears here with the reason."
        </Empty>
    }
    .into_any()
}

fn row(letter: DeadLetter) -> AnyView {
    view! {
        <li>
            <details class="more">
                <summary>
                    <code>{letter.topic}</code> " " <small class="muted"><Ago at=letter.received_at /></small>
                    <p class="small">{letter.reason}</p>
                </summary>
                <pre>{letter.payload}</pre>
            </details>
        </li>
    }
    .into_any()
}
