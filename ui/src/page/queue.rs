//! Actions on alarms: shown at once, reverted when the server refuses.

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
    route::{op, request},
};

/// A list of alarms and the application's list of active alarms; an action updates both.
#[derive(Clone, Copy)]
pub struct AlarmActions {
    app: App,
    /// The list on show.
    pub list: Query<Vec<Alarm>>,
    active: Option<Query<Vec<Alarm>>>,
}

impl AlarmActions {
    /// The actions on `list`. Call it while a component is created.
    #[must_use]
    pub fn of(list: Query<Vec<Alarm>>) -> Self {
        Self { app: app(), list, active: use_context::<ActiveAlarms>().map(|active| active.0) }
    }

    fn lists(self) -> impl Iterator<Item = Query<Vec<Alarm>>> {
        [Some(self.list), self.active].into_iter().flatten()
    }

    /// Fetches the lists again.
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
            match app.api.send(request(op::ChangeAlarms, []), &body).await {
                Ok(()) if many == 1 => app.toasts.done("Alarm acknowledged."),
                Ok(()) => app.toasts.done(format!("{many} alarms acknowledged.")),
                Err(error) => app.toasts.failed(format!("Not acknowledged: {error}")),
            }
            self.refetch();
        });
    }
}
