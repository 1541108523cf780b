//! Fields and buttons of forms.

use super::{confirm::OpenState, icon::Icon};
use crate::{shell::Machines, state::app};
use leptos::prelude::*;
use pm_api::Role;
use pm_ui_core::text::title;

/// A labelled input.
pub fn text_field(
    label: &'static str,
    kind: &'static str,
    required: bool,
    value: RwSignal<String>,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" type=kind required=required autocomplete="off" bind:value=value />
        </label>
    }
}

/// A labelled password that can be shown; `purpose` is the word by which browsers fill it in.
pub fn password_field(label: &'static str, purpose: &'static str, value: RwSignal<String>) -> AnyView {
    let shown = RwSignal::new(false);
    view! {
        <label class="field">
            <span>{label}</span>
            <div class="joined">
                <input
                    class="input"
                    type=move || if shown.get() { "text" } else { "password" }
                    name="password"
                    autocomplete=purpose
                    required
                    bind:value=value
                />
                <button
                    class="quiet small"
                    type="button"
                    aria-pressed=move || shown.get().to_string()
                    on:click=move |_| shown.update(|shown| *shown = !*shown)
                >
                    {move || if shown.get() { "Hide" } else { "Show" }}
                </button>
            </div>
        </label>
    }
    .into_any()
}

/// A labelled choice of words.
pub fn choice(
    label: &'static str,
    words: &'static [&'static str],
    value: impl Fn() -> &'static str + Copy + Send + 'static,
    set: impl Fn(String) + 'static,
) -> AnyView {
    view! {
        <label class="field">
            <span>{label}</span>
            <select class="input" on:change=move |event| set(event_target_value(&event))>
                {words
                    .iter()
                    .map(|word| view! { <option value=*word prop:selected=move || value() == *word>{title(word)}</option> })
                    .collect_view()}
            </select>
        </label>
    }
    .into_any()
}

/// A button of a group in which one is pressed.
pub fn segment(
    label: impl Into<String>,
    pressed: impl Fn() -> bool + Send + 'static,
    press: impl Fn() + 'static,
) -> AnyView {
    let label: String = label.into();
    view! {
        <button aria-pressed=move || pressed().to_string() on:click=move |_| press()>
            {label}
        </button>
    }
    .into_any()
}

/// A choice among the machines; `none` stands for no machine.
pub fn machine_choice(none: &'static str, required: bool, value: RwSignal<String>) -> AnyView {
    let machines = expect_context::<Machines>();
    let option = move |id: String, name: String| {
        let own = id.clone();
        view! {
            <option value=id selected=move || value.with(|v| *v == own)>
                {name}
            </option>
        }
    };
    view! {
        <label class="field">
            <span>"Machine"</span>
            <select class="input" required=required on:change=move |event| value.set(event_target_value(&event))>
                <option value="">{none}</option>
                {move || {
                    machines.query.items().into_iter().map(|m| option(m.id.to_string(), m.name)).collect_view()
                }}
            </select>
        </label>
    }
    .into_any()
}

/// A labelled date and time, which the browser reads in its own zone.
pub fn moment_field(label: &'static str, value: RwSignal<String>) -> AnyView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input class="input" type="datetime-local" required bind:value=value />
        </label>
    }
    .into_any()
}

/// A labelled box to tick.
pub fn check(label: &'static str, value: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || value.get()
                on:change=move |event| value.set(event_target_checked(&event))
            />
            <span>{label}</span>
        </label>
    }
}

/// The error that the server, or the form itself, found.
pub fn problem(text: RwSignal<Option<String>>) -> impl IntoView {
    view! {
        <div role="alert">
            {move || text.get().map(|text| view! { <p class="form-problem">{Icon::Warning.view()} {text}</p> })}
        </div>
    }
}

/// Takes the answer to what a form sent: `done`, or the problem is shown, if the form is still there.
pub fn answered<T, E: std::fmt::Display>(
    answer: Result<T, E>,
    problem: RwSignal<Option<String>>,
    done: impl FnOnce(),
) {
    match answer {
        Ok(_) => done(),
        Err(error) => {
            problem.try_set(Some(error.to_string()));
        }
    }
}

/// Cancel and save; `aside` stands on the other side.
pub fn foot(open: impl Into<OpenState>, save: &'static str, aside: Option<AnyView>) -> AnyView {
    let open = open.into();
    view! {
        <footer class="form-foot">
            {aside}
            <button class="button" type="button" on:click=move |_| open.close()>
                "Cancel"
            </button>
            <button class="button primary" type="submit">
                {save}
            </button>
        </footer>
    }
    .into_any()
}

/// Content for users with the role `least` or a higher one.
#[component]
pub fn Only(
    /// The least role.
    least: Role,
    /// The content.
    children: ChildrenFn,
) -> impl IntoView {
    let session = app().api.session;
    move || session.may(least).then(|| children())
}

/// A button that opens something, for users with the role `least` or a higher one.
pub fn opener(
    label: &'static str,
    icon: Icon,
    least: Role,
    open: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    view! {
        <Only least>
            <button class="button" on:click=move |_| open()>
                {icon.view()}
                {label}
            </button>
        </Only>
    }
    .into_any()
}

/// A button that asks for confirmation before it acts.
pub fn sure_button(label: &'static str, sure_label: &'static str, act: impl Fn() + 'static) -> AnyView {
    let sure = RwSignal::new(false);
    view! {
        <button
            class="button sure"
            class:danger=move || sure.get()
            type="button"
            on:click=move |_| {
                let decided = sure.get_untracked();
                sure.set(!decided);
                if decided {
                    act();
                }
            }
            on:blur=move |_| sure.set(false)
        >
            {move || if sure.get() { sure_label } else { label }}
        </button>
    }
    .into_any()
}
