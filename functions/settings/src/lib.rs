//! Component `settings`: what administrators can set.
//!
//! Invariants: a setting that the functions obey is always listed, stored or not, and only takes a value that fits; the
//! value of a secret is never in an answer. Deliberately absent: obeying them (each component reads what it needs with
//! `pm_store::setting::read`).

mod change;
mod show;

use pm_api::{
    list::Page,
    route::{ENGINEER, op},
    setting::Setting,
    sort::SettingSort,
};
use pm_domain::settings::Definition;
use pm_store::setting;
use pm_web::{Answer, Call, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListSettings => list,
        CreateSetting => change::create,
        GetSetting => get,
        UpdateSetting => change::update,
        DeleteSetting => delete,
    };
    serve("settings", request, handlers).await
}

/// Definition and added settings, as far as the caller may see them.
async fn list(input: Input<op::ListSettings>) -> Result<Page<Setting>, Refusal> {
    let category = input.query.category.as_deref();
    let sees_all = sees_private(&input)?;
    let mut all = show::all(setting::list(&input.db().await?).await?);
    all.retain(|s| (sees_all || s.is_public) && category.is_none_or(|c| c == s.category));
    let sort_key = |s: &Setting, sort| match sort {
        SettingSort::Key => s.key.clone(),
        SettingSort::Category => s.category.clone(),
    };
    Ok(input.page.page_of(all, |s, sort| (sort_key(s, sort), s.key.clone())))
}

async fn get(input: Input<op::GetSetting>) -> Result<Setting, Refusal> {
    let key = input.param("key");
    let found = match (setting::get(&input.db().await?, key).await?, Definition::find(key)) {
        (Some(stored), _) => show::stored(stored),
        (None, Some(known)) => known.setting(),
        (None, None) => return Err(Refusal::NotFound),
    };
    if found.is_public || sees_private(&input)? {
        Ok(found)
    } else {
        Err(Refusal::Forbidden(ENGINEER.refusal()))
    }
}

async fn delete(input: Input<op::DeleteSetting>) -> Result<(), Refusal> {
    let key = input.param("key");
    let db = input.db().await?;
    let actor = change::author(&input, &db, key).await?;
    if setting::delete(&db, &actor, key).await? || Definition::find(key).is_some() {
        Ok(())
    } else {
        Err(Refusal::NotFound)
    }
}

fn sees_private(call: &Call) -> Result<bool, Refusal> {
    Ok(ENGINEER.allows(call.identity()?.role))
}
