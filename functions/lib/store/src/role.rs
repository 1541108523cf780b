//! Custom roles: named sets of permissions. Built-in roles stand here too, for their ids and names.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, optional, text, texts},
};
use pm_api::{
    RoleId,
    list::{ListQuery, Page},
    role::{NewRole, Permission, RoleChange, RoleDetail},
    sort::RoleSort,
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`role`] reads, of a role `r`.
macro_rules! columns {
    () => {
        "r.id, r.created_at at time zone 'utc', r.updated_at at time zone 'utc', r.name, r.description, r.permissions,
         r.is_system,
         case when r.is_system then (select count(*) from users u where u.role = r.name)
              else (select count(*) from user_roles h where h.role_id = r.id) end"
    };
}

lists! {
    LIST: RoleSort = List {
        columns: columns!(),
        rows: "from roles r where true",
        id: Id::Uuid("r.id"),
        key: |sort| match sort {
            RoleSort::Kind => Key::Text("(case when r.is_system then '0' else '1' end || r.name)"),
            RoleSort::Name => Key::Text("r.name"),
            RoleSort::CreatedAt => Key::Time("r.created_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from roles r where r.id = $1");
    CREATE = concat!("
        insert into roles (id, name, description, permissions)
        select $2, $3, $4, array(select distinct p from unnest($5::text[]) p order by p)
        from ", actor!(), "
        returning id, created_at at time zone 'utc', updated_at at time zone 'utc', name, description, permissions,
                  is_system, 0::int8");
    UPDATE = concat!("
        update roles r set
            name = coalesce($3, name),
            description = case when $4 then $5 else description end,
            permissions = case when $6::text[] is null then permissions
                               else array(select distinct p from unnest($6::text[]) p order by p) end
        from ", actor!(), " where id = $2 and not is_system
        returning ", columns!());
    ADD = concat!("
        update roles r set
            permissions = array(select distinct p from unnest(permissions || $3::text[]) p order by p)
        from ", actor!(), " where id = $2 and not is_system
        returning ", columns!());
    DELETE = concat!("
        delete from roles using ", actor!(), " where id = $2 and not is_system");
    UNKNOWN = "
        select n from unnest($1::text[]) n
        where not exists (select from roles r where not r.is_system and lower(r.name) = lower(n)) order by n";
}

fn role(c: &mut Columns) -> Result<RoleDetail, StoreError> {
    Ok(RoleDetail {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        description: c.take()?,
        permissions: c.take()?,
        is_system: c.take()?,
        members: c.take()?,
    })
}

/// A page of the roles. The permissions of built-in ones are not in here.
pub async fn list(db: &Db, query: &ListQuery<RoleSort>) -> Result<Page<RoleDetail>, StoreError> {
    LIST.page(db, query, Vec::new(), role).await
}

/// One role. The permissions of a built-in one are not in here.
pub async fn get(db: &Db, role_id: RoleId) -> Result<Option<RoleDetail>, StoreError> {
    db.first(GET, vec![id(role_id.0)], role).await
}

/// Creates a custom role.
///
/// # Errors
/// Constraint `roles_name_unique` if the name is taken.
pub async fn create(db: &Db, actor: &Actor, new: &NewRole) -> Result<RoleDetail, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(&*new.name),
        optional(new.description.as_deref(), text),
        names(new.permissions.as_deref().unwrap_or_default()),
    ];
    db.one(CREATE, params, role).await
}

/// Changes a custom role; `None`: there is no such custom role.
///
/// # Errors
/// Constraint `roles_name_unique` if the name is taken.
pub async fn update(
    db: &Db,
    actor: &Actor,
    role_id: RoleId,
    change: &RoleChange,
) -> Result<Option<RoleDetail>, StoreError> {
    let params = vec![
        actor.setting(),
        id(role_id.0),
        optional(change.name.as_deref(), text),
        (!change.description.is_absent()).into(),
        optional(change.description.given(), |description| text(&**description)),
        optional(change.permissions.as_deref(), names),
    ];
    db.first(UPDATE, params, role).await
}

/// Adds permissions to a custom role; `None`: there is no such custom role.
pub async fn add_permissions(
    db: &Db,
    actor: &Actor,
    role_id: RoleId,
    permissions: &[Permission],
) -> Result<Option<RoleDetail>, StoreError> {
    db.first(ADD, vec![actor.setting(), id(role_id.0), names(permissions)], role).await
}

fn names(permissions: &[Permission]) -> ParameterValue {
    texts(permissions.iter().map(|permission| &permission.0))
}

/// Deletes a custom role. False: there is none such.
pub async fn delete(db: &Db, actor: &Actor, role_id: RoleId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(role_id.0)]).await? > 0)
}

/// Those of the names that no custom role has.
pub async fn unknown<'n>(
    db: &Db,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Vec<String>, StoreError> {
    db.rows(UNKNOWN, vec![texts(names)], |c| c.take()).await
}
