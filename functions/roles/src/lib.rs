//! Component `roles`: what the built-in roles permit, and custom roles.
//!
//! A custom role is a named set of permissions that accounts hold besides their built-in role (`PATCH /users/{id}` with
//! `custom_roles`): it opens the routes of its permissions and closes none. Like a built-in role it stands in the
//! access token, so reading follows a change at the next refresh, and every change made with it is checked at once.
//!
//! Invariants: permissions are those of the route table (`pm_auth::permission`); a built-in role is neither changed nor
//! deleted; no custom role carries a permission by which its holder could become an administrator. Deliberately
//! absent: giving roles to accounts (component `auth`).

mod body;

use http::StatusCode;
use pm_api::{RoleId, role::RoleDetail, sort::RoleSort};
use pm_auth::{Op, permission};
use pm_store::{Actor, Db, StoreError, role};
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("roles", request, |op, call| async move {
        match op {
            Op::ListRoles => list(&call).await,
            Op::CreateRole => create(&call).await,
            Op::GetRole => Ok(json(StatusCode::OK, &get(&call).await?)),
            Op::UpdateRole => update(&call).await,
            Op::DeleteRole => delete(&call).await,
            Op::ListRolePermissions => Ok(json(StatusCode::OK, &get(&call).await?.permissions)),
            Op::AddRolePermissions => add_permissions(&call).await,
            Op::SetRolePermissions => set_permissions(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let query = call.query.list::<RoleSort>(1000)?;
    Ok(json_page(&role::list(&call.db().await?, &query).await?.map(with_permissions)))
}

async fn create(call: &Call) -> Outcome {
    let new = body::new_role(call.fields()?)?;
    let (db, actor) = author(call).await?;
    let created = role::create(&db, &actor, &new.name, new.description, &new.permissions).await;
    Ok(json(StatusCode::CREATED, &created.map_err(refuse_name)?))
}

async fn get(call: &Call) -> Result<RoleDetail, Refusal> {
    let id: RoleId = call.id("role_id")?;
    role::get(&call.db().await?, id).await?.map(with_permissions).ok_or(Refusal::NotFound)
}

async fn update(call: &Call) -> Outcome {
    let id: RoleId = call.id("role_id")?;
    let change = body::role_change(call.fields()?)?;
    let (db, actor) = author(call).await?;
    refuse_built_in(&db, id, "change").await?;
    let role = role::update(&db, &actor, id, change).await.map_err(refuse_name)?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &role))
}

async fn delete(call: &Call) -> Outcome {
    let id: RoleId = call.id("role_id")?;
    let (db, actor) = author(call).await?;
    refuse_built_in(&db, id, "delete").await?;
    let found = role::delete(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

async fn add_permissions(call: &Call) -> Outcome {
    let id: RoleId = call.id("role_id")?;
    let more = body::permissions(call.fields()?)?;
    let (db, actor) = author(call).await?;
    refuse_built_in(&db, id, "change").await?;
    let role = role::add_permissions(&db, &actor, id, &more).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &role.permissions))
}

async fn set_permissions(call: &Call) -> Outcome {
    let id: RoleId = call.id("role_id")?;
    let change =
        role::Change { permissions: Some(body::permissions(call.fields()?)?), ..role::Change::default() };
    let (db, actor) = author(call).await?;
    refuse_built_in(&db, id, "change").await?;
    let role = role::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &role.permissions))
}

/// A built-in role's permissions follow from the route table.
fn with_permissions(mut role: RoleDetail) -> RoleDetail {
    if let (true, Ok(built_in)) = (role.is_system, role.name.parse()) {
        role.permissions = permission::of_role(built_in).into_iter().collect();
    }
    role
}

async fn author(call: &Call) -> Result<(Db, Actor), Refusal> {
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok((db, actor))
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
