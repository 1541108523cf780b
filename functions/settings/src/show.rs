//! What an answer shows of a setting.

use pm_api::setting::Setting;
use pm_domain::settings::{DEFINITIONS, Definition, MASK, Values};

/// A stored setting; of a known one, only value and free object are taken from the row.
pub(crate) fn stored(mut row: Setting) -> Setting {
    if let Some(known) = Definition::find(&row.key) {
        let in_force = Values::new([(row.key, row.value)]).text(known.id).to_owned();
        let (id, created_at, updated_at, metadata) = (row.id, row.created_at, row.updated_at, row.metadata);
        row = Setting { id, created_at, updated_at, metadata, value: Some(in_force), ..known.setting() };
    }
    if row.is_secret {
        row.value = row.value.filter(|v| !v.is_empty()).map(|_| MASK.to_owned());
    }
    row
}

/// Every setting by key.
pub(crate) fn all(rows: Vec<Setting>) -> Vec<Setting> {
    let unchanged: Vec<_> = DEFINITIONS
        .iter()
        .filter(|k| rows.iter().all(|row| row.key != k.key))
        .map(Definition::setting)
        .collect();
    let mut all: Vec<_> = rows.into_iter().map(stored).chain(unchanged).collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}
