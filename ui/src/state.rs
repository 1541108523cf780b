//! State that the whole page shares.

use crate::{
    api::{Api, Session},
    browser,
    components::toast::Toasts,
    live::Live,
    nav::Nav,
};
use leptos::{ev, prelude::*};
use std::time::Duration;

/// Handles to the page's state; copied freely.
#[derive(Clone, Copy)]
pub struct App {
    /// Requests.
    pub api: Api,
    /// The address.
    pub nav: Nav,
    /// The event stream.
    pub live: Live,
    /// Short messages.
    pub toasts: Toasts,
    /// Is the page visible?
    pub visible: RwSignal<bool>,
    /// Now, milliseconds since 1970; updated every second while the page is visible.
    pub now: RwSignal<f64>,
    /// Light, dark, or as the system has it.
    pub theme: RwSignal<Option<Theme>>,
    /// Local time minus UTC, minutes.
    pub offset_min: i64,
}

/// A chosen theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The word in the browser's local storage and in the attribute of the page's root element.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The page's state.
#[must_use]
pub fn app() -> App {
    expect_context::<App>()
}

impl App {
    /// Makes the state and starts what keeps it current.
    #[must_use]
    pub fn start() -> Self {
        let api = Api::new(Session::restore());
        let visible = RwSignal::new(!browser::hidden());
        let live = Live::start(api, visible);
        let theme = match browser::stored("theme").as_deref() {
            Some("light") => Some(Theme::Light),
            Some("dark") => Some(Theme::Dark),
            _ => None,
        };
        let app = Self {
            api,
            nav: Nav::start(),
            live,
            toasts: Toasts::new(),
            visible,
            now: RwSignal::new(browser::now_ms()),
            theme: RwSignal::new(theme),
            offset_min: browser::offset_min(),
        };
        window_event_listener_untyped("visibilitychange", move |_| visible.set(!browser::hidden()));
        window_event_listener(ev::online, move |_| live.retry_now());
        set_interval(
            move || {
                if visible.get_untracked() {
                    app.now.set(browser::now_ms());
                }
            },
            Duration::from_secs(1),
        );
        Effect::new(move |_| {
            let chosen = app.theme.get().map(Theme::word);
            browser::store("theme", chosen);
            if let Some(root) = document().document_element() {
                let _ = match chosen {
                    Some(word) => root.set_attribute("data-theme", word),
                    None => root.remove_attribute("data-theme"),
                };
            }
        });
        provide_context(app);
        app
    }

    /// Is the page dark now? Reactive.
    #[must_use]
    pub fn dark(self) -> bool {
        self.theme.get().map_or_else(browser::prefers_dark, |theme| theme == Theme::Dark)
    }

    /// From light to dark or back.
    pub fn toggle_theme(self) {
        let dark =
            self.theme.get_untracked().map_or_else(browser::prefers_dark, |theme| theme == Theme::Dark);
        self.theme.set(Some(if dark { Theme::Light } else { Theme::Dark }));
    }
}
