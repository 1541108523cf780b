//! Component `roles`: what the built-in roles permit, and custom roles.
//!
//! A custom role is a named set of permissions that accounts hold besides their built-in role (`PATCH /users/{id}` with
//! `custom_roles`): it opens the routes of its permissions and closes none. Like a built-in role it stands in the
//! access token, so reading follows a change at the next refresh, and every change made with it is checked at once.
//!
//! Invariants: permissions are those of the route table (`pm_api::route::permission`); a built-in role is neither changed nor
//! deleted; no custom role carries a permission by which its holder could become an administrator. Deliberately
//! absent: giving roles to accounts (component `auth`).

use pm_api::{
    RoleId,
    list::Page,
    role::{RoleChange, RoleDetail},
    route::{op, permission},
};
use pm_store::{Db, StoreError, role};
use pm_web::{Answer, Call, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListRoles => list,
        CreateRole => create,
        GetRole => get,
        UpdateRole => update,
        DeleteRole => delete,
        ListRolePermissions => permissions,
        AddRolePermissions => add_permissions,
        SetRolePermissions => set_permissions,
    };
    serve("roles", request, handlers).await
}

async fn list(input: Input<op::ListRoles>) -> Result<Page<RoleDetail>, Refusal> {
    Ok(role::list(&input.db().await?, &input.page).await?.map(with_permissions))
}

async fn create(mut input: Input<op::CreateRole>) -> Result<RoleDetail, Refusal> {
    input.body.name = input.body.name.trim().into();
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    role::create(&db, &actor, &input.body).await.map_err(refuse_name)
}

async fn get(input: Input<op::GetRole>) -> Result<RoleDetail, Refusal> {
    find(&input).await
}

async fn permissions(input: Input<op::ListRolePermissions>) -> Result<Vec<String>, Refusal> {
    Ok(find(&input).await?.permissions)
}

async fn find(call: &Call) -> Result<RoleDetail, Refusal> {
    let id: RoleId = call.id("role_id")?;
    role::get(&call.db().await?, id).await?.map(with_permissions).ok_or(Refusal::NotFound)
}

async fn update(input: Input<op::UpdateRole>) -> Result<RoleDetail, Refusal> {
    let name = input.body.name.as_deref().map(|name| name.trim().into());
    change(&input, RoleChange { name, ..input.body.clone() }).await
}

async fn set_permissions(input: Input<op::SetRolePermissions>) -> Result<Vec<String>, Refusal> {
    let permissions = Some(input.body.permissions.clone());
    Ok(change(&input, RoleChange { permissions, ..RoleChange::default() }).await?.permissions)
}

async fn change(call: &Call, change: RoleChange) -> Result<RoleDetail, Refusal> {
    let id: RoleId = call.id("role_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    refuse_built_in(&db, id, "change").await?;
    role::update(&db, &actor, id, &change).await.map_err(refuse_name)?.ok_or(Refusal::NotFound)
}

async fn add_permissions(input: Input<op::AddRolePermissions>) -> Result<Vec<String>, Refusal> {
    let id: RoleId = input.id("role_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    refuse_built_in(&db, id, "change").await?;
    let role = role::add_permissions(&db, &actor, id, &input.body.permissions).await?;
    Ok(role.ok_or(Refusal::NotFound)?.permissions)
}

async fn delete(input: Input<op::DeleteRole>) -> Result<(), Refusal> {
    let id: RoleId = input.id("role_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    refuse_built_in(&db, id, "delete").await?;
    if role::delete(&db, &actor, id).await? { Ok(()) } else { Err(Refusal::NotFound) }
}

/// A built-in role's permissions follow from the route table.
fn with_permissions(mut role: RoleDetail) -> RoleDetail {
    if let (true, Ok(built_in)) = (role.is_system, role.name.parse()) {
        role.permissions = permission::of_role(built_in).into_iter().collect();
    }
    role
}

async fn refuse_built_in(db: &Db, id: RoleId, what: &str) -> Result<(), Refusal> {
    let role = role::get(db, id).await?.ok_or(Refusal::NotFound)?;
    if role.is_system { Err(Refusal::BadRequest(format!("Cannot {what} system role"))) } else { Ok(()) }
}

fn refuse_name(error: StoreError) -> Refusal {
    match error {
        StoreError::Constraint(name) if name == "roles_name_unique" => {
            Refusal::BadRequest("Role with this name already exists".to_owned())
        }
        other => other.into(),
    }
}
