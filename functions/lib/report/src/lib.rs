//! Renders a report's content as a PDF document or an XLSX workbook.
//!
//! Invariants: every text is kept as it is, whatever is in it (in the workbook as a text cell, never as a formula; in the
//! document characters that the font lacks are drawn as the replacement character); the same content gives the same
//! bytes; the file says which rows were left out.
//!
//! Deliberately absent: figures (pm-domain and the store give them), CSV (the database writes it), I/O.

mod format;
mod pdf;
mod xlsx;

pub use pdf::pdf;
pub use xlsx::xlsx;

/// Why a report could not be rendered: an internal error.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// An embedded font cannot be used.
    #[error("font: {0}")]
    Font(String),
    /// The workbook cannot be written.
    #[error("workbook: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}
