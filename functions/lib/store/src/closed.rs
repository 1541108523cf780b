//! Which alarms and tickets are not closed, in SQL. pm-domain defines it (`alarm::is_closed`, `ticket::is_closed`); a test
//! compares. The schema's partial index on open alarms uses the same condition, and its function `ticket_is_closed` lists
//! the closed states of tickets.

/// The condition for an alarm that is not closed, of a row with this prefix (`"a."`).
macro_rules! alarm_is_open {
    () => {
        $crate::closed::alarm_is_open!("")
    };
    ($prefix:literal) => {
        concat!($prefix, "status <> 'resolved'")
    };
}

/// The condition for a ticket that is not closed, of a row with this prefix (`"t."`).
macro_rules! ticket_is_open {
    () => {
        $crate::closed::ticket_is_open!("")
    };
    ($prefix:literal) => {
        concat!("not ticket_is_closed(", $prefix, "status)")
    };
}

pub(crate) use {alarm_is_open, ticket_is_open};

#[cfg(test)]
mod tests {
    use pm_api::{AlarmStatus, TicketStatus};
    use pm_domain::{alarm, ticket};

    #[test]
    fn sql_and_rules_agree_on_what_is_closed() {
        let quoted = |words: Vec<&str>| format!("'{}'", words.join("', '"));
        let alarms = AlarmStatus::ALL.iter().filter(|s| alarm::is_closed(**s)).map(|s| s.as_str()).collect();
        assert_eq!(alarm_is_open!("a."), format!("a.status <> {}", quoted(alarms)));
        let tickets =
            TicketStatus::ALL.iter().filter(|s| ticket::is_closed(**s)).map(|s| s.as_str()).collect();
        let migration = include_str!("../../../../migrations/0011_tickets.sql");
        assert!(migration.contains(&format!("select status in ({})\n", quoted(tickets))));
        assert_eq!(ticket_is_open!("t."), "not ticket_is_closed(t.status)");
    }
}
