//! Comma-separated values (RFC 4180) that a spreadsheet may open without running what a sensor was named.

use std::fmt::{Display, Write};

/// Ends of lines, as RFC 4180 has them.
const END: &str = "\r\n";

/// Lines of a CSV text under writing.
#[derive(Debug, Default)]
pub struct Csv {
    text: String,
    begun: bool,
}

impl Csv {
    /// A line of headings.
    pub fn headings(&mut self, names: &[&str]) -> &mut Self {
        names.iter().fold(self, |csv, name| csv.text(name)).end()
    }

    /// A text. Quoted where it must be; one that a spreadsheet would take for a formula begins with an apostrophe (OWASP,
    /// «CSV injection»).
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.separate();
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
        if formula || text.contains([',', '"', '\r', '\n']) {
            self.text.push('"');
            if formula {
                self.text.push('\'');
            }
            self.text.push_str(&text.replace('"', "\"\""));
            self.text.push('"');
        } else {
            self.text.push_str(text);
        }
        self
    }

    /// A number, a time, an id: something of ours that needs no quoting.
    pub fn plain(&mut self, value: impl Display) -> &mut Self {
        self.separate();
        let _ = write!(self.text, "{value}");
        self
    }

    /// The end of the line.
    pub fn end(&mut self) -> &mut Self {
        self.text.push_str(END);
        self.begun = false;
        self
    }

    /// What was written since the last call.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn separate(&mut self) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_disarmed() {
        for (cell, written) in [
            ("temp", "temp"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("@sum", "\"'@sum\""),
            ("-temp", "\"'-temp\""),
            ("+49", "\"'+49\""),
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
