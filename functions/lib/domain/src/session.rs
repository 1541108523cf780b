//! Sessions: what a refresh token is worth.
//!
//! Each use of the current refresh token replaces it. Its predecessor stays good for a moment, because an answer may be
//! lost and because two pages, or ten requests at once, may renew the same session. It gets what the first of them got:
//! the current token. Any other earlier token has been stolen, or somebody else has stolen its successor.

use crate::duration::MINUTE_S;
use pm_api::Timestamp;
use uuid::Uuid;

/// How long a refresh token stays good after it was replaced, seconds.
pub const OVERLAP_S: i64 = 30;
/// How exactly the last use of a session is written down, seconds.
pub const USE_RECORDED_EVERY_S: i64 = MINUTE_S;
/// How often an open event stream checks that its session goes on, seconds.
pub const STREAM_CHECK_S: i64 = 30;

/// A session as the database has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The refresh token that was given last.
    pub current_token: Uuid,
    /// The one that it replaced.
    pub previous_token: Option<Uuid>,
    /// When it replaced it.
    pub rotated_at: Timestamp,
    /// When the session was last used.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Was it ended?
    pub ended: bool,
}

/// Why a session gives no tokens any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// It was ended.
    Ended,
    /// Its time is up.
    Expired,
    /// It was not used for longer than is allowed.
    Inactive,
}

impl Over {
    /// The reason, for the audit log.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Ended => "The session had been ended",
            Self::Expired => "The session had expired",
            Self::Inactive => "The session had not been used for too long",
        }
    }
}

/// What to do about a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It is the current one: replace it.
    Rotate,
    /// It was replaced a moment ago: give the current one again.
    Repeat,
    /// It is an earlier one: end the session.
    Reused,
    /// There is nothing to renew.
    Over(Over),
}

/// What to do about this refresh token of a session. `idle_minutes`: how long a session may go without use; 0: any time.
#[must_use]
pub fn renew(session: &Session, token: Uuid, idle_minutes: i64, now: Timestamp) -> Renewal {
    if session.ended {
        return Renewal::Over(Over::Ended);
    }
    if session.expires_at <= now {
        return Renewal::Over(Over::Expired);
    }
    let replaced_lately = now < session.rotated_at.plus_seconds(OVERLAP_S);
    let renewal = if token == session.current_token {
        Renewal::Rotate
    } else if session.previous_token == Some(token) && replaced_lately {
        Renewal::Repeat
    } else {
        return Renewal::Reused;
    };
    if is_inactive(session.last_used_at, idle_minutes, now) { Renewal::Over(Over::Inactive) } else { renewal }
}

/// Has a session gone without use for longer than is allowed?
#[must_use]
pub fn is_inactive(last_used_at: Timestamp, idle_minutes: i64, now: Timestamp) -> bool {
    idle_minutes > 0 && last_used_at.plus_seconds(idle_minutes.saturating_mul(MINUTE_S)) <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp(1_800_000_000_000_000);

    fn token(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn session() -> Session {
        Session {
            current_token: token(0),
            previous_token: None,
            rotated_at: START,
            last_used_at: START,
            expires_at: START.plus_seconds(1_000_000),
            ended: false,
        }
    }

    #[test]
    fn a_session_without_use_ends_when_the_setting_says_so() {
        let at = |minutes: i64| START.plus_seconds(minutes * MINUTE_S);
        for (idle_minutes, after, expected) in
            [(0, 10_000, Renewal::Rotate), (60, 59, Renewal::Rotate), (60, 60, Renewal::Over(Over::Inactive))]
        {
            assert_eq!(renew(&session(), token(0), idle_minutes, at(after)), expected);
        }
        let ended = Session { ended: true, ..session() };
        assert_eq!(renew(&ended, token(0), 0, START), Renewal::Over(Over::Ended));
        assert_eq!(renew(&session(), token(0), 0, session().expires_at), Renewal::Over(Over::Expired));
    }

    /// Uses of refresh tokens: seconds since the use before, and how many generations back the token is.
    fn uses() -> impl Strategy<Value = Vec<(i64, u128)>> {
        prop::collection::vec((0_i64..60, 0_u128..4), 1..40)
    }

    proptest! {
        #[test]
        fn only_the_current_token_and_its_fresh_predecessor_are_good(uses in uses()) {
            let (mut session, mut now, mut newest) = (session(), START, 0_u128);
            for (pause_s, back) in uses {
                now = now.plus_seconds(pause_s);
                let used = newest.saturating_sub(back);
                let age_s = now.seconds_since(session.rotated_at);
                let renewal = renew(&session, token(used), 0, now);
                let expected = match newest - used {
                    0 => Renewal::Rotate,
                    1 if age_s < OVERLAP_S as f64 => Renewal::Repeat,
                    _ => Renewal::Reused,
                };
                prop_assert_eq!(renewal, expected);
                match renewal {
                    Renewal::Rotate => {
                        newest += 1;
                        session = Session {
                            current_token: token(newest),
                            previous_token: Some(session.current_token),
                            rotated_at: now,
                            last_used_at: now,
                            ..session
                        };
                    }
                    Renewal::Repeat => {}
                    Renewal::Reused | Renewal::Over(_) => break,
                }
            }
        }

        #[test]
        fn any_number_of_requests_with_one_token_stay_in(requests in 1_usize..50, within_s in 0_i64..OVERLAP_S) {
            let mut session = session();
            let mut given = Vec::new();
            for request in 0..requests {
                let now = START.plus_seconds(within_s * request as i64 / requests as i64);
                match renew(&session, token(0), 0, now) {
                    Renewal::Rotate => {
                        session = Session {
                            current_token: token(1), previous_token: Some(token(0)), rotated_at: now, ..session
                        };
                        given.push(session.current_token);
                    }
                    Renewal::Repeat => given.push(session.current_token),
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert!(given.iter().all(|given| *given == token(1)), "all get the same token");
        }
    }
}
