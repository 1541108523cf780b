//! Comma-separated values (RFC 4180) that a spreadsheet may open without running what a sensor was named.

use csv::{Terminator, Writer, WriterBuilder};
use std::fmt::{Display, Write};

/// What a spreadsheet takes for the begin of a formula (OWASP, «CSV injection»).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Lines of a CSV text under writing. Writing to memory does not fail, so errors of the writer are left out.
pub struct Csv {
    lines: Writer<Vec<u8>>,
    cell: String,
}

impl Default for Csv {
    fn default() -> Self {
        Self { lines: lines(), cell: String::new() }
    }
}

fn lines() -> Writer<Vec<u8>> {
    // no error may depend on the number of cells, since errors are left out
    WriterBuilder::new().terminator(Terminator::CRLF).flexible(true).from_writer(Vec::new())
}

impl Csv {
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

    /// A number, a time, an id: something that no sender chooses.
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
        let written = std::mem::replace(&mut self.lines, lines()).into_inner();
        String::from_utf8(written.unwrap_or_default()).unwrap_or_default()
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
}
