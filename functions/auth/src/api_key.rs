//! API keys of people and of accounts of programs.

use pm_api::{
    UserId,
    api_key::{API_KEY_PREFIX, ApiKey, NewApiKey, NewApiKeyShown},
    list::Page,
    route::op,
};
use pm_store::{
    api_key::{self, New},
    user,
};
use pm_web::{Call, Input, Refusal};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Life of a key unless another is asked for, days.
const DEFAULT_DAYS: i64 = 90;
/// How much of a key is shown to tell keys apart, characters.
const SHOWN_CHARS: usize = 12;

/// `GET /users/me/api-keys`.
pub(crate) async fn mine(input: Input<op::MyApiKeys>) -> Result<Page<ApiKey>, Refusal> {
    Ok(api_key::list(&input.db().await?, input.identity()?.user_id, &input.page).await?)
}

/// `GET /users/{user_id}/api-keys`.
pub(crate) async fn of_user(input: Input<op::UserApiKeys>) -> Result<Page<ApiKey>, Refusal> {
    Ok(api_key::list(&input.db().await?, input.id("user_id")?, &input.page).await?)
}

/// `POST /users/me/api-keys`.
pub(crate) async fn create_mine(input: Input<op::CreateMyApiKey>) -> Result<NewApiKeyShown, Refusal> {
    create(&input, input.identity()?.user_id, &input.body).await
}

/// `POST /users/{user_id}/api-keys`: whoever makes a key knows it, so administrators make none for people.
pub(crate) async fn create_of_user(input: Input<op::CreateUserApiKey>) -> Result<NewApiKeyShown, Refusal> {
    let user_id: UserId = input.id("user_id")?;
    let account = user::get(&input.db().await?, user_id).await?.ok_or(Refusal::NotFound)?;
    if !account.is_service && user_id != input.identity()?.user_id {
        return Err(Refusal::Conflict("People make their own API keys".to_owned()));
    }
    create(&input, user_id, &input.body).await
}

async fn create(call: &Call, user_id: UserId, new: &NewApiKey) -> Result<NewApiKeyShown, Refusal> {
    let permissions: Vec<_> = new.permissions.iter().map(|permission| permission.0.clone()).collect();
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let key = format!("{API_KEY_PREFIX}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let stored = New {
        name: new.name.trim(),
        prefix: &key[..SHOWN_CHARS],
        hash: Sha256::digest(key.as_bytes()).into(),
        permissions: &permissions,
        valid_days: new.valid_days.map_or(DEFAULT_DAYS, |days| days.0),
    };
    let stored = api_key::create(&db, &actor, user_id, &stored).await?.ok_or(Refusal::NotFound)?;
    Ok(NewApiKeyShown { stored, key })
}

/// `DELETE /users/me/api-keys/{key_id}`.
pub(crate) async fn end_mine(input: Input<op::EndMyApiKey>) -> Result<(), Refusal> {
    end(&input, input.identity()?.user_id).await
}

/// `DELETE /users/{user_id}/api-keys/{key_id}`.
pub(crate) async fn end_of_user(input: Input<op::EndUserApiKey>) -> Result<(), Refusal> {
    end(&input, input.id("user_id")?).await
}

async fn end(call: &Call, user_id: UserId) -> Result<(), Refusal> {
    let key_id: Uuid = call.id("key_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    if api_key::end(&db, &actor, user_id, key_id).await? { Ok(()) } else { Err(Refusal::NotFound) }
}
