//! What the bridge relies on: the embedded broker keeps a persistent session and delivers again what was not
//! acknowledged; a burst passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use pm_stack::ports::free_port;
use pm_stack::service::{Ready, Running, Service};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(30);

async fn broker() -> Result<(SocketAddr, Running)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let logs = std::env::temp_dir();
    let ready = Ready::Listens(address);
    let service = Service::new("pm-broker-test", env!("CARGO_BIN_EXE_pm-stack"), ready.clone());
    let running = service.args(["broker", "--mqtt", &address.to_string()]).spawn(&logs)?;
    anyhow::ensure!(ready.wait(LIMIT).await, "the broker does not listen");
    Ok((address, running))
}

fn client(address: SocketAddr, id: &str) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, address.ip().to_string(), address.port());
    options.set_clean_session(false).set_manual_acks(true).set_max_packet_size(1 << 20, 1 << 20);
    AsyncClient::new(options, 100)
}

async fn next(events: &mut EventLoop) -> Result<Packet> {
    loop {
        if let Event::Incoming(packet) = timeout(LIMIT, events.poll()).await.context("silence")?? {
            return Ok(packet);
        }
    }
}

async fn subscribe(address: SocketAddr, filter: &str) -> Result<(AsyncClient, EventLoop)> {
    let (subscriber, mut events) = client(address, "subscriber");
    subscriber.subscribe(filter, QoS::AtLeastOnce).await?;
    while !matches!(next(&mut events).await?, Packet::SubAck(_)) {}
    Ok((subscriber, events))
}

async fn publish(address: SocketAddr, count: u32, padding: usize) -> Result<()> {
    let (publisher, mut events) = client(address, "publisher");
    let sender = tokio::spawn(async move {
        for number in 0..count {
            let payload = format!("{number}{}", " ".repeat(padding));
            publisher.publish("factory/a", QoS::AtLeastOnce, false, payload).await?;
        }
        anyhow::Ok(publisher)
    });
    let mut acknowledged = 0;
    while acknowledged < count {
        if let Packet::PubAck(_) = next(&mut events).await? {
            acknowledged += 1;
        }
    }
    sender.await??;
    Ok(())
}

fn number(packet: &Packet) -> Result<Option<u32>> {
    let Packet::Publish(message) = packet else { return Ok(None) };
    Ok(Some(std::str::from_utf8(&message.payload)?.trim().parse()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_acknowledged_comes_again_after_a_reconnect() -> Result<()> {
    const ACKNOWLEDGED: u32 = 10;
    let (address, _broker) = broker().await?;
    let (subscriber, mut events) = subscribe(address, "factory/#").await?;
    publish(address, 30, 0).await?;
    let mut seen = 0;
    while seen < 20 {
        let packet = next(&mut events).await?;
        if let Packet::Publish(message) = &packet {
            if seen < ACKNOWLEDGED {
                subscriber.ack(message).await?;
            }
            seen += 1;
        }
    }
    // let the acknowledgements leave, then the connection breaks without a word
    while let Ok(event) = timeout(Duration::from_millis(300), events.poll()).await {
        event?;
    }
    drop((subscriber, events));
    publish(address, 40, 0).await?;

    let (subscriber, mut events) = client(address, "subscriber");
    let mut again = Vec::new();
    while again.len() < 60 {
        let packet = next(&mut events).await?;
        match &packet {
            Packet::ConnAck(answer) if !answer.session_present => bail!("the session is gone"),
            Packet::Publish(message) => {
                again.extend(number(&packet)?);
                subscriber.ack(message).await?;
            }
            _ => {}
        }
    }
    let expected: Vec<u32> = (ACKNOWLEDGED..30).chain(0..40).collect();
    assert_eq!(again, expected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_twenty_thousand_passes() -> Result<()> {
    const COUNT: u32 = 20_000;
    let (address, _broker) = broker().await?;
    let (subscriber, mut events) = subscribe(address, "factory/#").await?;
    let publishing = tokio::spawn(publish(address, COUNT, 200));
    let mut expected = 0;
    while expected < COUNT {
        let packet = next(&mut events).await?;
        if let (Packet::Publish(message), Some(found)) = (&packet, number(&packet)?) {
            assert_eq!(found, expected);
            expected += 1;
            subscriber.ack(message).await?;
        }
    }
    publishing.await??;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_half_a_mebibyte_passes() -> Result<()> {
    let (address, _broker) = broker().await?;
    let (_subscriber, mut events) = subscribe(address, "factory/#").await?;
    publish(address, 1, 512 * 1024).await?;
    loop {
        if number(&next(&mut events).await?)? == Some(0) {
            return Ok(());
        }
    }
}
