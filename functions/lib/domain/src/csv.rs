//! Comma-separated values (RFC 4180) that a spreadsheet may open without running what a sensor was named.

use crate::zone::Zone;
use csv::{Terminator, Writer, WriterBuilder};
use pm_api::Timestamp;
use std::fmt::{Display, Write};

/// What a spreadsheet takes for the begin of a formula (OWASP, «CSV injection»).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// How a reader wants it: a spreadsheet in German takes `;` and a decimal comma, for example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Between cells.
    pub delimiter: u8,
    /// Between the whole part of a number and its fraction: `.` or `,`.
    pub decimal: char,
    /// Begin with a byte order mark, by which spreadsheets recognise UTF-8?
    pub bom: bool,
    /// Times are shown in this zone; without one in UTC.
    pub zone: Option<Zone>,
}

impl Default for Style {
    fn default() -> Self {
        Self { delimiter: b',', decimal: '.', bom: false, zone: None }
    }
}

/// Lines of a CSV text under writing. Writing to memory does not fail, so errors of the writer are left out.
pub struct Csv {
    style: Style,
    lines: Writer<Vec<u8>>,
    cell: String,
    begun: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Self::new(Style::default())
    }
}

fn lines(delimiter: u8) -> Writer<Vec<u8>> {
    // no error may depend on the number of cells, since errors are left out
    WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(Terminator::CRLF)
        .flexible(true)
        .from_writer(Vec::new())
}

impl Csv {
    /// An empty text of a style.
    #[must_use]
    pub fn new(style: Style) -> Self {
        Self { lines: lines(style.delimiter), style, cell: String::new(), begun: false }
    }

    /// A line of headings.
    pub fn headings(&mut self, names: &[&str]) -> &mut Self {
        names.iter().fold(self, |csv, name| csv.text(name)).end()
    }

    /// A text. One that a spreadsheet would take for a formula begins with an apostrophe.
    pub fn text(&mut self, text: &str) -> &mut Self {
        if text.starts_with(FORMULA) {
            return self.plain(format_args!("'{text}"));
        }
        let _ = self.lines.write_field(text);
        self
    }

    /// A number that may have a fraction.
    pub fn number(&mut self, value: f64) -> &mut Self {
        match self.style.decimal {
            '.' => self.plain(value),
            decimal => self.plain(value.to_string().replace('.', &decimal.to_string())),
        }
    }

    /// An instant.
    pub fn time(&mut self, at: Timestamp) -> &mut Self {
        match self.style.zone.as_ref().map(|zone| zone.local(at)) {
            Some(local) => self.plain(local),
            None => self.plain(at),
        }
    }

    /// A whole number, an id, a word: something that no sender chooses.
    pub fn plain(&mut self, value: impl Display) -> &mut Self {
        self.cell.clear();
        let _ = write!(self.cell, "{value}");
        let _ = self.lines.write_field(&self.cell);
        self
    }

    /// The end of the line.
    pub fn end(&mut self) -> &mut Self {
        let _ = self.lines.write_record(None::<&[u8]>);
        self
    }

    /// The lines that ended since the last call.
    pub fn take(&mut self) -> String {
        let written = std::mem::replace(&mut self.lines, lines(self.style.delimiter)).into_inner();
        let text = String::from_utf8(written.unwrap_or_default()).unwrap_or_default();
        let mark = self.style.bom && !self.begun && !text.is_empty();
        self.begun |= !text.is_empty();
        if mark { format!("\u{feff}{text}") } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_disarmed() {
        for (cell, written) in [
            ("temp", "temp"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("@sum", "'@sum"),
            ("-temp", "'-temp"),
            ("+49", "'+49"),
            ("=1,2", "\"'=1,2\""),
            ("°C", "°C"),
        ] {
            assert_eq!(Csv::default().text(cell).end().take(), format!("{written}\r\n"), "{cell:?}");
        }
    }

    #[test]
    fn lines_end_with_crlf() {
        let mut csv = Csv::default();
        csv.headings(&["a", "b"]).plain(-1.5).text("x").end();
        assert_eq!(csv.take(), "a,b\r\n-1.5,x\r\n");
        assert_eq!(csv.plain(2).end().take(), "2\r\n");
    }

    #[test]
    fn a_spreadsheet_in_german_can_read_it() {
        let zone = Zone::named("Europe/Berlin");
        let style = Style { delimiter: b';', decimal: ',', bom: true, zone };
        let mut csv = Csv::new(style.clone());
        csv.headings(&["Zeit", "a;b"]).time(Timestamp(1_782_900_000_000_000)).number(-1.25).end();
        assert_eq!(csv.take(), "\u{feff}Zeit;\"a;b\"\r\n2026-07-01T12:00:00.000000+02:00;-1,25\r\n");
        assert_eq!(csv.number(2.0).number(0.5).end().take(), "2;0,5\r\n");
        // a decimal comma between commas
        let mut csv = Csv::new(Style { delimiter: b',', bom: false, ..style });
        assert_eq!(csv.number(0.5).number(1.0).end().take(), "\"0,5\",1\r\n");
    }
}
