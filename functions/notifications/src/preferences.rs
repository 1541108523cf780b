//! One's own preferences.

use pm_api::{notification::Preferences, route::op};
use pm_store::notice;
use pm_web::{Input, Refusal};

pub(crate) async fn get(input: Input<op::GetPreferences>) -> Result<Preferences, Refusal> {
    let user_id = input.identity()?.user_id;
    notice::preferences(&input.db().await?, user_id).await?.ok_or(Refusal::BadToken)
}

pub(crate) async fn update(input: Input<op::UpdatePreferences>) -> Result<Preferences, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    Ok(notice::prefer(&db, &actor, &input.body).await?)
}
