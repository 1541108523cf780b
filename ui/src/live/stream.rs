//! The connection itself: `EventSource`, watched for silence, made again with growing delays.

use super::{Connection, Live};
use crate::{
    api::{Api, ApiError},
    browser::now_ms,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::route::{op, request};
use pm_ui_core::backoff;
use std::time::Duration;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// The server sends a heartbeat at least every 30 s; after this silence the connection counts as lost.
const SILENCE_MS: f64 = 45_000.0;

/// Keeps the stream open while a user is signed in and the page is visible.
pub fn run(live: Live, api: Api, visible: RwSignal<bool>) {
    let attempt = StoredValue::new(0_u32);
    let last_event_ms = StoredValue::new(0.0_f64);
    Effect::new(move |previous: Option<Option<StoredValue<Option<Source>, LocalStorage>>>| {
        live.retry.track();
        if let Some(open) = previous.flatten() {
            open.set_value(None);
        }
        if !(visible.get() && api.session.signed_in.get()) {
            live.connection.set(Connection::Idle);
            attempt.set_value(0);
            return None;
        }
        if !matches!(live.connection.get_untracked(), Connection::Waiting(_)) {
            live.connection.set(Connection::Connecting);
        }
        last_event_ms.set_value(now_ms());
        let slot = StoredValue::new_local(None);
        spawn_local(async move {
            // Proxies write addresses to their logs: the address holds a ticket that is valid for a minute, not the token.
            let ticket = match api.call(request(op::StreamTicket, [])).await {
                Ok(answer) => answer.ticket,
                Err(ApiError::SignedOut) => return,
                Err(_) => return wait(live, attempt),
            };
            let opened = Source::open(
                &ticket,
                move || {
                    last_event_ms.set_value(now_ms());
                    live.connection.set(Connection::Live);
                    if attempt.get_value() > 0 {
                        live.touch_all();
                    }
                    attempt.set_value(0);
                },
                move |text| {
                    last_event_ms.set_value(now_ms());
                    if let Ok(event) = serde_json::from_str(&text) {
                        live.receive(event);
                    }
                },
                move || wait(live, attempt),
            );
            match opened {
                Some(source) => {
                    slot.try_set_value(Some(source));
                }
                None => wait(live, attempt),
            }
        });
        Some(slot)
    });
    set_interval(
        move || {
            let silent = now_ms() - last_event_ms.get_value() > SILENCE_MS;
            if silent && live.connection.get_untracked() == Connection::Live {
                attempt.set_value(1);
                live.connection.set(Connection::Waiting(now_ms()));
                live.retry_now();
            }
        },
        Duration::from_secs(5),
    );
}

fn wait(live: Live, attempt: StoredValue<u32>) {
    let delay = backoff::delay_ms(attempt.get_value(), js_sys::Math::random());
    attempt.update_value(|n| *n = n.saturating_add(1));
    let due = now_ms() + delay;
    live.connection.set(Connection::Waiting(due));
    set_timeout(
        move || {
            if live.connection.get_untracked() == Connection::Waiting(due) {
                live.retry_now();
            }
        },
        Duration::from_millis(delay as u64),
    );
}

/// An open stream; closed when it is dropped.
struct Source {
    inner: EventSource,
    _on_open: Closure<dyn FnMut()>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut()>,
}

impl Source {
    fn open(
        ticket: &str,
        on_open: impl FnMut() + 'static,
        mut on_message: impl FnMut(String) + 'static,
        mut on_error: impl FnMut() + 'static,
    ) -> Option<Self> {
        let stream = request(op::EventStream, []).with_ticket(ticket);
        let inner = EventSource::new(&stream.line().address).ok()?;
        let on_open = Closure::<dyn FnMut()>::new(on_open);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                on_message(text);
            }
        });
        // The browser would try again by itself, with the same ticket and without growing delays.
        let failed = inner.clone();
        let mut once = Some(());
        let on_error = Closure::<dyn FnMut()>::new(move || {
            failed.close();
            if once.take().is_some() {
                on_error();
            }
        });
        inner.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        inner.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        inner.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Some(Self { inner, _on_open: on_open, _on_message: on_message, _on_error: on_error })
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onerror(None);
        self.inner.close();
    }
}
