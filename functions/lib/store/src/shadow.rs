//! What challengers said, counted beside what the active models said.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{floats, ints, texts},
};
use pm_api::ModelId;

statements! {
    NOTE = "
        insert into model_shadow as s (model_id, day, scored, active_anomalous, challenger_anomalous, both_anomalous, difference)
        select model_id, current_date, count(*), sum(active), sum(challenger), sum(active * challenger), sum(difference)
        from unnest($1::text[]::uuid[], $2::int8[], $3::int8[], string_to_array($4, ',')::float8[])
            m (model_id, active, challenger, difference)
        where exists (select from models where id = model_id)
        group by model_id
        on conflict (model_id, day) do update
        set scored = s.scored + excluded.scored,
            active_anomalous = s.active_anomalous + excluded.active_anomalous,
            challenger_anomalous = s.challenger_anomalous + excluded.challenger_anomalous,
            both_anomalous = s.both_anomalous + excluded.both_anomalous,
            difference = s.difference + excluded.difference";
}

/// One scoring of a sensor by both models.
#[derive(Debug, Clone, Copy)]
pub struct ShadowScore {
    /// The challenger.
    pub model: ModelId,
    /// Was the sensor anomalous to the active model?
    pub active_anomalous: bool,
    /// And to the challenger?
    pub challenger_anomalous: bool,
    /// Distance of the two smoothed scores.
    pub difference: f64,
}

/// Adds moments to the day's counts.
pub async fn note(db: &Db, moments: &[ShadowScore]) -> Result<(), StoreError> {
    let params = vec![
        texts(moments.iter().map(|m| m.model)),
        ints(moments.iter().map(|m| i64::from(m.active_anomalous))),
        ints(moments.iter().map(|m| i64::from(m.challenger_anomalous))),
        floats(moments.iter().map(|m| m.difference)),
    ];
    db.execute(NOTE, params).await.map(|_| ())
}
