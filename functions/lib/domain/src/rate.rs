//! How many requests a client may send in a minute.
//!
//! Instances of a component share no memory, and a write to the database for every request would cost more than most
//! requests do. So each instance counts by itself ([`MinuteCounts`]) and adds its count to the common one now and then; it
//! refuses once the common count is beyond the limit. The limit therefore holds roughly: a client may get up to
//! [`REPORTED_EVERY`] requests more from every instance.

use crate::duration::MINUTE_S;
use pm_api::Timestamp;
use std::collections::HashMap;

/// Requests of one client after which an instance adds its count to the common one; sooner when the limit is low.
pub const REPORTED_EVERY: u32 = 16;
/// Clients that an instance counts at most; of more, it forgets all.
const MAX_TRACKED_CLIENTS: usize = 4096;

/// The number of the minute (since 1970), and the seconds until the next one.
#[must_use]
pub fn minute_of(now: Timestamp) -> (i64, i64) {
    let seconds = now.0.div_euclid(Timestamp::SECOND);
    (seconds.div_euclid(MINUTE_S), MINUTE_S - seconds.rem_euclid(MINUTE_S))
}

/// What an instance knows of a client in the present minute.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct ClientCount {
    unreported: u32,
    /// Is the common count beyond the limit?
    over: bool,
}

/// What an instance knows of the present minute.
#[derive(Debug, Default)]
pub struct MinuteCounts {
    number: i64,
    clients: HashMap<String, ClientCount>,
}

/// What to do about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Serve it.
    Serve,
    /// Add this many requests to the common count first.
    Report(u32),
    /// Refuse it.
    Refuse,
}

impl MinuteCounts {
    /// Counts a request of a client in the minute of this number, of which `limit` are allowed.
    pub fn count(&mut self, client: &str, number: i64, limit: u32) -> Decision {
        if self.number != number || self.clients.len() > MAX_TRACKED_CLIENTS {
            *self = Self { number, clients: HashMap::new() };
        }
        let client = self.clients.entry(client.to_owned()).or_default();
        if client.over {
            return Decision::Refuse;
        }
        client.unreported += 1;
        if client.unreported < REPORTED_EVERY.min(limit / 8) {
            return Decision::Serve;
        }
        Decision::Report(std::mem::take(&mut client.unreported))
    }

    /// Takes note of the common count of a client in the minute of this number. Is it beyond the limit?
    pub fn is_over(&mut self, client: &str, number: i64, all: i64, limit: u32) -> bool {
        let over = all > i64::from(limit);
        if over && self.number == number {
            self.clients.entry(client.to_owned()).or_default().over = true;
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_instance_reports_its_counts_and_refuses_clients_over_the_limit() {
        let mut minute = MinuteCounts::default();
        let mut served = 0;
        while minute.count("a", 1, 6000) == Decision::Serve {
            served += 1;
        }
        assert_eq!(served, REPORTED_EVERY - 1);
        assert_eq!(minute.count("a", 1, 6000), Decision::Serve, "the count starts again");
        assert!(!minute.is_over("a", 1, 6000, 6000));
        assert!(minute.is_over("a", 1, 6001, 6000));
        assert_eq!(minute.count("a", 1, 6000), Decision::Refuse);
        assert_eq!(minute.count("b", 1, 6000), Decision::Serve, "another client");
        assert_eq!(minute.count("a", 2, 6000), Decision::Serve, "the next minute");
        assert!(minute.is_over("a", 1, 6001, 6000));
        assert_eq!(minute.count("a", 2, 6000), Decision::Serve, "the count of the minute before");
        assert_eq!(minute.count("c", 2, 8), Decision::Report(1), "a low limit holds exactly");
    }

    #[test]
    fn a_minute_has_a_number_and_an_end() {
        let second = Timestamp::SECOND;
        for (now, expected) in [(0, (0, 60)), (59 * second, (0, 1)), (60 * second, (1, 60)), (-1, (-1, 1))] {
            assert_eq!(minute_of(Timestamp(now)), expected, "{now}");
        }
    }

    proptest! {
        #[test]
        fn a_client_gets_its_limit_and_at_most_one_report_of_each_instance_more(
            limit in 1_u32..200,
            instances in 1_usize..5,
            choices in prop::collection::vec(any::<prop::sample::Index>(), 0..600),
        ) {
            let mut minutes: Vec<_> = (0..instances).map(|_| MinuteCounts::default()).collect();
            let (mut all, mut served) = (0_i64, 0_i64);
            for (sent, choice) in (1_i64..).zip(choices) {
                let minute = &mut minutes[choice.index(instances)];
                let refused = match minute.count("client", 7, limit) {
                    Decision::Serve => false,
                    Decision::Refuse => true,
                    Decision::Report(requests) => {
                        all += i64::from(requests);
                        minute.is_over("client", 7, all, limit)
                    }
                };
                served += i64::from(!refused);
                prop_assert!(!refused || sent > i64::from(limit), "refused within the limit");
            }
            let extra = i64::from(REPORTED_EVERY) * i64::try_from(instances)?;
            prop_assert!(served <= i64::from(limit) + extra, "{served}");
        }
    }
}
