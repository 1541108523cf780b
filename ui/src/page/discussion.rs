//! Comments on an alarm or a ticket, and attached files.

use crate::{
    api::{Query, Refresh},
    browser::save,
    components::{form, icon::Icon, loaded::Loaded, time::Ago},
    state::app,
};
use leptos::{html, prelude::*, task::spawn_local};
use pm_api::{
    AlarmId, Role, TicketId,
    attachment::Attachment,
    comment::{Comment, NewComment},
    route::{op, request},
};
use pm_ui_core::text::size;

/// What comments and attachments belong to.
#[derive(Clone, Copy)]
pub enum Subject {
    /// An alarm.
    Alarm(AlarmId),
    /// A ticket.
    Ticket(TicketId),
}

/// The request of an operation that alarms and tickets both have.
macro_rules! of {
    ($subject:expr, $alarm:ident or $ticket:ident) => {
        match $subject {
            Subject::Alarm(id) => request(op::$alarm, [&id]),
            Subject::Ticket(id) => request(op::$ticket, [&id]),
        }
    };
}

/// Comments and attachments of one alarm or ticket.
#[component]
pub fn Discussion(
    /// Which.
    subject: Subject,
) -> impl IntoView {
    let comments = Query::new(move || Some(of!(subject, AlarmComments or TicketComments)), &[Refresh::Pulse]);
    let files =
        Query::new(move || Some(of!(subject, AlarmAttachments or TicketAttachments)), &[Refresh::Pulse]);
    view! {
        <section class="discussion">
            <h3>"Files"</h3>
            <Loaded phase=files.phase() retry=files.retry() lines=1>
                <ul class="pairs">
                    <For each=move || files.items() key=|f| f.id children=move |f| file(f, files) />
                </ul>
            </Loaded>
            <Upload subject files />
            <h3>"Comments"</h3>
            <Write subject comments />
            <Loaded phase=comments.phase() retry=comments.retry() lines=2>
                <ol class="comments">
                    <For each=move || comments.items() key=|c| (c.id, c.updated_at) children=comment />
                </ol>
            </Loaded>
        </section>
    }
    .into_any()
}

fn comment(comment: Comment) -> AnyView {
    let author = comment.author_name.unwrap_or(comment.author_email);
    view! {
        <li>
            <p class="muted small">
                <strong>{author}</strong> " " <Ago at=comment.created_at />
                {comment.is_internal.then_some(", internal")}
            </p>
            <p class="comment-text">{comment.content}</p>
        </li>
    }
    .into_any()
}

fn file(file: Attachment, files: Query<Vec<Attachment>>) -> AnyView {
    let app = app();
    let id = file.id;
    let name = StoredValue::new(file.filename.clone());
    let mine = move || {
        app.api.session.may(Role::Admin)
            || app.api.session.user.with(|user| user.as_ref().is_some_and(|u| Some(u.id) == file.uploaded_by))
    };
    let fetch = move |_| {
        spawn_local(async move {
            match app.api.file(request(op::DownloadAttachment, [&id])).await {
                Ok(address) => save(&address, &name.get_value()),
                Err(error) => app.toasts.failed(format!("Not downloaded: {error}")),
            }
        });
    };
    let remove = move |_| {
        spawn_local(async move {
            match app.api.call(request(op::DeleteAttachment, [&id])).await {
                Ok(()) => files.refetch(),
                Err(error) => app.toasts.failed(format!("Not deleted: {error}")),
            }
        });
    };
    view! {
        <li>
            <button class="link" on:click=fetch>
                {Icon::Clip.view()} {file.filename.clone()}
            </button>
            <span class="muted small">{size(file.file_size)}</span>
            {move || {
                mine()
                    .then(|| {
                        view! {
                            <button class="quiet" aria-label=format!("Delete {}", name.get_value()) on:click=remove>
                                {Icon::Close.view()}
                            </button>
                        }
                    })
            }}
        </li>
    }
    .into_any()
}

#[component]
fn Upload(subject: Subject, files: Query<Vec<Attachment>>) -> impl IntoView {
    let app = app();
    let input = NodeRef::<html::Input>::new();
    let busy = RwSignal::new(false);
    let send = move |_| {
        let Some(chosen) = input.get_untracked().and_then(|input| input.files()?.get(0)) else { return };
        busy.set(true);
        spawn_local(async move {
            let stored = app.api.send(of!(subject, AttachToAlarm or AttachToTicket), &chosen).await;
            busy.try_set(false);
            match stored {
                Ok(file) => {
                    app.toasts.done(format!("{} attached.", file.filename));
                    files.refetch();
                }
                Err(error) => app.toasts.failed(format!("Not attached: {error}")),
            }
            if let Some(input) = input.get_untracked() {
                input.set_value("");
            }
        });
    };
    view! {
        <label class="button small upload">
            {Icon::Plus.view()} {move || if busy.get() { "Sending …" } else { "Attach a file" }}
            <input node_ref=input type="file" class="hidden-input" on:change=send disabled=move || busy.get() />
        </label>
    }
    .into_any()
}

#[component]
fn Write(subject: Subject, comments: Query<Vec<Comment>>) -> impl IntoView {
    let app = app();
    let text = RwSignal::new(String::new());
    let internal = RwSignal::new(false);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let content = text.get_untracked().trim().to_owned();
        if content.is_empty() {
            return;
        }
        let body = NewComment {
            content,
            is_internal: internal.get_untracked(),
            resource_type: None,
            resource_id: None,
        };
        spawn_local(async move {
            match app.api.send(of!(subject, CommentAlarm or CommentTicket), &body).await {
                Ok(_) => {
                    text.try_set(String::new());
                    comments.refetch();
                }
                Err(error) => app.toasts.failed(format!("Not sent: {error}")),
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <label class="field">
                <span class="visually-hidden">"Comment"</span>
                <textarea
                    class="input"
                    rows="2"
                    placeholder="Write a comment"
                    prop:value=move || text.get()
                    on:input=move |event| text.set(event_target_value(&event))
                ></textarea>
            </label>
            <footer class="form-foot">
                {move || {
                    app.api.session.may(Role::Engineer).then(|| form::check("Internal (hidden from viewers)", internal))
                }}
                <button class="button small" type="submit">
                    {Icon::Send.view()}
                    "Comment"
                </button>
            </footer>
        </form>
    }
    .into_any()
}
