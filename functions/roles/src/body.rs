//! Bodies of requests about roles.

use pm_api::role::NewRole;
use pm_auth::permission;
use pm_store::role::Change;
use pm_web::{Fields, Refusal};

const NAME: usize = 64;
const DESCRIPTION: usize = 2000;
const PERMISSION: usize = 64;

pub(crate) fn new_role(mut fields: Fields) -> Result<NewRole, Refusal> {
    let new = NewRole {
        name: fields.required_text("name", NAME).trim().to_owned(),
        description: fields.text("description", DESCRIPTION).flatten(),
        permissions: known_permissions(&mut fields).unwrap_or_default(),
    };
    fields.end().map(|()| new)
}

pub(crate) fn role_change(mut fields: Fields) -> Result<Change, Refusal> {
    let name = fields.text("name", NAME).flatten().map(|n| n.trim().to_owned());
    if name.as_ref().is_some_and(String::is_empty) {
        fields.refuse("string_too_short", "name", "String should have at least 1 character");
    }
    let change = Change {
        name,
        description: fields.text("description", DESCRIPTION),
        permissions: known_permissions(&mut fields),
    };
    fields.end().map(|()| change)
}

pub(crate) fn permissions(mut fields: Fields) -> Result<Vec<String>, Refusal> {
    let permissions = known_permissions(&mut fields);
    if permissions.is_none() {
        fields.require("permissions");
    }
    fields.end().map(|()| permissions.unwrap_or_default())
}

fn known_permissions(fields: &mut Fields) -> Option<Vec<String>> {
    let given = fields.texts("permissions", PERMISSION)?;
    let all = permission::all();
    if let Some(reserved) = given.iter().find(|p| permission::is_reserved(p)) {
        let why = format!("'{reserved}' is for administrators: its holder could become one");
        fields.refuse("value_error", "permissions", why);
    } else if let Some(unknown) = given.iter().find(|p| !all.contains(*p)) {
        let known: Vec<_> = all.iter().filter(|p| !permission::is_reserved(p)).map(String::as_str).collect();
        let why = format!("'{unknown}' is no permission. Input should be '{}'", known.join("', '"));
        fields.refuse("enum", "permissions", why);
    }
    Some(given)
}
