//! Prometheus' text exposition format, version 0.0.4.

use std::fmt::Write;

/// A text under construction. Names, help texts and labels are ours: nothing in them needs escaping.
#[derive(Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    pub(crate) fn counter(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// One gauge with a value per label.
    pub(crate) fn gauges<'f>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'f str, f64)>,
    ) {
        self.head(name, help, "gauge");
        for (kind, value) in values {
            self.line(format_args!("{name}{{{label}=\"{kind}\"}} {value}"));
        }
    }

    pub(crate) fn text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // writing to a text cannot fail
        let _ = writeln!(self.0, "{line}");
    }
}
