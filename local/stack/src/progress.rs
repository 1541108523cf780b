//! What a person sees while the stack starts: one line per service, rewritten in place on a terminal.

use std::io::{IsTerminal, Write, stdout};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Without a terminal only steps that take this long are shown before they end.
const QUIET: Duration = Duration::from_secs(5);

/// Prints progress to standard output.
pub struct Progress {
    terminal: bool,
    shown: Mutex<(Instant, String)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { terminal: stdout().is_terminal(), shown: Mutex::new((Instant::now(), String::new())) }
    }
}

impl Progress {
    /// What `service` is doing now; replaced by what follows.
    pub fn now(&self, service: &str, text: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal {
            let text: String = text.chars().take(90).collect();
            print!("\r\x1b[2K  {service:<10} {text} …");
        } else if shown.1 != text && shown.0.elapsed() > QUIET {
            println!("  {service:<10} {text} …");
            *shown = (Instant::now(), text.to_owned());
        }
        let _ = stdout().flush();
    }

    /// What came of it.
    pub fn done(&self, service: &str, text: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        println!("{clear}  {service:<10} {text}");
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), String::new());
    }
}
