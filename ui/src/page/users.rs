//! Accounts and what they may do. Administrators only.

use crate::{
    api::{Query, Refresh},
    components::{
        confirm::{Dialog, OpenState},
        form::{self, choice, text_field},
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        time::Ago,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role,
    route::{op, request},
    user::{NewUser, User, UserChange, UserFilter},
};
use pm_ui_core::{
    change::{changes, given},
    text::title,
};

const ROWS_PER_PAGE: usize = 50;

/// What the dialog shows.
#[derive(Clone)]
enum Editing {
    New,
    Known(Box<User>),
}

/// The page.
#[component]
pub fn Users() -> impl IntoView {
    let app = app();
    let users = Query::new(
        move || {
            let filter = UserFilter { q: pager::words(), ..UserFilter::default() };
            Some(pager::paged(request(op::ListUsers, []).query(&filter), ROWS_PER_PAGE))
        },
        &[Refresh::Pulse],
    );
    let editing = RwSignal::new(None::<Editing>);
    let open = OpenState::from(editing);
    view! {
        <header class="page-head">
            <h1>"Users"</h1>
            <div class="filters">
                <input
                    class="input small"
                    type="search"
                    placeholder="Name or mail address"
                    aria-label="Name or mail address"
                    prop:value=move || app.nav.param("q").unwrap_or_default()
                    on:change=move |event| pager::filter("q", &event_target_value(&event))
                />
                <button class="button" on:click=move |_| editing.set(Some(Editing::New))>
                    {Icon::Plus.view()}
                    "Add user"
                </button>
            </div>
        </header>
        <section class="panel flush">
            <Loaded phase=users.phase() retry=users.retry() lines=8>
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th>"User"</th>
                                <th>"Role"</th>
                                <th class="wide">"State"</th>
                                <th class="wide when">"Last sign-in"</th>
                                <th></th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=move || users.items()
                                key=|user| (user.id, user.updated_at, user.last_login)
                                children=move |user| row(user, editing)
                            />
                        </tbody>
                    </table>
                </div>
                {move || {
                    users
                        .items()
                        .is_empty()
                        .then(|| view! { <Empty icon=Icon::User title="No users found">"No account matches the search."</Empty> })
                }}
                <Pager
                    total=Signal::derive(move || users.total.get().unwrap_or_default().unsigned_abs() as usize)
                    size=ROWS_PER_PAGE
                />
            </Loaded>
        </section>
        <Dialog open title="User">
            {move || match editing.get() {
                None => ().into_any(),
                Some(Editing::New) => view! { <AddForm open users /> }.into_any(),
                Some(Editing::Known(user)) => view! { <ChangeForm user=*user open users /> }.into_any(),
            }}
        </Dialog>
    }
    .into_any()
}

fn row(user: User, editing: RwSignal<Option<Editing>>) -> AnyView {
    let name = user.full_name.clone().unwrap_or_else(|| user.email.clone());
    let email = (name != user.email).then(|| user.email.clone());
    let label = format!("Change {name}");
    let also = user.custom_roles.join(", ");
    let known = StoredValue::new(user.clone());
    view! {
        <tr data-row tabindex="-1">
            <td class="main-cell">
                <strong>{name}</strong> " "
                <small class="muted">{email}</small>
            </td>
            <td>{title(user.role.as_str())} " " <small class="muted">{also}</small></td>
            <td class="wide">
                {if user.is_active {
                    view! { <span class="muted">"Active"</span> }.into_any()
                } else {
                    view! { <span class="badge off">"Deactivated"</span> }.into_any()
                }}
            </td>
            <td class="wide when muted">
                {user.last_login.map_or_else(|| "never".into_any(), |at| view! { <Ago at /> }.into_any())}
            </td>
            <td class="num">
                <button
                    class="button small"
                    aria-label=label
                    on:click=move |_| editing.set(Some(Editing::Known(Box::new(known.get_value()))))
                >
                    "Change"
                </button>
            </td>
        </tr>
    }
    .into_any()
}

fn role_choice(role: RwSignal<Role>) -> AnyView {
    choice(
        "Role",
        Role::WORDS,
        move || role.get().as_str(),
        move |word| {
            if let Ok(word) = word.parse() {
                role.set(word);
            }
        },
    )
}

#[component]
fn AddForm(open: OpenState, users: Query<Vec<User>>) -> impl IntoView {
    let app = app();
    let (email, name, password) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let role = RwSignal::new(Role::Viewer);
    let service = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = NewUser {
            email: email.get_untracked().trim().to_owned().into(),
            password: given(&password.get_untracked()).map(Into::into),
            is_service: Some(pm_api::input::Flag(service.get_untracked())),
            full_name: given(&name.get_untracked()).map(Into::into),
            role: Some(role.get_untracked()),
        };
        spawn_local(async move {
            match app.api.send(request(op::CreateUser, []), &body).await {
                Ok(user) => {
                    app.toasts.done(if body.password.is_some() || user.is_service {
                        format!("{} was added.", user.email)
                    } else {
                        format!("{} gets a mail with a link to choose a password.", user.email)
                    });
                    users.refetch();
                    open.close();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {text_field("Mail address", "email", true, email)} {text_field("Name", "text", false, name)}
            {role_choice(role)} {form::check("For programs: API keys instead of a password", service)}
            {text_field("Password (empty: invite by mail)", "password", false, password)} {form::problem(problem)}
            {form::foot(open, "Add", None)}
        </form>
    }
    .into_any()
}

#[component]
fn ChangeForm(user: User, open: OpenState, users: Query<Vec<User>>) -> impl IntoView {
    let app = app();
    let name = RwSignal::new(user.full_name.clone().unwrap_or_default());
    let password = RwSignal::new(String::new());
    let role = RwSignal::new(user.role);
    let active = RwSignal::new(user.is_active);
    let problem = RwSignal::new(None::<String>);
    let id = user.id;
    let email = user.email.clone();
    let second_factor = user.second_factor;
    let old = StoredValue::new(user);
    let done = move |text: String| {
        app.toasts.done(text);
        users.refetch();
        open.close();
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let before = old.get_value();
        let new = User {
            full_name: given(&name.get_untracked()),
            role: role.get_untracked(),
            is_active: active.get_untracked(),
            ..before.clone()
        };
        let mut body = changes(&before, &new);
        if let Some(password) = given(&password.get_untracked()) {
            let secret = UserChange { password: Some(password.into()), ..UserChange::default() };
            body.extend(changes(&UserChange::default(), &secret));
        }
        if body.is_empty() {
            return open.close();
        }
        spawn_local(async move {
            match app.api.send_changes(request(op::UpdateUser, [&id]), &body).await {
                Ok(user) => done(format!("{} saved.", user.email)),
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let end_sessions = move || {
        spawn_local(async move {
            match app.api.call(request(op::EndUserSessions, [&id])).await {
                Ok(all) => done(format!("{} sessions ended.", all.ended)),
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove_factor = move || {
        spawn_local(async move {
            match app.api.call(request(op::RemoveUserSecondFactor, [&id])).await {
                Ok(()) => done("Second factor removed.".to_owned()),
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteUser, [&id])).await {
                Ok(()) => done("Account deleted.".to_owned()),
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <p class="muted">{email}</p>
            {text_field("Name", "text", false, name)} {role_choice(role)}
            {text_field("New password (ends its sessions)", "password", false, password)}
            {form::check("Active", active)}
            <div class="actions">
                {form::sure_button("End sessions", "End all its sessions", end_sessions)}
                {second_factor
                    .then(|| form::sure_button("Remove second factor", "Remove the second factor", remove_factor))}
            </div>
            {form::problem(problem)}
            {form::foot(open, "Save", Some(form::sure_button("Delete", "Delete the account", remove)))}
        </form>
    }
    .into_any()
}
