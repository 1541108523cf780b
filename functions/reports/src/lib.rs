//! Component `reports`: reports made, kept for a while and handed out; schedules that have them made and sent by mail.
//!
//! Invariants: a report is read by who made it, by accounts it was sent to, and by engineers and administrators, and to
//! anybody else it is not there (404); its name cannot be guessed; the readings of a CSV report are written by the database
//! piece by piece and never held here; a scheduled run is claimed with a lease, and of missed runs the newest is made up
//! for. Deliberately absent: how a report looks (pm-report), what its figures mean (pm-domain), a clock (the notifier says
//! when there is something to do).

mod file;
mod generate;
mod make;
mod run;
mod schedule;

use pm_web::{Answer, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        GenerateReport => generate::generate,
        ListReports => file::list,
        DownloadReport => file::download,
        DownloadReportById => file::download_by_id,
        ReportFile => file::download_as_before,
        DeleteReport => file::delete,
        ListReportSchedules => schedule::list,
        CreateReportSchedule => schedule::create,
        GetReportSchedule => schedule::get,
        UpdateReportSchedule => schedule::update,
        DeleteReportSchedule => schedule::delete,
        RunReports => run::run,
    };
    serve("reports", request, handlers).await
}
