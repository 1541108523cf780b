//! Data that is kept up to date: fetched when its address changes, when a live event concerns it, on a slow pulse, and
//! when the page becomes visible again. Never twice at a time, never while the page is hidden.

use super::{ApiError, Received, client::parse, operation::Content};
use crate::{
    live::Topic,
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::route::{Request, RequestLine, operation::NoBody};
use serde::de::DeserializeOwned;

/// When to fetch again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// When an event of this kind came (and on the fallback pulse while there are no events).
    On(Topic),
    /// Every ten seconds.
    Pulse,
}

/// State of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nothing yet.
    Loading,
    /// No data, and the error.
    Failed(ApiError),
    /// Data, at most some seconds old.
    Ready,
}

/// The answer to one request, kept up to date.
pub struct Query<T: Send + Sync + 'static> {
    /// The newest answer.
    pub data: RwSignal<Option<T>>,
    /// Total number of items, where the server sends it.
    pub total: RwSignal<Option<i64>>,
    fetcher: Fetcher,
}

impl<T: Send + Sync + 'static> Clone for Query<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: Send + Sync + 'static> Copy for Query<T> {}

/// Takes the text of an answer, or forgets what there is.
type Sink = Box<dyn Fn(Option<&str>) -> Result<(), ApiError> + Send + Sync>;

/// What is the same for every kind of answer, compiled once.
#[derive(Clone, Copy)]
struct Fetcher {
    app: App,
    sink: StoredValue<Sink>,
    total: RwSignal<Option<i64>>,
    error: RwSignal<Option<ApiError>>,
    /// Is there an answer?
    ready: RwSignal<bool>,
    again: RwSignal<u32>,
    busy: StoredValue<Option<RequestLine>>,
    /// The request for what is shown.
    shown: StoredValue<Option<RequestLine>>,
    stale: StoredValue<bool>,
}

impl Fetcher {
    fn start(
        sink: Sink,
        request: Box<dyn Fn() -> Option<RequestLine> + Send + Sync>,
        refresh: &'static [Refresh],
    ) -> Self {
        let app = app();
        let fetcher = Self {
            app,
            sink: StoredValue::new(sink),
            total: RwSignal::new(None),
            error: RwSignal::new(None),
            ready: RwSignal::new(false),
            again: RwSignal::new(0),
            busy: StoredValue::new(None),
            shown: StoredValue::new(None),
            stale: StoredValue::new(false),
        };
        Effect::new(move |previous: Option<Option<RequestLine>>| {
            let line = request();
            fetcher.again.track();
            let visible = app.visible.get() && !app.api.session.expired.get();
            app.live.fallback.track();
            for cause in refresh {
                match cause {
                    Refresh::On(topic) => app.live.topic(*topic).track(),
                    Refresh::Pulse => app.live.pulse.track(),
                }
            }
            // Another page or filter of the same list: what is shown stays until the answer comes.
            if previous.is_some_and(|previous| path(previous.as_ref()) != path(line.as_ref())) {
                fetcher.forget();
                fetcher.error.set(None);
            }
            if let Some(line) = line.clone().filter(|_| visible) {
                fetcher.fetch(line);
            }
            line
        });
        fetcher
    }

    fn fetch(self, line: RequestLine) {
        if self.busy.with_value(|busy| busy.as_ref() == Some(&line)) {
            self.stale.set_value(true);
            return;
        }
        self.busy.set_value(Some(line.clone()));
        spawn_local(async move {
            let answer = self.app.api.text(&line, Content::None).await;
            // The address has changed since, or the view is gone.
            if self.busy.try_with_value(|busy| busy.as_ref() == Some(&line)) != Some(true) {
                return;
            }
            self.busy.set_value(None);
            let taken = answer.and_then(|(text, total)| {
                self.sink.with_value(|sink| sink(Some(&text)))?;
                Ok(total)
            });
            match taken {
                Ok(total) => {
                    self.shown.set_value(Some(line));
                    if !self.ready.get_untracked() {
                        self.ready.set(true);
                    }
                    if self.total.get_untracked() != total {
                        self.total.set(total);
                    }
                    if self.error.with_untracked(Option::is_some) {
                        self.error.set(None);
                    }
                }
                Err(error) => {
                    if self.shown.with_value(|shown| shown.as_ref().is_some_and(|shown| *shown != line)) {
                        self.forget();
                    }
                    self.error.set(Some(error));
                }
            }
            if self.stale.get_value() {
                self.stale.set_value(false);
                self.refetch();
            }
        });
    }

    fn forget(self) {
        let _ = self.sink.with_value(|sink| sink(None));
        self.shown.set_value(None);
        self.ready.set(false);
        self.total.set(None);
    }

    fn refetch(self) {
        self.again.update(|n| *n = n.wrapping_add(1));
    }

    fn phase(self) -> Signal<Phase> {
        Memo::new(move |_| {
            if self.ready.get() {
                Phase::Ready
            } else {
                self.error.get().map_or(Phase::Loading, Phase::Failed)
            }
        })
        .into()
    }
}

fn path(line: Option<&RequestLine>) -> Option<&str> {
    line.map(RequestLine::path)
}

impl<T: DeserializeOwned + PartialEq + Send + Sync + 'static> Query<T> {
    /// Keeps the answer to `request()` up to date; nothing is fetched while that is `None`.
    #[must_use]
    pub fn new<Q, A: Received<Value = T>>(
        request: impl Fn() -> Option<Request<Q, NoBody, A>> + Send + Sync + 'static,
        refresh: &'static [Refresh],
    ) -> Self {
        let data = RwSignal::new(None::<T>);
        let sink: Sink = Box::new(move |text| {
            let body = text.map(parse::<T>).transpose()?;
            if data.with_untracked(|old| *old != body) {
                data.set(body);
            }
            Ok(())
        });
        let line = move || request().map(|request| request.line().clone());
        let fetcher = Fetcher::start(sink, Box::new(line), refresh);
        Self { data, total: fetcher.total, fetcher }
    }

    /// Fetches again, now.
    pub fn refetch(self) {
        self.fetcher.refetch();
    }

    /// State of a query.
    #[must_use]
    pub fn phase(self) -> Signal<Phase> {
        self.fetcher.phase()
    }

    /// A callback that fetches again.
    #[must_use]
    pub fn retry(self) -> Callback<()> {
        let fetcher = self.fetcher;
        Callback::new(move |()| fetcher.refetch())
    }

    /// Changes the data here before the server has answered.
    pub fn amend(self, change: impl FnOnce(&mut T)) {
        self.data.update(|data| {
            if let Some(data) = data {
                change(data);
            }
        });
    }
}

impl<T: Clone + DeserializeOwned + PartialEq + Send + Sync + 'static> Query<Vec<T>> {
    /// Total number of items as the server counts, at least the number of loaded items.
    #[must_use]
    pub fn count(self) -> usize {
        let here = self.data.with(|data| data.as_ref().map_or(0, Vec::len));
        self.total.get().and_then(|total| usize::try_from(total).ok()).unwrap_or(here).max(here)
    }

    /// The items; none while there is no answer.
    #[must_use]
    pub fn items(self) -> Vec<T> {
        self.data.get().unwrap_or_default()
    }
}
