//! What an alarm rule tells the operator: cause, consequence, what to do, where more is written.

use crate::api::Query;
use leptos::prelude::*;
use pm_api::{
    SensorId,
    route::{op, request},
};

/// The guidance for the alarms of a sensor, where its rule gives any.
#[component]
pub fn Guidance(
    /// The sensor.
    sensor: SensorId,
) -> impl IntoView {
    let rule = Query::new(move || Some(request(op::SensorAlarmRule, [&sensor])), &[]);
    move || {
        let values = rule.data.get()?.values;
        let words =
            [("Cause", values.cause), ("Consequence", values.consequence), ("What to do", values.response)];
        let given: Vec<_> = words.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
        if given.is_empty() && values.link.is_none() {
            return None;
        }
        let rows =
            given.into_iter().map(|(name, text)| view! { <dt>{name}</dt> <dd>{text}</dd> }).collect_view();
        let link = values.link.map(|link| {
            let address = link.clone();
            view! {
                <dt>"More"</dt>
                <dd>
                    <a href=address target="_blank" rel="noopener noreferrer">{link}</a>
                </dd>
            }
        });
        Some(
            view! {
                <section>
                    <h3>"Guidance"</h3>
                    <dl class="facts">{rows} {link}</dl>
                </section>
            }
            .into_any(),
        )
    }
}
