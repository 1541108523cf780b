//! The tasks of one tick. A task that fails is logged and shown by `/status`; the others run.

use pm_domain::clock::Task;
use pm_store::{Db, clock};
use pm_web::log_error;
use std::fmt::Debug;

/// The tasks that do not run at every tick.
const PERIODIC: [Task; 2] = [Task::Housekeeping, Task::Retention];

/// What is due in this tick, and what failed in it.
pub(crate) struct Tasks<'d> {
    db: &'d Db,
    due: Vec<Task>,
    failed: Vec<Task>,
}

impl<'d> Tasks<'d> {
    /// Begins a tick.
    pub(crate) async fn begin(db: &'d Db) -> Self {
        let mut tasks = Self { db, due: Vec::new(), failed: Vec::new() };
        match clock::claim(db, &PERIODIC).await {
            Ok(due) => tasks.due = due,
            Err(error) => log_error(&format!("no periodic task can be claimed: {error}")),
        }
        tasks
    }

    /// Is a periodic task due in this tick?
    pub(crate) fn is_due(&self, task: Task) -> bool {
        self.due.contains(&task)
    }

    /// Notes how a task ended; gives its result if it did not fail.
    pub(crate) fn ended<T, E: Debug>(&mut self, task: Task, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                log_error(&format!("task {}: {error:?}", task.name()));
                if !self.failed.contains(&task) {
                    self.failed.push(task);
                }
                None
            }
        }
    }

    /// Ends the tick: stores what failed, for `/status`.
    pub(crate) async fn end(self) {
        if self.failed.is_empty() {
            return;
        }
        if let Err(error) = clock::failed(self.db, &self.failed).await {
            log_error(&format!("failed tasks cannot be stored: {error}"));
        }
    }
}
