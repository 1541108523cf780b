//! Machines and sensors that register themselves by sending readings. The rules are in `pm_domain::registration`.

use crate::{
    Db, StoreError,
    ingest::named_machine,
    setting,
    statement::statements,
    value::{floats, optional_texts, texts},
};
use pm_api::{
    MachineId,
    ingest::SensorRef,
    sensor::{Thresholds, UNKNOWN_SENSOR_TYPE},
};
use pm_domain::{
    duration::MINUTE_S,
    limits,
    registration::{self, Applicant, Counts, Rules},
    settings::Key,
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// From this many new sensors on, the planner's statistics are refreshed at once.
const BULK_SENSORS: usize = 200;

statements! {
    COUNTS = "
        select (select count(*) from sensors),
               (select count(*) from sensors where created_at > now() - $1::int8 * interval '1 second')";
    MACHINES = concat!("
        select r.ord, m.id, coalesce(m.thresholds, '{}'), (select count(*) from sensors s where s.machine_id = m.id)
        from unnest($1::text[]) with ordinality r (machine, ord)
        cross join lateral ", named_machine!("r.machine"), "
        join machines m on m.id = named.id");
    REGISTER_MACHINES = "
        insert into machines (name, mqtt_id, location)
        select r.machine, r.machine, coalesce(r.location, '')
        from unnest($1::text[], $2::text[]) r (machine, location)
        on conflict (mqtt_id) do nothing";
    REGISTER_SENSORS = "
        insert into sensors (machine_id, name, mqtt_id, sensor_type, unit, metadata, min_threshold, max_threshold,
                             warning_threshold, critical_threshold)
        select r.machine_id::uuid, r.sensor, r.sensor, r.sensor_type, r.unit,
               jsonb_build_object('original_sensor_id', r.sensor), nullif(r.min, 'NaN'), nullif(r.max, 'NaN'),
               nullif(r.warning, 'NaN'), nullif(r.critical, 'NaN')
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], string_to_array($5, ',')::float8[],
                    string_to_array($6, ',')::float8[], string_to_array($7, ',')::float8[],
                    string_to_array($8, ',')::float8[])
            r (machine_id, sensor, sensor_type, unit, min, max, warning, critical)
        on conflict (machine_id, mqtt_id) do nothing";
    REFRESH_STATISTICS = "select refresh_statistics()::text";
}

/// A registered machine.
struct Machine {
    id: MachineId,
    /// Thresholds by sensor type.
    thresholds: Value,
    sensors: i64,
}

/// Registers sensors that are not known, and their machines. Says of each whether it may be there now: the reason, if the
/// settings do not allow it.
pub(crate) async fn register(
    db: &Db,
    refs: &[&SensorRef],
) -> Result<Vec<Result<(), &'static str>>, StoreError> {
    let keys: Vec<Key> = Rules::KEYS.into_iter().chain([Key::SensorsDefaultThresholds]).collect();
    let settings = setting::read(db, &keys).await?;
    let names: HashSet<&str> = refs.iter().map(|r| r.machine.as_str()).collect();
    let mut machines = find_machines(db, names.into_iter().collect()).await?;
    let decided = decide(&Rules::of(&settings), counts(db).await?, refs, &machines);
    let accepted = || refs.iter().zip(&decided).filter(|(_, d)| d.is_ok()).map(|(r, _)| *r);

    let mut new_machines: HashMap<&str, Option<&str>> = HashMap::new();
    for new in accepted().filter(|r| !machines.contains_key(r.machine.as_str())) {
        let location = new_machines.entry(&new.machine).or_default();
        *location = location.or(new.location.as_deref());
    }
    if !new_machines.is_empty() {
        let params = vec![texts(new_machines.keys()), optional_texts(new_machines.values().copied())];
        db.execute(REGISTER_MACHINES, params).await?;
        machines.extend(find_machines(db, new_machines.into_keys().collect()).await?);
    }
    let defaults = settings.json(Key::SensorsDefaultThresholds);
    let registered = register_sensors(db, accepted(), &machines, &defaults).await?;
    if registered >= BULK_SENSORS {
        db.execute(REFRESH_STATISTICS, vec![]).await?;
    }
    Ok(decided)
}

