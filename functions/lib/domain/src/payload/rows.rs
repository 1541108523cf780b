//! What a decoder makes of lines: rows as JSON objects, and the lines that cannot be read.

use super::Reader;
use serde_json::Value;

/// Most rows of one message.
pub const MAX_ROWS: usize = pm_api::ingest::MAX_BATCH_READINGS;

/// Rows of a message.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// The rows, in order.
    pub rows: Vec<Value>,
    /// A reason for each line that is no row.
    pub faults: Vec<String>,
}

impl Rows {
    /// The rows as an array, if there are any; the reader gets the faults.
    ///
    /// # Errors
    /// There is nothing at all.
    pub fn take(self, reader: &mut Reader<'_>) -> Result<Option<Value>, String> {
        if self.rows.is_empty() && self.faults.is_empty() {
            return Err("value: none found".to_owned());
        }
        reader.of_lines = true;
        self.faults.into_iter().for_each(|fault| reader.fault(fault));
        Ok((!self.rows.is_empty()).then_some(Value::Array(self.rows)))
    }
}
