//! Login throttling: how long a key (an account or an address) is blocked after failures in the running window.

use crate::duration::MINUTE_S;

/// Length of the window in which failures are counted, seconds.
pub const WINDOW_S: i64 = 15 * MINUTE_S;
/// Registrations from one address in the window before it is blocked.
pub const MAX_REGISTRATIONS_PER_ADDRESS: i32 = 20;
/// Password resets from one address in the window before it is blocked.
pub const ADDRESS_RESETS: i32 = 20;
/// Mails for one account with a link to reset its password, in the window; more are not sent.
pub const ACCOUNT_RESETS: i32 = 3;
/// Longest block, seconds.
const MAX_BLOCK_S: i64 = 15 * MINUTE_S;

/// Seconds to block after the given number of failures: none up to `allowed`, then doubling from 30 s to 15 min.
#[must_use]
pub fn block_s(failures: i32, allowed: i32) -> Option<i64> {
    let over = failures.checked_sub(allowed)?;
    (over >= 0).then(|| MAX_BLOCK_S.min(30_i64 << over.min(5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling() {
        let blocks: Vec<_> = [0, 9, 10, 11, 12, 14, 15, 1000].map(|n| block_s(n, 10)).into();
        assert_eq!(blocks, [None, None, Some(30), Some(60), Some(120), Some(480), Some(900), Some(900)]);
    }
}
