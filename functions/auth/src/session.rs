//! Sessions of one's own account, and of others in an administrator's hands.

use pm_api::{
    UserId,
    list::Page,
    route::op,
    session::{Session, SessionsEnded},
};
use pm_store::session::{self, Which};
use pm_web::{Call, Input, Refusal};
use uuid::Uuid;

/// `GET /users/me/sessions`.
pub(crate) async fn mine(input: Input<op::MySessions>) -> Result<Page<Session>, Refusal> {
    let page = session::list(&input.db().await?, input.identity()?.user_id, &input.page).await?;
    Ok(marked(&input, page))
}

/// `GET /users/{user_id}/sessions`.
pub(crate) async fn of_user(input: Input<op::UserSessions>) -> Result<Page<Session>, Refusal> {
    let user_id: UserId = input.id("user_id")?;
    let page = session::list(&input.db().await?, user_id, &input.page).await?;
    Ok(marked(&input, page))
}

fn marked(call: &Call, page: Page<Session>) -> Page<Session> {
    let current = call.session_id();
    page.map(|session| Session { is_current: Some(session.id) == current, ..session })
}

/// `DELETE /users/me/sessions`.
pub(crate) async fn end_mine(input: Input<op::EndMySessions>) -> Result<SessionsEnded, Refusal> {
    let keep_current = input.query.keep_current.is_some_and(|keep| keep.0);
    let which = input.session_id().filter(|_| keep_current).map_or(Which::All, Which::AllBut);
    end(&input, input.identity()?.user_id, which).await
}

/// `DELETE /users/me/sessions/{session_id}`.
pub(crate) async fn end_one_of_mine(input: Input<op::EndMySession>) -> Result<(), Refusal> {
    end_one(&input, input.identity()?.user_id).await
}

/// `DELETE /users/{user_id}/sessions`.
pub(crate) async fn end_of_user(input: Input<op::EndUserSessions>) -> Result<SessionsEnded, Refusal> {
    end(&input, input.id("user_id")?, Which::All).await
}

/// `DELETE /users/{user_id}/sessions/{session_id}`.
pub(crate) async fn end_one_of_user(input: Input<op::EndUserSession>) -> Result<(), Refusal> {
    end_one(&input, input.id("user_id")?).await
}

async fn end(call: &Call, user_id: UserId, which: Which) -> Result<SessionsEnded, Refusal> {
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(SessionsEnded { ended: session::end(&db, &actor, user_id, which, "sessions_ended").await? })
}

async fn end_one(call: &Call, user_id: UserId) -> Result<(), Refusal> {
    let session_id: Uuid = call.id("session_id")?;
    let ended = end(call, user_id, Which::One(session_id)).await?.ended;
    if ended > 0 { Ok(()) } else { Err(Refusal::NotFound) }
}
