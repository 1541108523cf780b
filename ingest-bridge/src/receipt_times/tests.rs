use super::*;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

const SESSION: &str = "bridge@broker";

/// A delivery that the broker does not mark as repeated; its packet id does not matter.
fn first<'a>(topic: &'a str, payload: &'a str) -> Delivery<'a> {
    Delivery { topic, payload: payload.as_bytes(), packet: 0, repeated: false, shared: false }
}

/// A delivery with a packet id, marked as repeated.
fn repeated<'a>(topic: &'a str, payload: &'a str, packet: u16) -> Delivery<'a> {
    Delivery { packet, repeated: true, ..first(topic, payload) }
}

fn again(times: &ReceiptTimes, delivery: Delivery<'_>) -> Option<i64> {
    times.find_repeated(delivery).map(|t| t.0)
}

/// Records a message as the session does; returns its time.
fn receive(times: &mut ReceiptTimes, sequence: u64, delivery: Delivery<'_>, now: i64) -> io::Result<i64> {
    let known = times.find_repeated(delivery);
    let time = known.unwrap_or(Timestamp(now));
    times.record(sequence, delivery, time, known.is_some())?;
    Ok(time.0)
}

#[test]
fn a_redelivered_message_keeps_its_time() -> Result {
    let mut times = ReceiptTimes::in_memory();
    times.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (5, "b"), (6, "c")] {
        receive(&mut times, sequence, first("t", payload), 100 + sequence as i64)?;
    }
    receive(&mut times, 7, first("u", "a"), 107)?;
    assert_eq!(again(&times, first("t", "a")), None, "on the same connection it is another message");
    times.acknowledged(1)?;
    times.connected(true)?;
    assert_eq!(again(&times, first("t", "a")), None, "acknowledged");
    assert_eq!(again(&times, first("u", "a")), Some(107));
    assert_eq!(again(&times, Delivery { shared: true, ..first("u", "a") }), None, "perhaps another bridge's");
    for (sequence, payload, time) in [(10, "b", 102), (11, "b", 105), (12, "c", 106)] {
        assert_eq!(receive(&mut times, sequence, first("t", payload), 999)?, time);
    }
    assert_eq!(again(&times, first("t", "b")), None, "a new one with the same payload");
    Ok(())
}

#[test]
fn a_lost_acknowledgement_is_recognised_by_the_packet_id() -> Result {
    let mut times = ReceiptTimes::in_memory();
    times.connected(false)?;
    for n in 1..=4_u16 {
        receive(&mut times, n.into(), Delivery { packet: n, ..first("t", "x") }, 100 + i64::from(n))?;
    }
    times.acknowledged(3)?;
    times.connected(true)?;
    // of the three acknowledgements the broker had only the first one
    for (n, time) in [(2, 102), (3, 103), (4, 104)] {
        assert_eq!(receive(&mut times, 10 + u64::from(n), repeated("t", "x", n), 999)?, time);
    }
    assert_eq!(receive(&mut times, 20, Delivery { packet: 5, ..first("t", "x") }, 200)?, 200);
    assert_eq!(again(&times, repeated("t", "x", 2)), None, "once");
    Ok(())
}

#[test]
fn messages_acknowledged_long_ago_are_not_recognised() -> Result {
    let mut times = ReceiptTimes::in_memory();
    times.connected(false)?;
    receive(&mut times, 1, repeated("t", "x", 1), 0)?;
    receive(&mut times, 2, repeated("t", "x", 2), RECENT_ACK_US + 1)?;
    times.acknowledged(2)?;
    times.connected(true)?;
    assert_eq!(again(&times, repeated("t", "x", 1)), None);
    assert_eq!(again(&times, repeated("t", "x", 2)), Some(RECENT_ACK_US + 1));
    Ok(())
}

#[test]
fn passed_messages_and_forgotten_sessions_are_not_recognised() -> Result {
    let mut times = ReceiptTimes::in_memory();
    times.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        receive(&mut times, sequence, first("t", payload), sequence as i64)?;
    }
    times.connected(true)?;
    receive(&mut times, 4, first("t", "new"), 104)?;
    assert_eq!(again(&times, first("t", "c")), None, "the topic has gone on");
    times.connected(false)?;
    assert_eq!(again(&times, first("t", "new")), None, "a new session");
    assert_eq!(again(&times, repeated("t", "new", 0)), None, "a new session");
    Ok(())
}

#[test]
fn times_survive_a_second_loss_of_the_connection() -> Result {
    let mut times = ReceiptTimes::in_memory();
    times.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        receive(&mut times, sequence, first("t", payload), sequence as i64)?;
    }
    times.connected(true)?;
    receive(&mut times, 4, first("t", "a"), 999)?;
    times.connected(true)?;
    for (sequence, payload, time) in [(5, "a", 1), (6, "b", 2), (7, "c", 3)] {
        assert_eq!(receive(&mut times, sequence, first("t", payload), 999)?, time);
    }
    Ok(())
}

#[test]
fn times_survive_a_restart_of_the_process() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("receipt-times");
    let mut times = ReceiptTimes::open(&path, SESSION)?;
    times.connected(false)?;
    let last = SLOTS + 10;
    for n in 1..=last {
        let payload = n.to_string();
        receive(&mut times, n, Delivery { packet: n as u16, ..first("t", &payload) }, n as i64)?;
        times.acknowledged(n.saturating_sub(2))?;
    }
    drop(times);
    let mut times = ReceiptTimes::open(&path, SESSION)?;
    times.connected(true)?;
    let text = |n: u64| n.to_string();
    assert_eq!(again(&times, first("t", &text(last - 2))), None, "acknowledged");
    assert_eq!(again(&times, repeated("t", &text(last - 2), (last - 2) as u16)), Some(last as i64 - 2));
    for n in [last - 1, last] {
        assert_eq!(receive(&mut times, n, first("t", &text(n)), 0)?, n as i64);
    }
    drop(times);
    // delivered twice, not acknowledged, and known once
    let mut times = ReceiptTimes::open(&path, SESSION)?;
    times.connected(true)?;
    for n in [last - 1, last] {
        assert_eq!(receive(&mut times, n, first("t", &text(n)), 0)?, n as i64);
        assert_eq!(again(&times, first("t", &text(n))), None);
    }
    drop(times);
    let mut other = ReceiptTimes::open(&path, "another session")?;
    other.connected(true)?;
    assert_eq!(again(&other, first("t", &text(last))), None);
    Ok(())
}
