//! The address bar: which page it names, and how links change it without loading the page again.

use leptos::{ev, prelude::*};
use pm_ui_core::route::{BASE, Route};
use wasm_bindgen::{JsCast, JsValue};

/// Where the browser is.
#[derive(Clone, Copy)]
pub struct Nav {
    path: RwSignal<String>,
    query: RwSignal<String>,
    /// The page of the current address.
    pub route: Memo<Route>,
}

impl Nav {
    /// Reads the address and follows it from now on.
    #[must_use]
    pub fn start() -> Self {
        let path = RwSignal::new(String::new());
        let query = RwSignal::new(String::new());
        let route = Memo::new(move |_| path.with(|path| Route::parse(path)));
        let nav = Self { path, query, route };
        nav.read();
        window_event_listener(ev::popstate, move |_| nav.read());
        window_event_listener(ev::click, move |event| nav.follow(&event));
        nav
    }

    fn read(self) {
        let location = window().location();
        let (path, query) = (location.pathname().unwrap_or_default(), location.search().unwrap_or_default());
        if self.path.get_untracked() != path {
            self.path.set(path);
        }
        if self.query.get_untracked() != query {
            self.query.set(query);
        }
    }

    /// Goes to `address`, with an entry in the browser's history.
    pub fn go(self, address: &str) {
        let before = self.route.get_untracked();
        self.change(address, false);
        let now = self.route.get_untracked();
        // A drawer that opens or closes does not scroll its list.
        if now == before || now.page() != before.page() {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }

    /// Goes to `address` in place of the present one.
    pub fn replace(self, address: &str) {
        self.change(address, true);
    }

    fn change(self, address: &str, replace: bool) {
        if let Ok(history) = window().history() {
            let _ = if replace {
                history.replace_state_with_url(&JsValue::NULL, "", Some(address))
            } else {
                history.push_state_with_url(&JsValue::NULL, "", Some(address))
            };
        }
        self.read();
    }

    /// The address of `route`. The present list and its drawers keep the query, so that the list stays as it is. Reactive.
    #[must_use]
    pub fn to(self, route: Route) -> String {
        let same = self.route.with(|now| now.page() == route.page());
        self.query.with(|query| if same { format!("{route}{query}") } else { route.to_string() })
    }

    /// The present address below the host, with its query.
    #[must_use]
    pub fn address(self) -> String {
        format!("{}{}", self.path.get_untracked(), self.query.get_untracked())
    }

    /// The query value named `key`, if it is there and not empty.
    #[must_use]
    pub fn param(self, key: &str) -> Option<String> {
        self.query.with(|query| params(query)?.get(key)).filter(|value| !value.is_empty())
    }

    /// Sets or clears a query value without a new history entry.
    pub fn set_param(self, key: &str, value: Option<&str>) {
        let Some(all) = params(&self.query.get_untracked()) else { return };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => all.set(key, value),
            None => all.delete(key),
        }
        let query: String = all.to_string().into();
        let path = self.path.get_untracked();
        self.replace(&if query.is_empty() { path } else { format!("{path}?{query}") });
    }

    /// Follows a plain click on one of our own links.
    fn follow(self, event: &web_sys::MouseEvent) {
        let plain = event.button() == 0
            && !event.default_prevented()
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        if !plain {
            return;
        }
        let link = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok())
            .and_then(|element| element.closest("a[href]").ok().flatten());
        let Some(link) = link else { return };
        let Some(href) = link.get_attribute("href") else { return };
        if href.starts_with(BASE) && !link.has_attribute("target") && !link.has_attribute("download") {
            event.prevent_default();
            self.go(&href);
        }
    }
}

fn params(query: &str) -> Option<web_sys::UrlSearchParams> {
    web_sys::UrlSearchParams::new_with_str(query).ok()
}
