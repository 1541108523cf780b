//! Sensors that publish with QoS 1 as patient devices do: what is not acknowledged is sent again after a reconnect.
//! Every message is numbered, and its number says machine, sensor, time and value, so that a ledger of one count is
//! enough to know what must be stored.
//!
//! It speaks MQTT itself, because the order of acknowledgements and the repeats are what is tested.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout},
};

pub(crate) const MACHINES: u64 = 8;
pub(crate) const SENSORS: u64 = 5;
const STEP: Duration = Duration::from_millis(10);
const PACKET_IDS: u64 = 60_000;
/// No more than this many without acknowledgement.
const WINDOW: usize = 5000;

/// What numbered messages say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Messages a second.
    pub per_second: u64,
    /// Time of message 0, µs since 1970.
    pub start_us: u64,
    /// Do messages carry their time?
    pub dated: bool,
    /// What was acknowledged within this time before a connection was lost is sent again: for a broker that
    /// acknowledges before it saves.
    pub distrust: Duration,
    /// Number of the first message.
    pub first: u64,
}

impl Plan {
    /// Dated messages from now on.
    pub(crate) fn new(per_second: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { per_second, start_us: now.as_micros() as u64, dated: true, distrust: Duration::ZERO, first: 0 }
    }

    /// The same, going on after `count` messages.
    pub(crate) fn after(self, count: u64) -> Self {
        Self { first: count, ..self }
    }

    pub(crate) fn machine(&self, number: u64) -> String {
        format!("fault-{}", number % MACHINES)
    }

    pub(crate) fn sensor(&self, number: u64) -> String {
        format!("s{}", number / MACHINES % SENSORS)
    }

    /// Time of a message, µs since 1970.
    pub(crate) fn time_us(&self, number: u64) -> u64 {
        self.start_us + number * 1_000_000 / self.per_second
    }

    fn topic(&self, number: u64) -> String {
        format!("factory/faults/{}/sensors", number % MACHINES)
    }

    fn payload(&self, number: u64) -> String {
        let mut payload = json!({
            "machine_id": self.machine(number), "sensor_id": self.sensor(number), "value": number
        });
        if self.dated {
            payload["timestamp"] = json!(self.time_us(number));
        }
        payload.to_string()
    }
}

#[derive(Default)]
struct Shared {
    acknowledged: AtomicU64,
    connections: AtomicU64,
    stop: AtomicBool,
}

/// Sensors at work.
pub(crate) struct Sensors {
    plan: Plan,
    shared: Arc<Shared>,
    work: JoinHandle<Result<u64>>,
}

impl Sensors {
    /// Publishes to the broker at an `mqtt://[user:password@]host:port` until [`Self::finish`].
    pub(crate) fn start(url: &str, plan: Plan) -> Result<Self> {
        let rest = url.strip_prefix("mqtt://").context("an mqtt:// address")?;
        let (login, address) = rest.rsplit_once('@').map_or((None, rest), |(l, a)| (Some(l), a));
        let login = login.and_then(|l| l.split_once(':')).map(|(u, p)| (u.to_owned(), p.to_owned()));
        let shared = Arc::new(Shared::default());
        let device = Device {
            address: address.to_owned(),
            login,
            plan,
            shared: shared.clone(),
            next: plan.first,
            open: BTreeMap::new(),
            recent: VecDeque::new(),
        };
        Ok(Self { plan, shared, work: tokio::spawn(device.run()) })
    }

    /// Messages that the broker has acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(SeqCst)
    }

    /// Waits until `more` further messages are acknowledged.
    pub(crate) async fn until_acknowledged(&self, more: u64) -> Result<()> {
        let wanted = self.acknowledged() + more;
        let end = Instant::now() + super::LIMIT;
        while self.acknowledged() < wanted {
            ensure!(!self.work.is_finished(), "the sensors have stopped");
            ensure!(
                Instant::now() < end,
                "the broker acknowledges nothing: {} of {wanted}",
                self.acknowledged()
            );
            tokio::time::sleep(STEP).await;
        }
        Ok(())
    }

    /// Publishes no more, waits until everything is acknowledged; returns what must be stored.
    pub(crate) async fn finish(self) -> Result<(Plan, u64)> {
        self.shared.stop.store(true, SeqCst);
        let sent = timeout(Duration::from_secs(90), self.work).await;
        let sent =
            sent.with_context(|| format!("only {} acknowledged", self.shared.acknowledged.load(SeqCst)))???;
        Ok((self.plan, sent))
    }
}

