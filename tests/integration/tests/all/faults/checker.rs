//! Compares what was published with what is stored: each reading once, of the right sensor, time and value.

use super::sensors::Plan;
use crate::sql;
use anyhow::{Result, bail};
use std::{collections::HashMap, fmt, time::Duration};
use tokio::time::{Instant, sleep};

/// Longest time without a further reading being stored.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// What differs between what was published and what is stored, by number of message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Acknowledged, not stored.
    pub lost: Vec<u64>,
    /// Stored more than once.
    pub doubled: Vec<u64>,
    /// Stored for another sensor or time.
    pub altered: Vec<u64>,
    /// Stored, never published.
    pub strange: Vec<u64>,
}

impl Difference {
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Something that waiting does not mend.
    fn is_final(&self) -> bool {
        !(self.doubled.is_empty() && self.altered.is_empty() && self.strange.is_empty())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("altered", &self.altered),
            ("strange", &self.strange),
        ];
        for (kind, numbers) in kinds.into_iter().filter(|(_, numbers)| !numbers.is_empty()) {
            let first: Vec<_> = numbers.iter().take(5).collect();
            write!(f, "{} {kind} (first {first:?}) ", numbers.len())?;
        }
        Ok(())
    }
}

/// Looks once.
pub(crate) async fn difference(db_url: &str, plan: &Plan, count: u64) -> Result<Difference> {
    let db = sql::connect(db_url).await?;
    let rows = db
        .query(
            "select d.value::int8, m.mqtt_id, s.mqtt_id, (extract(epoch from d.time) * 1000000)::int8
             from sensor_data d join sensors s on s.id = d.sensor_id join machines m on m.id = s.machine_id
             where m.mqtt_id like 'fault-%'",
            &[],
        )
        .await?;
    let mut seen: HashMap<u64, u64> = HashMap::with_capacity(rows.len());
    let mut difference = Difference::default();
    for row in rows {
        let (number, machine, sensor, us): (i64, String, String, i64) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let number = number as u64;
        *seen.entry(number).or_default() += 1;
        let place = machine == plan.machine(number) && sensor == plan.sensor(number);
        if number >= count {
            difference.strange.push(number);
        } else if !place || (plan.dated && us as u64 != plan.time_us(number)) {
            difference.altered.push(number);
        }
    }
    difference.altered.sort_unstable();
    for number in 0..count {
        match seen.get(&number).copied().unwrap_or_default() {
            0 => difference.lost.push(number),
            1 => {}
            _ => difference.doubled.push(number),
        }
    }
    Ok(difference)
}

/// Waits until everything is stored, each once; gives up when for a long time nothing more is.
pub(crate) async fn all_stored_once(db_url: &str, (plan, count): (Plan, u64)) -> Result<()> {
    let mut least_lost = usize::MAX;
    let mut end = Instant::now() + STALL_TIMEOUT;
    loop {
        // the database may still be on its way up
        let found = difference(db_url, &plan, count).await;
        match &found {
            Ok(difference) if difference.is_none() => return Ok(()),
            Ok(difference) if difference.is_final() => bail!("of {count} published: {difference}"),
            Ok(difference) if difference.lost.len() < least_lost => {
                least_lost = difference.lost.len();
                end = Instant::now() + STALL_TIMEOUT;
            }
            _ => {}
        }
        if Instant::now() > end {
            let found = found?;
            bail!("of {count} published: {found}");
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until `more` readings of the sensors are stored beyond what is stored now.
pub(crate) async fn until_more_stored(db_url: &str, more: i64) -> Result<()> {
    let before = stored(db_url).await.unwrap_or_default();
    let end = Instant::now() + STALL_TIMEOUT;
    loop {
        let now = stored(db_url).await.unwrap_or_default();
        if now >= before + more {
            return Ok(());
        }
        if Instant::now() > end {
            bail!("{now} readings are stored, {before} were at first, and {more} more were expected");
        }
        sleep(Duration::from_millis(50)).await;
    }
}

async fn stored(db_url: &str) -> Result<i64> {
    Ok(sql::connect(db_url).await?.query_one("select count(*) from sensor_data", &[]).await?.get(0))
}
