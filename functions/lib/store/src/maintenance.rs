//! Planned maintenance, and the conditions that raised no alarm because of it.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, at, id, optional, text, texts},
};
use pm_api::{
    MachineId, MachineStatus, MaintenanceWindowId, Timestamp,
    list::{ListQuery, Page},
    maintenance::{MAX_WINDOW_S, MaintenanceWindow, SuppressedCondition, SuppressedFilter},
    sort::{MaintenanceWindowSort, SuppressedSort},
};
use pm_domain::alarm::suppression::occurrence;
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The columns that [`window`] reads, of `maintenance_windows w`.
macro_rules! columns {
    () => {
        "w.id, w.created_at at time zone 'utc', w.updated_at at time zone 'utc', w.reason, w.machine_id, w.machine_class,
         w.starts_at at time zone 'utc', w.ends_at at time zone 'utc', w.repeats, w.repeats_until at time zone 'utc', w.zone,
         w.created_by"
    };
}

lists! {
    LIST: MaintenanceWindowSort = List {
        columns: columns!(),
        rows: "from maintenance_windows w where true",
        id: Id::Uuid("w.id"),
        key: |MaintenanceWindowSort::StartsAt| Key::Time("w.starts_at"),
        total: Total::Exact,
        one_plan: false,
    };
    SUPPRESSED: SuppressedSort = List {
        columns: "id, machine_id, sensor_id, kind, window_id, severity, message, first_seen_at at time zone 'utc',
                  last_seen_at at time zone 'utc', occurrences",
        rows: "from suppressed_conditions
               where ($1::uuid is null or machine_id = $1) and ($2::int8 is null or last_seen_at >= epoch_us($2))",
        id: Id::Uuid("id"),
        key: |SuppressedSort::LastSeenAt| Key::Time("last_seen_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from maintenance_windows w where w.id = $1");
    CREATE = concat!("
        insert into maintenance_windows as w (id, created_by, reason, starts_at, ends_at, repeats, repeats_until, zone,
                                              machine_id, machine_class)
        select $2, $3, $4, epoch_us($5), epoch_us($6), $7, epoch_us($8), $9, $10, $11
        from ", actor!(), "
        returning ", columns!());
    UPDATE = concat!("
        update maintenance_windows w set
            reason = $3, starts_at = epoch_us($4), ends_at = epoch_us($5), repeats = $6, repeats_until = epoch_us($7),
            zone = $8
        from ", actor!(), "
        where id = $2
        returning ", columns!());
    DELETE = concat!("
        delete from maintenance_windows using ", actor!(), " where id = $2");
    // the windows that may be on now; one that repeats no more may still last as long as a window may ($3, seconds)
    OF_MACHINES = concat!("
        select m.id, m.status, ", columns!(), "
        from unnest($1::text[]::uuid[]) i (id)
        join machines m on m.id = i.id
        left join maintenance_windows w
            on (w.machine_id = m.id or w.machine_class = m.machine_class or (w.machine_id is null and w.machine_class is null))
            and w.starts_at <= epoch_us($2) and (w.repeats is not null or w.ends_at > epoch_us($2))
            and (w.repeats_until is null or w.repeats_until > epoch_us($2) - $3::int8 * interval '1 second')");
    // those that may have been on between $2 and $3; how long a window may last is $4, seconds
    IN_PERIOD = concat!("
        select m.id, ", columns!(), "
        from unnest($1::text[]::uuid[]) i (id)
        join machines m on m.id = i.id
        join maintenance_windows w
            on w.machine_id = m.id or w.machine_class = m.machine_class or (w.machine_id is null and w.machine_class is null)
        where w.starts_at <= epoch_us($3) and (w.repeats is not null or w.ends_at > epoch_us($2))
          and (w.repeats_until is null or w.repeats_until > epoch_us($2) - $4::int8 * interval '1 second')");
}

/// What a person decides about a maintenance window.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is done.
    pub reason: String,
    /// Begin of the first one.
    pub starts_at: Timestamp,
    /// End of the first one.
    pub ends_at: Timestamp,
    /// How often it comes again.
    pub repeats: Option<pm_api::report::Cadence>,
    /// The last one begins at or before.
    pub repeats_until: Option<Timestamp>,
    /// Name of the time zone.
    pub zone: String,
}

impl Plan {
    fn params(&self) -> Vec<ParameterValue> {
        vec![
            text(&self.reason),
            at(self.starts_at),
            at(self.ends_at),
            optional(self.repeats, |r| text(r.as_str())),
            optional(self.repeats_until, at),
            text(&self.zone),
        ]
    }
}

/// A page of the windows; `now` says which are on.
pub async fn list(
    db: &Db,
    query: &ListQuery<MaintenanceWindowSort>,
    now: Timestamp,
) -> Result<Page<MaintenanceWindow>, StoreError> {
    LIST.page(db, query, Vec::new(), |c| window(c, now)).await
}

/// One window.
pub async fn get(
    db: &Db,
    window_id: MaintenanceWindowId,
    now: Timestamp,
) -> Result<Option<MaintenanceWindow>, StoreError> {
    db.first(GET, vec![id(window_id.0)], |c| window(c, now)).await
}

/// Plans a window for a machine, for a class, or for the whole site.
///
/// # Errors
/// Constraint `maintenance_windows_machine_exists`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    plan: &Plan,
    (machine, class): (Option<MachineId>, Option<&str>),
    now: Timestamp,
) -> Result<MaintenanceWindow, StoreError> {
    let mut params = vec![actor.setting(), id(Uuid::now_v7()), id(actor.user_id.0)];
    params.extend(plan.params());
    params.extend([optional(machine, |m| id(m.0)), optional(class, text)]);
    db.one(CREATE, params, |c| window(c, now)).await
}

/// Changes a window; `None` if there is no such window.
pub async fn update(
    db: &Db,
    actor: &Actor,
    window_id: MaintenanceWindowId,
    plan: &Plan,
    now: Timestamp,
) -> Result<Option<MaintenanceWindow>, StoreError> {
    let mut params = vec![actor.setting(), id(window_id.0)];
    params.extend(plan.params());
    db.first(UPDATE, params, |c| window(c, now)).await
}

/// Removes a window. False: no such window.
pub async fn delete(db: &Db, actor: &Actor, window_id: MaintenanceWindowId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(window_id.0)]).await? > 0)
}

/// The status of machines, and the windows for each that may be on at `now`.
pub async fn of_machines(
    db: &Db,
    machines: impl IntoIterator<Item = MachineId>,
    now: Timestamp,
) -> Result<BTreeMap<MachineId, (MachineStatus, Vec<MaintenanceWindow>)>, StoreError> {
    let rows = db.rows(OF_MACHINES, vec![texts(machines), at(now), MAX_WINDOW_S.into()], |c| {
        let machine: MachineId = c.take()?;
        let status: MachineStatus = c.word()?;
        let window = optional_window(c, now)?;
        Ok((machine, status, window))
    });
    let mut found: BTreeMap<MachineId, (MachineStatus, Vec<MaintenanceWindow>)> = BTreeMap::new();
    for (machine, status, window) in rows.await? {
        found.entry(machine).or_insert_with(|| (status, Vec::new())).1.extend(window);
    }
    Ok(found)
}

/// The windows for machines that may have been on in a period.
pub async fn in_period(
    db: &Db,
    machines: impl IntoIterator<Item = MachineId>,
    (from, to): (Timestamp, Timestamp),
) -> Result<BTreeMap<MachineId, Vec<MaintenanceWindow>>, StoreError> {
    let params = vec![texts(machines), at(from), at(to), MAX_WINDOW_S.into()];
    let rows = db.rows(IN_PERIOD, params, |c| Ok((c.take::<MachineId>()?, window(c, to)?)));
    let mut found: BTreeMap<MachineId, Vec<MaintenanceWindow>> = BTreeMap::new();
    for (machine, window) in rows.await? {
        found.entry(machine).or_default().push(window);
    }
    Ok(found)
}

/// A page of the suppressed conditions.
pub async fn suppressed(
    db: &Db,
    filter: &SuppressedFilter,
    query: &ListQuery<SuppressedSort>,
) -> Result<Page<SuppressedCondition>, StoreError> {
    let filter = vec![optional(filter.machine_id, |m| id(m.0)), optional(filter.since, at)];
    SUPPRESSED
        .page(db, query, filter, |c| {
            Ok(SuppressedCondition {
                id: c.take()?,
                machine_id: c.take()?,
                sensor_id: c.take()?,
                kind: c.word()?,
                window_id: c.take()?,
                severity: c.word()?,
                message: c.take()?,
                first_seen_at: c.take()?,
                last_seen_at: c.take()?,
                occurrences: c.take()?,
            })
        })
        .await
}

fn window(c: &mut Columns, now: Timestamp) -> Result<MaintenanceWindow, StoreError> {
    optional_window(c, now)?.ok_or_else(|| StoreError::Failed("a maintenance window without id".to_owned()))
}

/// A window of a row that may have none.
fn optional_window(c: &mut Columns, now: Timestamp) -> Result<Option<MaintenanceWindow>, StoreError> {
    let Some(id) = c.take()? else { return Ok(None) };
    let mut window = MaintenanceWindow {
        id,
        created_at: c.take()?,
        updated_at: c.take()?,
        reason: c.take()?,
        machine_id: c.take()?,
        machine_class: c.take()?,
        starts_at: c.take()?,
        ends_at: c.take()?,
        repeats: c.optional_word()?,
        repeats_until: c.take()?,
        zone: c.take()?,
        created_by: c.take()?,
        is_on: false,
    };
    window.is_on = occurrence(&window, now).is_some();
    Ok(Some(window))
}
