//! Planned maintenance, and what it suppressed.

use pm_api::{
    MaintenanceWindowId, Timestamp,
    input::{FieldFault, Text},
    list::Page,
    maintenance::{MaintenanceWindow, MaintenanceWindowChange, SuppressedCondition, check_span},
    route::op,
};
use pm_domain::zone;
use pm_store::{
    StoreError,
    maintenance::{self, Plan},
};
use pm_web::{Input, Refusal, now};
use serde_json::json;

/// The zone of a window that names none.
const DEFAULT_ZONE: &str = "UTC";

pub(crate) async fn list(
    input: Input<op::ListMaintenanceWindows>,
) -> Result<Page<MaintenanceWindow>, Refusal> {
    Ok(maintenance::list(&input.db().await?, &input.page, now()).await?)
}

pub(crate) async fn create(input: Input<op::CreateMaintenanceWindow>) -> Result<MaintenanceWindow, Refusal> {
    let new = &input.body;
    let plan = Plan {
        reason: new.reason.0.clone(),
        starts_at: new.starts_at,
        ends_at: new.ends_at,
        repeats: new.repeats,
        repeats_until: new.repeats_until,
        zone: checked_zone(new.zone.as_ref())?.unwrap_or_else(|| DEFAULT_ZONE.to_owned()),
    };
    let scope = (new.machine_id, new.machine_class.as_ref().map(|class| class.0.as_str()));
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    match maintenance::create(&db, &actor, &plan, scope, now()).await {
        Err(StoreError::Constraint(name)) if name == "maintenance_windows_machine_exists" => {
            let fault = FieldFault::new("machine_id", "There is no such machine", json!(new.machine_id));
            Err(Refusal::in_body(vec![fault]))
        }
        done => Ok(done?),
    }
}

pub(crate) async fn update(input: Input<op::UpdateMaintenanceWindow>) -> Result<MaintenanceWindow, Refusal> {
    let id: MaintenanceWindowId = input.id("window_id")?;
    let zone = checked_zone(input.body.zone.as_ref())?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let now = now();
    let before = maintenance::get(&db, id, now).await?.ok_or(Refusal::NotFound)?;
    let plan = changed(before, &input.body, zone);
    check_span(plan.starts_at, plan.ends_at).map_err(|fault| Refusal::in_body(vec![fault]))?;
    maintenance::update(&db, &actor, id, &plan, now).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn delete(input: Input<op::DeleteMaintenanceWindow>) -> Result<(), Refusal> {
    let id: MaintenanceWindowId = input.id("window_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = maintenance::delete(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

pub(crate) async fn suppressed(
    input: Input<op::ListSuppressedConditions>,
) -> Result<Page<SuppressedCondition>, Refusal> {
    Ok(maintenance::suppressed(&input.db().await?, &input.query, &input.page).await?)
}

fn changed(before: MaintenanceWindow, change: &MaintenanceWindowChange, zone: Option<String>) -> Plan {
    let until: Option<Timestamp> = change.repeats_until.clone().after(before.repeats_until);
    Plan {
        reason: change.reason.as_ref().map_or(before.reason, |reason| reason.0.clone()),
        starts_at: change.starts_at.unwrap_or(before.starts_at),
        ends_at: change.ends_at.unwrap_or(before.ends_at),
        repeats: change.repeats.clone().after(before.repeats),
        repeats_until: until,
        zone: zone.unwrap_or(before.zone),
    }
}

/// A zone has to be one of the IANA database.
fn checked_zone(name: Option<&Text<1, 64>>) -> Result<Option<String>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    match zone::fault(name) {
        Some(fault) => Err(Refusal::in_body(vec![fault])),
        None => Ok(Some(name.trim().to_owned())),
    }
}
