//! Undo of a change that was made with `PATCH`.

use crate::{api::Received, state::App};
use leptos::task::spawn_local;
use pm_api::route::{Request, operation::Json};
use serde_json::{Map, Value};

/// Shows the message `done` and offers to undo the change: `before`, the former values of the changed fields, is sent with
/// `change`, and everything on the page is fetched again. When `before` is empty, nothing is offered.
pub fn offer<Q: 'static, T: 'static, A: Received + 'static>(
    app: App,
    done: String,
    change: Request<Q, Json<T>, A>,
    before: Map<String, Value>,
) {
    if before.is_empty() {
        return app.toasts.done(done);
    }
    app.toasts.undoable(done, move || {
        let (change, before) = (change.clone(), before.clone());
        spawn_local(async move {
            match app.api.send_changes(change, &before).await {
                Ok(_) => app.toasts.done("It is as it was before."),
                Err(error) => app.toasts.failed(format!("Not undone: {error}")),
            }
            app.live.refetch();
        });
    });
}
