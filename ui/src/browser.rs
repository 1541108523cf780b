//! Functions of the browser: clock, storage, media queries, downloads.

use futures::channel::oneshot;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// Now, milliseconds since 1970 UTC.
#[must_use]
pub fn now_ms() -> f64 {
    js_sys::Date::now()
}

/// Local time minus UTC, minutes.
#[must_use]
pub fn offset_min() -> i64 {
    -js_sys::Date::new_0().get_timezone_offset() as i64
}

/// Name of the browser's time zone, e.g. Europe/Berlin.
#[must_use]
pub fn time_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    js_sys::Reflect::get(&format.resolved_options(), &"timeZone".into()).ok()?.as_string()
}

/// Is the page hidden (another tab, a locked screen)?
#[must_use]
pub fn hidden() -> bool {
    leptos::prelude::document().hidden()
}

/// A value from the browser's local storage.
#[must_use]
pub fn stored(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

/// Writes a value to the browser's local storage; `None` removes it. Without storage nothing happens.
pub fn store(key: &str, value: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// A value that this tab keeps, also while it shows another address.
#[must_use]
pub fn kept_in_tab(key: &str) -> Option<String> {
    window().session_storage().ok()??.get_item(key).ok()?
}

/// Keeps a value in this tab; `None` removes it. Without storage nothing happens.
pub fn keep_in_tab(key: &str, value: Option<&str>) {
    if let Ok(Some(storage)) = window().session_storage() {
        let _ = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
    }
}

/// Does the system prefer dark colours?
#[must_use]
pub fn prefers_dark() -> bool {
    let query = window().match_media("(prefers-color-scheme: dark)");
    query.ok().flatten().is_some_and(|found| found.matches())
}

/// Percent-encodes a query value.
#[must_use]
pub fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// A value in the fragment of the page's address (`#key=value`), which browsers send to no server.
#[must_use]
pub fn fragment_value(key: &str) -> Option<String> {
    let fragment = window().location().hash().ok()?;
    let values = web_sys::UrlSearchParams::new_with_str(fragment.trim_start_matches('#')).ok()?;
    values.get(key).filter(|value| !value.is_empty())
}

/// Saves the file at `address` as `name`.
pub fn save(address: &str, name: &str) {
    let link = leptos::prelude::document().create_element("a");
    if let Some(link) = link.ok().and_then(|link| link.dyn_into::<web_sys::HtmlElement>().ok()) {
        let _ = link.set_attribute("href", address);
        let _ = link.set_attribute("download", name);
        link.click();
    }
}

/// Releases a file that the browser holds in memory.
pub fn release(address: &str) {
    let _ = web_sys::Url::revoke_object_url(address);
}

/// Does this browser show PDF documents inside a page? Those on phones mostly do not.
#[must_use]
pub fn shows_pdf() -> bool {
    js_sys::Reflect::get(&window().navigator(), &"pdfViewerEnabled".into())
        .is_ok_and(|shows| shows.is_truthy())
}

/// Does some work while no other page of this browser does work of this name. Where the browser has no locks (they need
/// HTTPS or this machine), it is done at once.
pub async fn exclusively<T: 'static>(name: &str, work: impl Future<Output = T> + 'static) -> T {
    let Some((locks, request)) = locks() else { return work.await };
    let (done, result) = oneshot::channel();
    let callback = Closure::once_into_js(move |_lock: JsValue| {
        future_to_promise(async move {
            let _ = done.send(work.await);
            Ok(JsValue::UNDEFINED)
        })
    });
    if let Ok(promise) = request.call2(&locks, &name.into(), &callback)
        && let Ok(promise) = promise.dyn_into::<js_sys::Promise>()
    {
        let _ = JsFuture::from(promise).await;
    }
    match result.await {
        Ok(result) => result,
        // the browser has dropped the work with the page
        Err(_) => std::future::pending().await,
    }
}

fn locks() -> Option<(JsValue, js_sys::Function)> {
    let locks = js_sys::Reflect::get(&window().navigator(), &"locks".into()).ok()?;
    let request = js_sys::Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    Some((locks, request))
}
