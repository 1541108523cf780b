//! A plant with a week of history, written into the database, and the programs that read what reports are.

use anyhow::{Context, Result, ensure};
use pm_test_support::Stack;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tokio_postgres::NoTls;

/// The name of machine-2, in letters of three alphabets.
pub(crate) const UNICODE_MACHINE: &str = "Насос-7 «Kühlung Ωμέγα»";

/// A connection as the owner.
pub(crate) async fn owner(stack: &Stack) -> Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(stack.db(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Seven days from 2026-03-02 00:00 UTC: a reading a minute of the 16 demonstration sensors (machine-3 is silent for six
/// hours on the third day), predictions every ten minutes, alarms with their history, and tickets.
///
/// machine-1 fails critically from 10:00 to 12:00 and from 11:00 to 13:00 on the second day (one failure of three hours)
/// and from 06:00 to 07:00 on the fifth; a forecast on the sixth is no failure.
pub(crate) async fn seed_history(db: &tokio_postgres::Client) -> Result<()> {
    let sql = format!(
        "
        update machines set name = '{UNICODE_MACHINE}' where mqtt_id = 'machine-2';
        insert into sensor_data (time, sensor_id, machine_id, value, status)
        select t, s.id, s.machine_id, v, case when s.critical_threshold < s.warning_threshold then 0
                                              when v >= s.critical_threshold then 2 when v >= s.warning_threshold then 1 else 0 end
        from (select s.*, m.mqtt_id as machine from sensors s join machines m on m.id = s.machine_id) s,
             generate_series(timestamptz '2026-03-02 00:00:00Z', '2026-03-08 23:59:00Z', interval '1 minute') t
             cross join lateral (
                 select s.warning_threshold * (0.8 + 0.1 * sin(extract(epoch from t) / 7200 + ascii(right(s.name, 1)))
                        + 0.02 * sin(extract(epoch from t) / 50)
                        + case when s.mqtt_id = 'pressure-head' and t between '2026-03-03 10:00Z' and '2026-03-03 13:00Z'
                               then 0.5 else 0 end) as v) v
        where not (s.machine = 'machine-3' and t >= '2026-03-04 06:00Z' and t < '2026-03-04 12:00Z');

        insert into predictions (time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                                 health_percent, remaining_hours, model_version, response_time_ms, contributing_features)
        select t, s.id, s.machine_id, score, status, upper(status), case status when 'normal' then 'normal' else 'anomaly' end,
               0.9, 100 - 50 * score, case when s.mqtt_id = 'pressure-head' then 80 end, '1.0.0', 1, '{{}}'
        from sensors s, generate_series(timestamptz '2026-03-02 00:00:00Z', '2026-03-08 23:50:00Z', interval '10 minutes') t
        cross join lateral (select case when s.mqtt_id = 'pressure-head' and extract(hour from t at time zone 'utc') = 10 then 0.9 else 0.2 end as score) c
        cross join lateral (select case when score > 0.8 then 'critical' else 'normal' end as status) k;
        "
    );
    db.batch_execute(&sql).await?;
    db.batch_execute(ALARMS).await?;
    Ok(())
}

const ALARMS: &str = "
    with a (sensor, kind, severity, message, status, active, at, ended, acknowledged, resolved, notes) as (values
        ('pressure-head', 'threshold', 'critical', 'Pressure at the head reported 195.0 psi', 'resolved', false,
         timestamptz '2026-03-03 10:00Z', timestamptz '2026-03-03 12:00Z', timestamptz '2026-03-03 10:05Z',
         timestamptz '2026-03-03 14:00Z', 'Seal changed; =1+1 is no formula'),
        ('temp-core', 'threshold', 'critical', 'Core temperature reported 285.0 °C', 'resolved', false,
         '2026-03-03 11:00Z', '2026-03-03 13:00Z', null, '2026-03-03 15:00Z', 'Followed from the seal'),
        ('vibe-x', 'threshold', 'critical', 'Vibration reported 6.2 mm/s', 'acknowledged', false,
         '2026-03-06 06:00Z', '2026-03-06 07:00Z', '2026-03-06 06:30Z', null, null),
        ('flow-rate', 'prediction', 'critical', 'Flow rate is about to fail', 'open', true,
         '2026-03-07 06:00Z', null, null, null, null),
        ('temp-winding', 'threshold', 'warning', 'Winding temperature reported 101.5 °C', 'open', true,
         '2026-03-08 20:00Z', null, null, null, null)),
    made as (
        insert into alarms (machine_id, sensor_id, kind, severity, message, status, condition_active, triggered_at, last_seen_at,
                            acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution_notes, occurrences)
        select s.machine_id, s.id, a.kind, a.severity, a.message, a.status, a.active, a.at, coalesce(a.ended, a.at),
               a.acknowledged, case when a.acknowledged is not null then u.id end, a.resolved,
               case when a.resolved is not null then u.id end, a.notes, 3
        from a join sensors s on s.mqtt_id = a.sensor
        join users u on u.email = 'engineer@example.com'
        returning *),
    history as (
        insert into alarm_transitions (alarm_id, at, change)
        select m.id, a.ended, 'condition ended' from made m join sensors s on s.id = m.sensor_id join a on a.sensor = s.mqtt_id
        where a.ended is not null)
    insert into tickets (machine_id, alarm_id, title, priority, status, assignee, created_at, due_at)
    select machine_id, id, 'Ticket of ' || message, 'critical', case status when 'resolved' then 'resolved' else 'open' end,
           'maintenance@factory.local', triggered_at, triggered_at + interval '4 hours'
    from made where severity = 'critical'";

/// Writes a file that lasts as long as the test's folder.
pub(crate) fn keep(name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reports-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    std::fs::write(&path, bytes)?;
    Ok(path)
}

fn run(command: &mut Command, hint: &str) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("{command:?}: {hint}"))?;
    ensure!(output.status.success(), "{command:?}: {}: {hint}", String::from_utf8_lossy(&output.stderr));
    ensure!(output.stderr.is_empty(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

const POPPLER: &str = "poppler-utils are needed; ./pm test installs them";

/// The text of a PDF as poppler reads it.
pub(crate) fn pdf_text(pdf: &Path) -> Result<String> {
    Ok(String::from_utf8(run(Command::new("pdftotext").args(["-layout"]).arg(pdf).arg("-"), POPPLER)?)?)
}

/// Draws the pages of a PDF; returns the images' files.
pub(crate) fn pdf_pages(pdf: &Path) -> Result<Vec<PathBuf>> {
    run(Command::new("pdftoppm").args(["-png", "-r", "70"]).arg(pdf).arg(pdf.with_extension("")), POPPLER)?;
    let stem = pdf.file_stem().and_then(|s| s.to_str()).context("no name")?;
    let mut pages: Vec<_> = std::fs::read_dir(pdf.parent().context("no folder")?)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "png"))
        .filter(|p| p.file_name().and_then(|n| n.to_str()).is_some_and(|n| n.starts_with(stem)))
        .collect();
    pages.sort();
    Ok(pages)
}

/// A workbook as openpyxl reads it: `{"sheets": {name: {"rows": [[…]], "freeze": "A2", "charts": n}}}`; times as ISO texts,
/// and the type of each cell of the second row.
pub(crate) fn workbook(path: &Path) -> Result<Value> {
    let script = "
import sys, json, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
plain = lambda v: v.isoformat() if hasattr(v, 'isoformat') else v
sheets = {s.title: {'rows': [[plain(c) for c in r] for r in s.iter_rows(values_only=True)], 'freeze': s.freeze_panes,
                    'charts': len(s._charts), 'types': [c.data_type for r in s.iter_rows(min_row=2, max_row=2) for c in r],
                    'formulas': sum(c.data_type == 'f' for r in s.iter_rows() for c in r)}
          for s in book.worksheets}
print(json.dumps({'sheets': sheets, 'title': book.properties.title}))
";
    let hint = "a python3 with openpyxl is needed; ./pm test brings one";
    Ok(serde_json::from_slice(&run(Command::new("python3").args(["-c", script]).arg(path), hint)?)?)
}
