//! What is done to alarms: shown at once, taken back when the server refuses.

use crate::{
    api::Query,
    shell::ActiveAlarms,
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    AlarmId, AlarmStatus,
    alarm::{Alarm, AlarmBulk, AlarmBulkBody, AlarmUpdate},
    input::Many,
    route::op,
};

/// A list of alarms and the page's common one; both are kept right.
#[derive(Clone, Copy)]
pub struct Queue {
    app: App,
    /// The list on show.
    pub list: Query<Vec<Alarm>>,
    active: Option<Query<Vec<Alarm>>>,
}

impl Queue {
    /// The queue of `list`; made where a component is set up.
    #[must_use]
    pub fn of(list: Query<Vec<Alarm>>) -> Self {
        Self { app: app(), list, active: use_context::<ActiveAlarms>().map(|active| active.0) }
    }

    fn lists(self) -> impl Iterator<Item = Query<Vec<Alarm>>> {
        [Some(self.list), self.active].into_iter().flatten()
    }

    /// Fetches the lists anew.
    pub fn refetch(self) {
        self.lists().for_each(Query::refetch);
    }

    /// Acknowledges the open ones of `ids`.
    pub fn acknowledge(self, ids: Vec<AlarmId>) {
        for list in self.lists() {
            list.amend(|alarms| {
                for alarm in
                    alarms.iter_mut().filter(|a| ids.contains(&a.id) && a.status == AlarmStatus::Open)
                {
                    alarm.status = AlarmStatus::Acknowledged;
                }
            });
        }
        let app = self.app;
        spawn_local(async move {
            let update = AlarmUpdate { status: Some(AlarmStatus::Acknowledged), ..AlarmUpdate::default() };
            let many = ids.len();
            // All or none: after a refusal nothing has changed, and the lists are fetched as they are.
            let body = AlarmBulkBody(AlarmBulk { payload: Many(vec![update]), ids: Some(Many(ids)) });
            match app.api.request(op::ChangeAlarms, &[], &body).await {
                Ok(()) if many == 1 => app.toasts.done("Alarm acknowledged."),
                Ok(()) => app.toasts.done(format!("{many} alarms acknowledged.")),
                Err(error) => app.toasts.failed(format!("Not acknowledged: {error}")),
            }
            self.refetch();
        });
    }
}
