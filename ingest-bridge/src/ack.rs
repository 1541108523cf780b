//! When a message may be acknowledged: once all of its items are committed or safe on disk, and only on the
//! connection it came on, and only in the order of arrival (MQTT 3.1.1, 4.6).

use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A message all of whose items are safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcknowledgeableMessage {
    /// Number of the message since the start of the process.
    pub sequence: u64,
    /// Memory that it took, in bytes.
    pub cost: usize,
}

/// A lane's share in one message. The message is settled when every share was given to [`Share::safe`]; a share that is
/// merely dropped leaves it unacknowledged for ever, so that the broker sends it again.
#[derive(Debug, Clone)]
pub struct Share(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settled: AcknowledgeableMessage,
    report: mpsc::UnboundedSender<AcknowledgeableMessage>,
    missing: std::sync::atomic::AtomicUsize,
}

impl Share {
    /// `count` shares of one message; the last one to be safe is reported to `report`.
    pub fn split(
        count: usize,
        settled: AcknowledgeableMessage,
        report: &mpsc::UnboundedSender<AcknowledgeableMessage>,
    ) -> Self {
        let missing = std::sync::atomic::AtomicUsize::new(count);
        Self(Arc::new(Inner { settled, report: report.clone(), missing }))
    }

    /// This share of the message is committed or on disk.
    pub fn safe(self) {
        if self.0.missing.fetch_sub(1, std::sync::atomic::Ordering::AcqRel) == 1 {
            // A closed channel means that the session has ended, and with it every right to acknowledge.
            let _ = self.0.report.send(self.0.settled);
        }
    }
}

/// The messages of the current connection that wait for their acknowledgement, in the order of arrival.
#[derive(Debug, Default)]
pub struct PendingMessages {
    messages: VecDeque<Entry>,
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    packet_id: u16,
    settled: bool,
}

impl PendingMessages {
    /// A message with quality of service 1 arrived; `sequence` grows from call to call.
    pub fn arrived(&mut self, sequence: u64, packet_id: u16) {
        self.messages.push_back(Entry { sequence, packet_id, settled: false });
    }

    /// The connection is gone: its packet ids mean nothing any more, the broker will send the messages again.
    pub fn connection_lost(&mut self) {
        self.messages.clear();
    }

    /// Notes that a message is safe. Messages of an earlier connection are not known here and not noted.
    pub fn settled(&mut self, sequence: u64) {
        if let Ok(at) = self.messages.binary_search_by_key(&sequence, |e| e.sequence) {
            self.messages[at].settled = true;
        }
    }

    /// The next message to acknowledge, in the order of arrival: its sequence and packet id.
    pub fn pop_ready(&mut self) -> Option<(u64, u16)> {
        self.messages.pop_front_if(|entry| entry.settled).map(|entry| (entry.sequence, entry.packet_id))
    }

    /// Messages that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// No message waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_acknowledged_in_order_of_arrival() {
        let mut waiting = PendingMessages::default();
        for (sequence, packet_id) in [(10, 1), (11, 2), (13, 3)] {
            waiting.arrived(sequence, packet_id);
        }
        waiting.settled(11);
        assert_eq!(waiting.pop_ready(), None, "10 came first");
        waiting.settled(12);
        waiting.settled(10);
        let popped = [waiting.pop_ready(), waiting.pop_ready(), waiting.pop_ready()];
        assert_eq!(popped, [Some((10, 1)), Some((11, 2)), None]);
        assert_eq!(waiting.len(), 1);
    }

    #[test]
    fn messages_of_a_lost_connection_are_not_acknowledged() {
        let mut waiting = PendingMessages::default();
        waiting.arrived(1, 7);
        waiting.connection_lost();
        waiting.arrived(2, 7);
        waiting.settled(1);
        assert_eq!(waiting.pop_ready(), None, "packet id 7 is another message now");
        waiting.settled(2);
        assert_eq!(waiting.pop_ready(), Some((2, 7)));
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_message_is_settled_when_all_shares_are_safe() {
        let (report, mut settled) = mpsc::unbounded_channel();
        let message = AcknowledgeableMessage { sequence: 5, cost: 100 };
        let share = Share::split(2, message, &report);
        let other = share.clone();
        share.safe();
        assert!(settled.try_recv().is_err());
        other.safe();
        assert_eq!(settled.try_recv(), Ok(message));
        drop(Share::split(1, message, &report));
        assert!(settled.try_recv().is_err(), "a dropped share is not safe");
    }
}
