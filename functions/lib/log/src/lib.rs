//! The log of native programs: one JSON object a line on standard error, with the keys that `pm-web` writes for
//! components (`time`, `level`, `event`, `component`, `message`); on a terminal, text for people.
//!
//! Invariants: a line is one write and ends with a line break; a line that a component wrote as JSON leaves the host as it
//! is.

use std::io::IsTerminal;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The target of lines that a component wrote.
pub const COMPONENT: &str = "component";

/// Writes the log of this program at `RUST_LOG`, else at `levels`, such as `info,rumqttd=warn`. Only the first call counts.
pub fn start(program: &'static str, levels: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(levels));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // a second call changes nothing
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.event_format(Json { program }).try_init()
    };
}

/// What a line of a log says: the message of a JSON line, any other line as it is.
#[must_use]
pub fn message(line: &str) -> String {
    let object: Option<Map<String, Value>> = serde_json::from_str(line).ok();
    match object.as_ref().and_then(|object| object.get("message")?.as_str()) {
        Some(message) => message.to_owned(),
        None => line.to_owned(),
    }
}

/// One JSON object a line.
#[derive(Debug, Clone, Copy)]
pub struct Json {
    /// What a line names as its `component`, unless the event names one.
    pub program: &'static str,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'w> FormatFields<'w> + 'static> FormatEvent<S, N>
    for Json
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields(mut object) = fields;
        if event.metadata().target() == COMPONENT
            && let Some(Value::String(line)) = object.get("message")
            && serde_json::from_str::<Map<String, Value>>(line).is_ok()
        {
            return writeln!(writer, "{line}");
        }
        let level = match *event.metadata().level() {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let time = OffsetDateTime::now_utc().format(&Rfc3339).map_err(|_| std::fmt::Error)?;
        object.insert("time".to_owned(), time.into());
        object.insert("level".to_owned(), level.into());
        object.insert("event".to_owned(), "message".into());
        object.entry("component").or_insert_with(|| self.program.into());
        writeln!(writer, "{}", Value::Object(object))
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, PoisonError};
    use tracing_subscriber::fmt::MakeWriter;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn lines(log: impl FnOnce()) -> Vec<String> {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(written.clone())
            .event_format(Json { program: "p" })
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = written.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    #[test]
    fn every_line_is_one_object_with_its_fields() {
        let lines = lines(|| {
            tracing::warn!(lane = 3, topic = %"a/b", "two\nlines of \"text\"");
            tracing::info!(component = "score", "begun");
        });
        let objects: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        assert_eq!((lines.len(), objects.len()), (2, 2), "{lines:?}");
        for (key, expected) in [
            ("level", Value::from("warning")),
            ("event", "message".into()),
            ("component", "p".into()),
            ("message", "two\nlines of \"text\"".into()),
            ("lane", 3.into()),
            ("topic", "a/b".into()),
        ] {
            assert_eq!(objects[0][key], expected, "{key}");
        }
        assert_eq!((&objects[1]["component"], &objects[1]["level"]), (&"score".into(), &"info".into()));
    }

    #[test]
    fn a_json_line_of_a_component_stays_as_it_is_and_another_one_is_wrapped() {
        let own = r#"{"time":"2026-01-01T00:00:00Z","event":"request"}"#;
        let lines = lines(|| {
            tracing::info!(target: COMPONENT, component = "auth", stream = "stderr", "{own}");
            tracing::info!(target: COMPONENT, component = "auth", stream = "stderr", "thread panicked");
        });
        assert_eq!(lines[0], own);
        assert_eq!(message(&lines[1]), "thread panicked");
        assert!(
            lines[1].contains(r#""component":"auth""#) && lines[1].contains(r#""stream":"stderr""#),
            "{lines:?}"
        );
    }

    #[test]
    fn a_line_that_is_no_json_is_its_own_message() {
        assert_eq!(message("FATAL: no disk"), "FATAL: no disk");
    }
}
