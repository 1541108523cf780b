//! What a person sees while the stack starts: one line per part, rewritten in place on a terminal.

use std::io::{IsTerminal, Write, stdout};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Without a terminal only steps that take this long are told before they end.
const QUIET: Duration = Duration::from_secs(5);

/// Prints progress to standard output.
pub struct Progress {
    terminal: bool,
    told: Mutex<(Instant, String)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { terminal: stdout().is_terminal(), told: Mutex::new((Instant::now(), String::new())) }
    }
}

impl Progress {
    /// What `part` is doing now; replaced by what follows.
    pub fn now(&self, part: &str, text: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if self.terminal {
            let text: String = text.chars().take(90).collect();
            print!("\r\x1b[2K  {part:<10} {text} …");
        } else if told.1 != text && told.0.elapsed() > QUIET {
            println!("  {part:<10} {text} …");
            *told = (Instant::now(), text.to_owned());
        }
        let _ = stdout().flush();
    }

    /// What came of it.
    pub fn done(&self, part: &str, text: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        println!("{clear}  {part:<10} {text}");
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), String::new());
    }
}
