//! Taking back a change that was made with `PATCH`.

use crate::state::App;
use gloo_net::http::Method;
use leptos::task::spawn_local;
use serde_json::{Map, Value};

/// Says what was done and offers to undo it: `before`, the changed fields as they were, is sent to where the change was
/// sent to, and everything on show is fetched anew. Without such fields nothing is offered.
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
