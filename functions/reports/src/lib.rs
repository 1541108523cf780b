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

use pm_auth::Op;
use pm_web::{Answer, Refusal, Request, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("reports", request, |op, call| async move {
        match op {
            Op::GenerateReport => generate::generate(&call).await,
            Op::ListReports => file::list(&call).await,
            Op::DownloadReport => file::download(&call, call.param("filename")).await,
            Op::DownloadReportById => file::download_by_id(&call).await,
            Op::ReportFile => file::download(&call, call.param("report")).await,
            Op::DeleteReport => file::delete(&call).await,
            Op::ListReportSchedules => schedule::list(&call).await,
            Op::CreateReportSchedule => schedule::create(&call).await,
            Op::GetReportSchedule => schedule::get(&call).await,
            Op::UpdateReportSchedule => schedule::update(&call).await,
            Op::DeleteReportSchedule => schedule::delete(&call).await,
            Op::RunReports => run::run(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