struct Device {
    address: String,
    login: Option<(String, String)>,
    plan: Plan,
    shared: Arc<Shared>,
    /// The next number.
    next: u64,
    /// Sent and not acknowledged: packet id and number, in the order of numbers.
    open: BTreeMap<u64, u16>,
    /// Acknowledged lately.
    recent: VecDeque<(Instant, u64)>,
}

impl Device {
    async fn run(mut self) -> Result<u64> {
        loop {
            if let Ok(()) = self.connection().await {
                return Ok(self.next);
            }
            let distrust = self.plan.distrust;
            for (at, number) in std::mem::take(&mut self.recent) {
                if at.elapsed() < distrust {
                    self.open.insert(number, packet_id(number));
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One connection, from connecting to the end of all work.
    async fn connection(&mut self) -> Result<()> {
        let stream = timeout(Duration::from_secs(5), TcpStream::connect(&self.address)).await??;
        stream.set_nodelay(true)?;
        let (mut from, mut to) = stream.into_split();
        to.write_all(&connect(self.login.as_ref())).await?;
        let mut answer = [0; 4];
        timeout(Duration::from_secs(5), from.read_exact(&mut answer)).await??;
        ensure!(answer[0] == 0x20 && answer[3] == 0, "refused: {answer:?}");
        self.shared.connections.fetch_add(1, SeqCst);
        let mut again = Vec::new();
        for (number, id) in &self.open {
            again.extend(publish(&self.plan.topic(*number), &self.plan.payload(*number), *id, true));
        }
        to.write_all(&again).await?;
        let mut beat = interval(STEP);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut debt, mut silent_since) = (0_f64, Instant::now());
        let mut answer = [0; 4];
        let mut filled = 0;
        loop {
            let stopping = self.shared.stop.load(SeqCst);
            if stopping && self.open.is_empty() {
                return Ok(());
            }
            tokio::select! {
                _ = beat.tick() => {
                    debt += if stopping { 0.0 } else { self.plan.per_second as f64 * STEP.as_secs_f64() };
                    let mut packets = Vec::new();
                    while debt >= 1.0 {
                        debt -= 1.0;
                        if self.open.len() < WINDOW {
                            let (number, id) = (self.next, packet_id(self.next));
                            packets.extend(publish(&self.plan.topic(number), &self.plan.payload(number), id, false));
                            self.open.insert(number, id);
                            self.next += 1;
                        }
                    }
                    timeout(Duration::from_secs(5), to.write_all(&packets)).await??;
                    // undated messages that are sent again are others
                    let stall_timeout = Duration::from_secs(if self.plan.dated { 5 } else { 60 });
                    let silent = !self.open.is_empty() && silent_since.elapsed() > stall_timeout;
                    ensure!(!silent, "no acknowledgement in {stall_timeout:?}");
                }
                read = from.read(&mut answer[filled..]) => {
                    filled += read?;
                    ensure!(filled > 0, "closed");
                    if filled == 4 {
                        filled = 0;
                        silent_since = Instant::now();
                        ensure!(answer[0] == 0x40, "not an acknowledgement: {answer:?}");
                        self.acknowledged(u16::from_be_bytes([answer[2], answer[3]]));
                    } else {
                        ensure!(filled < 4 && (filled == 0 || answer[0] == 0x40), "not an acknowledgement");
                    }
                }
            }
        }
    }

    fn acknowledged(&mut self, id: u16) {
        let found = self.open.iter().find(|(_, open)| **open == id).map(|(number, _)| *number);
        if let Some(number) = found {
            self.open.remove(&number);
            self.shared.acknowledged.fetch_add(1, SeqCst);
            self.recent.push_back((Instant::now(), number));
            while self.recent.front().is_some_and(|(at, _)| at.elapsed() > self.plan.distrust) {
                self.recent.pop_front();
            }
        }
    }
}

fn packet_id(number: u64) -> u16 {
    (number % PACKET_IDS + 1) as u16
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

fn packet(head: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![head];
    let mut length = body.len();
    loop {
        let more = length > 127;
        packet.push((length % 128) as u8 | if more { 128 } else { 0 });
        length /= 128;
        if !more {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn connect(login: Option<&(String, String)>) -> Vec<u8> {
    let flags = 0x02 | if login.is_some() { 0xc0 } else { 0 };
    let mut body = [text("MQTT").as_slice(), &[4, flags, 0, 120], &text("faulty-sensors")].concat();
    if let Some((user, password)) = login {
        body.extend(text(user));
        body.extend(text(password));
    }
    packet(0x10, &body)
}

fn publish(topic: &str, payload: &str, id: u16, again: bool) -> Vec<u8> {
    let body = [text(topic).as_slice(), &id.to_be_bytes(), payload.as_bytes()].concat();
    packet(if again { 0x3a } else { 0x32 }, &body)
}
