//! One's own preferences.

use pm_api::{
    input::{FieldFault, Text, Whole},
    notification::{Preferences, PreferencesChange},
    route::op,
};
use pm_domain::zone;
use pm_store::{StoreError, notice};
use pm_web::{Input, Refusal, now};
use serde_json::Value;

pub(crate) async fn get(input: Input<op::GetPreferences>) -> Result<Preferences, Refusal> {
    let user_id = input.identity()?.user_id;
    notice::preferences(&input.db().await?, user_id).await?.ok_or(Refusal::BadToken)
}

pub(crate) async fn update(input: Input<op::UpdatePreferences>) -> Result<Preferences, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = notice::preferences(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let chosen = changed(before, &input.body);
    if let Some(fault) = chosen.zone.as_deref().and_then(zone::fault) {
        return Err(Refusal::in_body(vec![fault]));
    }
    match notice::prefer(&db, &actor, &chosen, now()).await {
        Err(StoreError::Constraint(name)) if name == "notification_preferences_hours_both" => {
            let message = "hours_from and hours_to go together";
            Err(Refusal::in_body(vec![FieldFault::new("hours_to", message, Value::from(chosen.hours_to))]))
        }
        done => Ok(done?),
    }
}

fn changed(before: Preferences, change: &PreferencesChange) -> Preferences {
    let minute = |minute: i64| -> Whole<0, { pm_api::on_call::LAST_MINUTE }> { Whole(minute) };
    Preferences {
        alarms: change.alarms.unwrap_or(before.alarms),
        predictions: change.predictions.unwrap_or(before.predictions),
        ticket_assignments: change.ticket_assignments.unwrap_or(before.ticket_assignments),
        minimum_severity: change.minimum_severity.unwrap_or(before.minimum_severity),
        machine_ids: change.machine_ids.as_ref().map_or(before.machine_ids, |ids| ids.to_vec()),
        machine_classes: change
            .machine_classes
            .as_ref()
            .map_or(before.machine_classes, |classes| classes.iter().map(|class| class.0.clone()).collect()),
        hours_from: change.hours_from.clone().after(before.hours_from.map(minute)).map(|m| m.0),
        hours_to: change.hours_to.clone().after(before.hours_to.map(minute)).map(|m| m.0),
        zone: change.zone.clone().after(before.zone.map(Text)).map(|zone| zone.0.trim().to_owned()),
        summary_at: change.summary_at.clone().after(before.summary_at.map(minute)).map(|m| m.0),
    }
}
