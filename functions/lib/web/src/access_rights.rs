//! What a caller may do now: a token says only what its account might do when it was issued.
//!
//! Requests that only read use an answer of the database for [`CACHE_TTL`]. Changes ask again ([`current`]).

use crate::{Refusal, database::database};
use pm_api::route::{Route, permission};
use pm_auth::token::{Credential, Identity};
use pm_domain::{
    session::{USE_RECORDED_EVERY_S, is_inactive},
    settings::Key,
    sign_in::{Restriction, restriction},
};
use pm_store::{
    Db,
    api_key::{self, KeyName},
    session,
    user::AccessRights,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How long an answer of the database is used.
const CACHE_TTL: Duration = Duration::from_secs(10);
/// Callers in the cache; before one more, it is cleared.
const MAX_CACHED_CALLERS: usize = 1000;
/// The settings that a session's rights depend on.
const SETTINGS: [Key; 3] = [Key::LoginSecondFactor, Key::PasswordChangeFirst, Key::SessionIdleMinutes];

/// What a caller presents.
#[derive(Debug, Clone)]
pub(crate) enum Presented {
    /// A token of ours, which is genuine.
    Token(Identity),
    /// Something that looks like an API key.
    Key(KeyName),
}

/// What names a caller in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Session(Uuid),
    Key(KeyName),
}

impl Presented {
    fn name(&self) -> Name {
        match self {
            Self::Token(identity) => match identity.credential {
                Credential::Session(session) => Name::Session(session),
                Credential::ApiKey(key) => Name::Key(KeyName::Id(key)),
            },
            Self::Key(named) => Name::Key(*named),
        }
    }
}

/// Who calls, with the rights of the moment.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// What was presented.
    presented: Presented,
    /// Account and credential.
    pub(crate) identity: Identity,
    /// An API key is limited to these permissions.
    scope: Option<Vec<String>>,
    /// What the person has to do first.
    restriction: Option<Restriction>,
}

impl Caller {
    /// May the caller use the route?
    ///
    /// # Errors
    /// 403 with the reason.
    pub(crate) fn admit(&self, route: &Route) -> Result<(), Refusal> {
        if let Some(scope) = &self.scope {
            let needed = permission::of(route).unwrap_or_default();
            if !scope.contains(&needed) {
                return Err(Refusal::Forbidden(format!("This API key is not for {needed}")));
            }
        }
        if !route.allows(self.identity.role, &self.identity.permissions) {
            return Err(Refusal::Forbidden(route.access.refusal()));
        }
        match self.restriction {
            Some(restriction) if !route.op.is_open_while_restricted() => {
                Err(Refusal::Restricted(restriction))
            }
            _ => Ok(()),
        }
    }

    /// The caller as of now; `None` if the session or the key has ended, or the account is gone or inactive.
    pub(crate) async fn current(&self, db: &Db) -> Result<Option<Self>, Refusal> {
        current(db, &self.presented).await
    }
}

static CACHE: Mutex<BTreeMap<Name, (Instant, Caller)>> = Mutex::new(BTreeMap::new());

/// Who presents this, as it was at most ten seconds ago if that is `enough`, else as of now; `None` if the session or the
/// key has ended, or the account is gone or inactive.
pub(crate) async fn recent(
    presented: &Presented,
    enough: impl FnOnce(&Caller) -> bool,
) -> Result<Option<Caller>, Refusal> {
    let known = CACHE.lock().unwrap_or_else(PoisonError::into_inner).get(&presented.name()).cloned();
    if let Some((asked, caller)) = known
        && asked.elapsed() < CACHE_TTL
        && enough(&caller)
    {
        return Ok(Some(caller));
    }
    // what was granted in the meantime counts at once
    current(&database().await?, presented).await
}

/// Who presents this, as of now.
pub(crate) async fn current(db: &Db, presented: &Presented) -> Result<Option<Caller>, Refusal> {
    let asked = Instant::now();
    let caller = match presented {
        Presented::Token(identity) => match identity.credential {
            Credential::Session(session_id) => of_session(db, identity, session_id).await?,
            Credential::ApiKey(key) => of_key(db, KeyName::Id(key), presented).await?,
        },
        Presented::Key(named) => of_key(db, *named, presented).await?,
    };
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= MAX_CACHED_CALLERS {
        cache.clear();
    }
    match &caller {
        Some(caller) => cache.insert(presented.name(), (asked, caller.clone())),
        None => cache.remove(&presented.name()),
    };
    Ok(caller)
}

async fn of_session(db: &Db, identity: &Identity, session_id: Uuid) -> Result<Option<Caller>, Refusal> {
    let found = session::in_use(db, session_id, identity.user_id, &SETTINGS).await?;
    let idle_minutes = |settings: &pm_domain::settings::Values| settings.integer(Key::SessionIdleMinutes);
    let goes_on =
        |found: &session::InUse| !is_inactive(found.last_used_at, idle_minutes(&found.settings), found.now);
    let Some(found) = found.filter(goes_on) else { return Ok(None) };
    if found.now >= found.last_used_at.plus_seconds(USE_RECORDED_EVERY_S) {
        session::used(db, session_id, found.last_used_at).await?;
    }
    Ok(Some(Caller {
        presented: Presented::Token(identity.clone()),
        restriction: restriction(found.account, &found.settings),
        identity: with_rights(identity.clone(), found.rights),
        scope: None,
    }))
}

async fn of_key(db: &Db, named: KeyName, presented: &Presented) -> Result<Option<Caller>, Refusal> {
    let Some(holder) = api_key::rights(db, named).await? else { return Ok(None) };
    let identity = Identity {
        user_id: holder.user_id,
        credential: Credential::ApiKey(holder.key_id),
        email: holder.email,
        role: holder.rights.role,
        permissions: holder.rights.permissions,
    };
    Ok(Some(Caller {
        presented: presented.clone(),
        identity,
        scope: Some(holder.permissions),
        restriction: None,
    }))
}

fn with_rights(identity: Identity, rights: AccessRights) -> Identity {
    Identity { role: rights.role, permissions: rights.permissions, ..identity }
}