async fn counts(db: &Db) -> Result<Counts, StoreError> {
    db.one(COUNTS, vec![MINUTE_S.into()], |c| Ok(Counts { sensors: c.take()?, within_a_minute: c.take()? }))
        .await
}

async fn find_machines<'n>(db: &Db, names: Vec<&'n str>) -> Result<HashMap<&'n str, Machine>, StoreError> {
    let rows = db.rows(MACHINES, vec![texts(&names)], |c| {
        let ord: i64 = c.take()?;
        Ok((ord, Machine { id: c.take()?, thresholds: c.take()?, sensors: c.take()? }))
    });
    let found = rows.await?.into_iter().filter_map(|(ord, machine)| {
        let name = names.get(usize::try_from(ord - 1).ok()?)?;
        Some((*name, machine))
    });
    Ok(found.collect())
}

fn decide(
    rules: &Rules,
    mut counts: Counts,
    refs: &[&SensorRef],
    machines: &HashMap<&str, Machine>,
) -> Vec<Result<(), &'static str>> {
    let mut of_machine: HashMap<&str, i64> = HashMap::new();
    let mut decided: HashMap<(&str, &str), Result<(), &'static str>> = HashMap::new();
    for r in refs {
        // a sensor that came in two units is one
        if decided.contains_key(&(r.machine.as_str(), r.sensor.as_str())) {
            continue;
        }
        let machine = machines.get(r.machine.as_str());
        let sensors_of_machine = of_machine.get(r.machine.as_str()).copied();
        let sensors_of_machine = sensors_of_machine.or(machine.map(|m| m.sensors)).unwrap_or_default();
        let applicant = Applicant { machine_known: machine.is_some(), sensors_of_machine };
        let outcome = registration::register(rules, &mut counts, applicant);
        if outcome.is_ok() {
            of_machine.insert(&r.machine, sensors_of_machine + 1);
        }
        decided.insert((&r.machine, &r.sensor), outcome);
    }
    refs.iter()
        .map(|r| decided.get(&(r.machine.as_str(), r.sensor.as_str())).copied().unwrap_or(Ok(())))
        .collect()
}

/// Returns how many sensors it tried to register.
async fn register_sensors<'r>(
    db: &Db,
    refs: impl Iterator<Item = &'r SensorRef>,
    machines: &HashMap<&str, Machine>,
    defaults: &Value,
) -> Result<usize, StoreError> {
    struct New<'r> {
        machine: MachineId,
        sensor: &'r str,
        sensor_type: &'r str,
        unit: Option<&'r str>,
        thresholds: Thresholds,
    }
    let mut seen = HashSet::new();
    let mut new: Vec<New<'_>> = Vec::new();
    for r in refs {
        let Some(machine) = machines.get(r.machine.as_str()) else { continue };
        if !seen.insert((machine.id, r.sensor.as_str())) {
            continue;
        }
        let sensor_type = r.sensor_type.as_deref().unwrap_or(UNKNOWN_SENSOR_TYPE);
        let machine_has = machine.thresholds.get(sensor_type).is_some();
        new.push(New {
            machine: machine.id,
            sensor: &r.sensor,
            sensor_type,
            unit: r.unit.as_deref(),
            thresholds: limits::of_new_sensor(defaults, sensor_type, machine_has),
        });
    }
    if new.is_empty() {
        return Ok(0);
    }
    let limit = |of: fn(&Thresholds) -> Option<f64>| {
        floats(new.iter().map(|n| of(&n.thresholds).unwrap_or(f64::NAN)))
    };
    let params = vec![
        texts(new.iter().map(|n| n.machine)),
        texts(new.iter().map(|n| n.sensor)),
        texts(new.iter().map(|n| n.sensor_type)),
        optional_texts(new.iter().map(|n| n.unit)),
        limit(|t| t.min),
        limit(|t| t.max),
        limit(|t| t.warning),
        limit(|t| t.critical),
    ];
    db.execute(REGISTER_SENSORS, params).await?;
    Ok(new.len())
}
