//! What components print, as lines of the host's log.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// The longest line that is kept whole, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024;

/// One of a component's two output streams.
#[derive(Debug, Clone)]
pub(crate) struct ComponentOutput {
    component: Arc<str>,
    stream: &'static str,
}

impl ComponentOutput {
    /// Names the stream, `stdout` or `stderr`.
    #[must_use]
    pub(crate) fn new(component: Arc<str>, stream: &'static str) -> Self {
        Self { component, stream }
    }
}

impl IsTerminal for ComponentOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for ComponentOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Lines { output: self.clone(), pending: Vec::new() })
    }
}

/// Cuts bytes into lines; what is left without a newline is logged at the end.
struct Lines {
    output: ComponentOutput,
    pending: Vec<u8>,
}

impl Lines {
    fn log_pending(&mut self) {
        let line = std::mem::take(&mut self.pending);
        let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(&line));
        let ComponentOutput { component, stream } = &self.output;
        tracing::info!(target: pm_log::COMPONENT, component = &**component, stream, "{line}");
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.pending.extend_from_slice(&bytes[..end]);
            self.log_pending();
            bytes = &bytes[end + 1..];
        }
        self.pending.extend_from_slice(bytes);
        if self.pending.len() > MAX_LINE_BYTES {
            self.log_pending();
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.log_pending();
        }
    }
}

impl AsyncWrite for Lines {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
