//! Who sees and changes the comments and files of alarms and tickets.

use pm_api::{Role, UserId};

/// Does this role see internal comments? To everyone else they do not exist.
#[must_use]
pub fn sees_internal(role: Role) -> bool {
    role >= Role::Engineer
}

/// May the user change or delete what `owner` wrote or stored? Their own, or anything as an administrator. The owner of a
/// file may be gone.
#[must_use]
pub fn may_change(owner: Option<UserId>, user: UserId, role: Role) -> bool {
    owner == Some(user) || role == Role::Admin
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn comments_and_files_are_changed_by_their_owners_and_administrators() {
        let (ann, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        for &role in Role::ALL {
            assert!(may_change(Some(ann), ann, role));
            for owner in [Some(bob), None] {
                assert_eq!(may_change(owner, ann, role), role == Role::Admin, "{role}");
            }
        }
    }

    #[test]
    fn internal_comments_are_for_engineers_and_administrators() {
        let seeing: Vec<_> = Role::ALL.iter().copied().filter(|role| sees_internal(*role)).collect();
        assert_eq!(seeing, [Role::Engineer, Role::Admin]);
    }
}
