//! Component `settings`: what administrators can set.
//!
//! Invariants: a setting that the functions obey is always listed, stored or not, and only takes a value that fits; the
//! value of a secret is never in an answer. Deliberately absent: obeying them (each component reads what it needs with
//! `pm_store::setting::read`).

mod change;
mod show;

use http::StatusCode;
use pm_api::{setting::Setting, sort::SettingSort};
use pm_auth::{Op, access::ENGINEER};
use pm_domain::settings::Definition;
use pm_store::setting;
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("settings", request, |op, call| async move {
        match op {
            Op::ListSettings => list(&call).await,
            Op::CreateSetting => change::create(&call).await,
            Op::GetSetting => get(&call).await,
            Op::UpdateSetting => change::update(&call).await,
            Op::DeleteSetting => delete(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Definition and added settings by key; `category` filters.
async fn list(call: &Call) -> Outcome {
    let query = call.query.list::<SettingSort>(1000)?;
    let category = call.query.text("category");
    let sees_all = sees_private(call)?;
    let mut all = show::all(setting::list(&call.db().await?).await?);
    all.retain(|s| (sees_all || s.is_public) && category.is_none_or(|c| c == s.category));
    let sort_key = |s: &Setting, sort| match sort {
        SettingSort::Key => s.key.clone(),
        SettingSort::Category => s.category.clone(),
    };
    Ok(json_page(&query.page_of(all, |s, sort| (sort_key(s, sort), s.key.clone()))))
}

async fn get(call: &Call) -> Outcome {
    let key = call.param("key");
    let found = match (setting::get(&call.db().await?, key).await?, Definition::find(key)) {
        (Some(stored), _) => show::stored(stored),
        (None, Some(known)) => show::default(known),
        (None, None) => return Err(Refusal::NotFound),
    };
    if found.is_public || sees_private(call)? {
        Ok(json(StatusCode::OK, &found))
    } else {
        Err(Refusal::Forbidden(ENGINEER.refusal()))
    }
}

async fn delete(call: &Call) -> Outcome {
    let key = call.param("key");
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    if setting::delete(&db, &actor, key).await? || Definition::find(key).is_some() {
        Ok(empty(StatusCode::NO_CONTENT))
    } else {
        Err(Refusal::NotFound)
    }
}

fn sees_private(call: &Call) -> Result<bool, Refusal> {
    Ok(ENGINEER.allows(call.identity()?.role))
}
