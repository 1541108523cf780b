//! Undo of a change that was made with `PATCH`.

use crate::state::App;
use gloo_net::http::Method;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

/// Shows the message `done` and offers to undo the change: `before`, the former values of the changed fields, is sent to
/// `path`, and everything on the page is fetched again. When `before` is empty, nothing is offered.
pub fn offer(app: App, done: String, path: String, before: Map<String, Value>) {
    if before.is_empty() {
        return app.toasts.done(done);
    }
    app.toasts.undoable(done, move || {
        let (path, before) = (path.clone(), before.clone());
        spawn_local(async move {
            match app.api.send::<_, Value>(Method::PATCH, &path, &before).await {
                Ok(_) => app.toasts.done("It is as it was before."),
                Err(error) => app.toasts.failed(format!("Not undone: {error}")),
            }
            app.live.refetch();
        });
    });
}
