//! How much may be stored: for one account, and in all. What is stored is counted before something is added, so requests of
//! the same moment may go a little further.

use crate::settings::{Key, Values};

/// A mebibyte, the unit of the settings.
const MIB: i64 = 1024 * 1024;
/// As how much a report counts that is being made, bytes: its size is not known yet.
pub const UNFINISHED_REPORT_BYTES: i64 = 32 * MIB;

/// What is stored, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// By the account.
    pub by_account: i64,
    /// By all accounts.
    pub in_all: i64,
}

/// What may be stored of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    kind: &'static str,
    account_mib: i64,
    total_mib: i64,
}

/// Why nothing more is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// The account has enough.
    #[error("Your {kind} may take {mib} MiB in all: delete some that you no longer need")]
    Account {
        /// Of what.
        kind: &'static str,
        /// The limit, MiB.
        mib: i64,
    },
    /// All accounts together have enough.
    #[error("The {kind} of all accounts may take {mib} MiB: ask an administrator")]
    Total {
        /// Of what.
        kind: &'static str,
        /// The limit, MiB.
        mib: i64,
    },
}

impl Quota {
    /// Settings that [`Self::of_attachments`] needs.
    pub const ATTACHMENT_KEYS: [Key; 2] = [Key::AttachmentsAccountMaxMib, Key::AttachmentsTotalMaxMib];
    /// Settings that [`Self::of_reports`] needs.
    pub const REPORT_KEYS: [Key; 2] = [Key::ReportsAccountMaxMib, Key::ReportsTotalMaxMib];

    /// That of attachments.
    #[must_use]
    pub fn of_attachments(settings: &Values) -> Self {
        Self::of("attachments", Self::ATTACHMENT_KEYS, settings)
    }

    /// That of reports.
    #[must_use]
    pub fn of_reports(settings: &Values) -> Self {
        Self::of("reports", Self::REPORT_KEYS, settings)
    }

    fn of(kind: &'static str, [account, total]: [Key; 2], settings: &Values) -> Self {
        Self { kind, account_mib: settings.integer(account), total_mib: settings.integer(total) }
    }

    /// May so many bytes be added to what is stored?
    ///
    /// # Errors
    /// Which limit forbids it.
    pub fn check(self, stored: Stored, more_bytes: i64) -> Result<(), Exceeded> {
        let Self { kind, account_mib, total_mib } = self;
        let fits = |stored: i64, mib: i64| stored.saturating_add(more_bytes) <= mib.saturating_mul(MIB);
        if !fits(stored.by_account, account_mib) {
            Err(Exceeded::Account { kind, mib: account_mib })
        } else if !fits(stored.in_all, total_mib) {
            Err(Exceeded::Total { kind, mib: total_mib })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_and_all_accounts_have_a_limit_each() {
        let pair = |key: Key, value: i64| (key.definition().key.to_owned(), Some(value.to_string()));
        let [account, total] = Quota::ATTACHMENT_KEYS;
        let quota = Quota::of_attachments(&Values::new([pair(account, 2), pair(total, 3)]));
        let of_account = Err(Exceeded::Account { kind: "attachments", mib: 2 });
        let of_all = Err(Exceeded::Total { kind: "attachments", mib: 3 });
        for (by_account, in_all, more, expected) in [
            (0, 0, 2 * MIB, Ok(())),
            (0, 0, 2 * MIB + 1, of_account.clone()),
            (MIB, MIB, MIB, Ok(())),
            (MIB, MIB, MIB + 1, of_account.clone()),
            (0, 3 * MIB, 0, Ok(())),
            (0, 3 * MIB, 1, of_all),
            (3 * MIB, 3 * MIB, 0, of_account.clone()),
            (0, 0, i64::MAX, of_account),
        ] {
            let stored = Stored { by_account, in_all };
            assert_eq!(quota.check(stored, more), expected, "{by_account} {in_all} {more}");
        }
    }

    #[test]
    fn without_a_setting_something_may_be_stored() {
        let nothing = Stored { by_account: 0, in_all: 0 };
        let settings = Values::default();
        assert_eq!(Quota::of_attachments(&settings).check(nothing, 25 * MIB), Ok(()));
        assert_eq!(Quota::of_reports(&settings).check(nothing, UNFINISHED_REPORT_BYTES), Ok(()));
    }
}
