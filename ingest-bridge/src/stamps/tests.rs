use super::*;

type Result = std::result::Result<(), Box<dyn std::error::Error>>;

const SESSION: &str = "bridge@broker";

/// A delivery that the broker does not mark, with a packet id that is not looked at.
fn first<'a>(topic: &'a str, payload: &'a str) -> Delivery<'a> {
    Delivery { topic, payload: payload.as_bytes(), packet: 0, repeated: false, shared: false }
}

/// One with a packet id, marked as repeated.
fn repeated<'a>(topic: &'a str, payload: &'a str, packet: u16) -> Delivery<'a> {
    Delivery { packet, repeated: true, ..first(topic, payload) }
}

fn again(stamps: &Stamps, delivery: Delivery<'_>) -> Option<i64> {
    stamps.again(delivery).map(|t| t.0)
}

/// Takes a message as the session does; returns its time.
fn take(stamps: &mut Stamps, sequence: u64, delivery: Delivery<'_>, now: i64) -> io::Result<i64> {
    let known = stamps.again(delivery);
    let time = known.unwrap_or(Timestamp(now));
    stamps.given(sequence, delivery, time, known.is_some())?;
    Ok(time.0)
}

#[test]
fn what_comes_again_has_its_time_again() -> Result {
    let mut stamps = Stamps::in_memory();
    stamps.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (5, "b"), (6, "c")] {
        take(&mut stamps, sequence, first("t", payload), 100 + sequence as i64)?;
    }
    take(&mut stamps, 7, first("u", "a"), 107)?;
    assert_eq!(again(&stamps, first("t", "a")), None, "on the same connection it is another message");
    stamps.acknowledged(1)?;
    stamps.connected(true)?;
    assert_eq!(again(&stamps, first("t", "a")), None, "acknowledged");
    assert_eq!(again(&stamps, first("u", "a")), Some(107));
    assert_eq!(
        again(&stamps, Delivery { shared: true, ..first("u", "a") }),
        None,
        "perhaps another bridge's"
    );
    for (sequence, payload, time) in [(10, "b", 102), (11, "b", 105), (12, "c", 106)] {
        assert_eq!(take(&mut stamps, sequence, first("t", payload), 999)?, time);
    }
    assert_eq!(again(&stamps, first("t", "b")), None, "a new one with the same payload");
    Ok(())
}

#[test]
fn a_lost_acknowledgement_is_noticed_by_the_packet_id() -> Result {
    let mut stamps = Stamps::in_memory();
    stamps.connected(false)?;
    for n in 1..=4_u16 {
        take(&mut stamps, n.into(), Delivery { packet: n, ..first("t", "x") }, 100 + i64::from(n))?;
    }
    stamps.acknowledged(3)?;
    stamps.connected(true)?;
    // of the three acknowledgements the broker had only the first one
    for (n, time) in [(2, 102), (3, 103), (4, 104)] {
        assert_eq!(take(&mut stamps, 10 + u64::from(n), repeated("t", "x", n), 999)?, time);
    }
    assert_eq!(take(&mut stamps, 20, Delivery { packet: 5, ..first("t", "x") }, 200)?, 200);
    assert_eq!(again(&stamps, repeated("t", "x", 2)), None, "once");
    Ok(())
}

#[test]
fn an_old_acknowledgement_was_not_lost() -> Result {
    let mut stamps = Stamps::in_memory();
    stamps.connected(false)?;
    take(&mut stamps, 1, repeated("t", "x", 1), 0)?;
    take(&mut stamps, 2, repeated("t", "x", 2), UNSURE_US + 1)?;
    stamps.acknowledged(2)?;
    stamps.connected(true)?;
    assert_eq!(again(&stamps, repeated("t", "x", 1)), None);
    assert_eq!(again(&stamps, repeated("t", "x", 2)), Some(UNSURE_US + 1));
    Ok(())
}

#[test]
fn what_the_broker_has_forgotten_does_not_come_again() -> Result {
    let mut stamps = Stamps::in_memory();
    stamps.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        take(&mut stamps, sequence, first("t", payload), sequence as i64)?;
    }
    stamps.connected(true)?;
    take(&mut stamps, 4, first("t", "new"), 104)?;
    assert_eq!(again(&stamps, first("t", "c")), None, "the topic has gone on");
    stamps.connected(false)?;
    assert_eq!(again(&stamps, first("t", "new")), None, "a new session");
    assert_eq!(again(&stamps, repeated("t", "new", 0)), None, "a new session");
    Ok(())
}

#[test]
fn a_second_loss_changes_nothing() -> Result {
    let mut stamps = Stamps::in_memory();
    stamps.connected(false)?;
    for (sequence, payload) in [(1, "a"), (2, "b"), (3, "c")] {
        take(&mut stamps, sequence, first("t", payload), sequence as i64)?;
    }
    stamps.connected(true)?;
    take(&mut stamps, 4, first("t", "a"), 999)?;
    stamps.connected(true)?;
    for (sequence, payload, time) in [(5, "a", 1), (6, "b", 2), (7, "c", 3)] {
        assert_eq!(take(&mut stamps, sequence, first("t", payload), 999)?, time);
    }
    Ok(())
}

#[test]
fn a_process_knows_what_the_one_before_it_gave() -> Result {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("stamps");
    let mut stamps = Stamps::keeping_in(&path, SESSION)?;
    stamps.connected(false)?;
    let last = PLACES + 10;
    for n in 1..=last {
        let payload = n.to_string();
        take(&mut stamps, n, Delivery { packet: n as u16, ..first("t", &payload) }, n as i64)?;
        stamps.acknowledged(n.saturating_sub(2))?;
    }
    drop(stamps);
    let mut stamps = Stamps::keeping_in(&path, SESSION)?;
    stamps.connected(true)?;
    let text = |n: u64| n.to_string();
    assert_eq!(again(&stamps, first("t", &text(last - 2))), None, "acknowledged");
    assert_eq!(again(&stamps, repeated("t", &text(last - 2), (last - 2) as u16)), Some(last as i64 - 2));
    for n in [last - 1, last] {
        assert_eq!(take(&mut stamps, n, first("t", &text(n)), 0)?, n as i64);
    }
    drop(stamps);
    // delivered twice, not acknowledged, and known once
    let mut stamps = Stamps::keeping_in(&path, SESSION)?;
    stamps.connected(true)?;
    for n in [last - 1, last] {
        assert_eq!(take(&mut stamps, n, first("t", &text(n)), 0)?, n as i64);
        assert_eq!(again(&stamps, first("t", &text(n))), None);
    }
    drop(stamps);
    let mut other = Stamps::keeping_in(&path, "another session")?;
    other.connected(true)?;
    assert_eq!(again(&other, first("t", &text(last))), None);
    Ok(())
}
