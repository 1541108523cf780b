//! The audit log. Row changes get there by the schema's triggers (see [`Actor`]); here it is read, and written for
//! events that change no row. It can be added to, and nothing in it can be changed.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{contains_text, statements},
    value::{Columns, at, id, optional, text},
};
use pm_api::{
    UserId,
    audit::{AuditEntry, AuditFilter},
    list::{ListQuery, Page},
    sort::AuditSort,
};

lists! {
    LIST: AuditSort = List {
        columns: "
            l.id, l.created_at at time zone 'utc', l.created_at at time zone 'utc', l.user_id, u.email, l.action_type,
            l.resource_type, l.resource_id, l.details, l.metadata, l.ip_address, l.user_agent",
        rows: concat!("
            from audit_log l left join users u on u.id = l.user_id
            where ($1::uuid is null or l.user_id = $1)
              and ($2::text is null or l.action_type = $2)
              and ($3::text is null or l.resource_type = $3)
              and ($4::text is null or l.resource_id = $4)
              and ($5::int8 is null or l.created_at >= epoch_us($5))
              and ($6::int8 is null or l.created_at <= epoch_us($6))
              and ", contains_text!("$7" in "u.email, l.action_type, l.resource_type, l.resource_id, l.details,
                                            l.metadata::text, l.ip_address, l.user_agent")),
        id: Id::Uuid("l.id"),
        key: |AuditSort::CreatedAt| Key::Time("l.created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    RECORD = "
        insert into audit_log (user_id, action_type, resource_type, resource_id, details, ip_address, user_agent)
        values ($1, $2, $3, $4, $5, $6, $7)";
    RECORD_DENIAL = "
        insert into audit_log (user_id, action_type, resource_type, details, ip_address, user_agent)
        values ($1, $2, $3, $4, $5, $6)";
}

/// Something that happened and changed no audited row.
#[derive(Debug, Clone)]
pub struct Event {
    /// What: `login_failed`, `download`, …
    pub action: &'static str,
    /// To what kind of thing.
    pub resource_type: &'static str,
    /// To which.
    pub resource_id: Option<String>,
    /// A sentence, where the rest does not say enough. No secrets.
    pub details: Option<String>,
}

/// A request that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Denial<'a> {
    /// Who made it, where that is known.
    pub user_id: Option<UserId>,
    /// Why it was refused: `access_denied`, …
    pub action: &'a str,
    /// What it was about.
    pub resource_type: &'a str,
    /// A sentence. No secrets.
    pub details: &'a str,
}

/// Where a request came from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Its IP address.
    pub ip_address: Option<String>,
    /// What sent it.
    pub user_agent: Option<String>,
}

impl Origin {
    /// The author of a change that comes from here.
    #[must_use]
    pub fn actor(self, user_id: UserId) -> Actor {
        Actor { user_id, action: None, ip_address: self.ip_address, user_agent: self.user_agent }
    }

    /// The setting `pm.actor` without its user, for statements that find the user themselves.
    pub(crate) fn to_json(&self, action: Option<&str>) -> String {
        let (ip_address, user_agent) = (&self.ip_address, &self.user_agent);
        match action {
            Some(action) => {
                serde_json::json!({ "action": action, "ip_address": ip_address, "user_agent": user_agent })
            }
            None => serde_json::json!({ "ip_address": ip_address, "user_agent": user_agent }),
        }
        .to_string()
    }
}

fn entry(c: &mut Columns) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        user_id: c.take()?,
        user_email: c.take()?,
        action_type: c.take()?,
        resource_type: c.take()?,
        resource_id: c.take()?,
        details: c.take()?,
        metadata: c.take()?,
        ip_address: c.take()?,
        user_agent: c.take()?,
    })
}

/// A page of the entries.
pub async fn list(
    db: &Db,
    filter: &AuditFilter,
    query: &ListQuery<AuditSort>,
) -> Result<Page<AuditEntry>, StoreError> {
    let filter = vec![
        optional(filter.user_id, |u| id(u.0)),
        optional(filter.action_type.as_deref(), text),
        optional(filter.resource_type.as_deref(), text),
        optional(filter.resource_id.as_deref(), text),
        optional(filter.start_date, at),
        optional(filter.end_date, at),
        optional(filter.q.as_deref(), text),
    ];
    LIST.page(db, query, filter, entry).await
}

/// Writes an event that a user caused.
pub async fn record(db: &Db, actor: &Actor, event: Event) -> Result<(), StoreError> {
    let origin = Origin { ip_address: actor.ip_address.clone(), user_agent: actor.user_agent.clone() };
    record_of(db, Some(actor.user_id), &origin, event).await
}

/// Writes an event of a request that nobody signed, perhaps about a known user.
pub async fn record_of(
    db: &Db,
    user_id: Option<UserId>,
    origin: &Origin,
    event: Event,
) -> Result<(), StoreError> {
    let params = vec![
        optional(user_id, |u| id(u.0)),
        text(event.action),
        text(event.resource_type),
        optional(event.resource_id, text),
        optional(event.details, text),
        optional(origin.ip_address.clone(), text),
        optional(origin.user_agent.clone(), text),
    ];
    db.execute(RECORD, params).await.map(drop)
}

/// Adds an entry for a request that was refused.
pub async fn record_denial(db: &Db, denial: &Denial<'_>, origin: &Origin) -> Result<(), StoreError> {
    let params = vec![
        optional(denial.user_id, |u| id(u.0)),
        text(denial.action),
        text(denial.resource_type),
        text(denial.details),
        optional(origin.ip_address.as_deref(), text),
        optional(origin.user_agent.as_deref(), text),
    ];
    db.execute(RECORD_DENIAL, params).await.map(|_| ())
}
