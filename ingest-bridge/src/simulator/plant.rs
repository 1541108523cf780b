//! The machines and sensors: the four documented ones and any number like them.

/// How a healthy sensor behaves. All amplitudes are in the sensor's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SensorKind {
    /// MQTT id.
    pub id: &'static str,
    /// Kind of quantity.
    pub metric: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Documented range.
    pub range: (f64, f64),
    /// Documented warning and critical limits; for a level that must not fall, critical is the lower one.
    pub limits: (f64, f64),
    /// Value at half load.
    pub base: f64,
    /// Added from half to full load.
    pub load: f64,
    /// Daily cycle.
    pub daily: f64,
    /// Slow noise, over minutes.
    pub drift: f64,
    /// Fast noise, from sample to sample.
    pub noise: f64,
}

impl SensorKind {
    /// Is a low value the bad one?
    #[must_use]
    pub fn falls(&self) -> bool {
        self.limits.1 < self.limits.0
    }
}

/// A kind of machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MachineKind {
    /// Name of the documented machine of this kind.
    pub name: &'static str,
    /// Topic of the documented machine.
    pub topic: &'static str,
    /// Its location.
    pub location: &'static str,
    /// Its sensors.
    pub sensors: [SensorKind; 4],
}

#[expect(clippy::too_many_arguments, reason = "a row of the table below")]
const fn sensor(
    id: &'static str,
    metric: &'static str,
    unit: &'static str,
    range: (f64, f64),
    limits: (f64, f64),
    base: f64,
    load: f64,
    daily: f64,
    drift: f64,
    noise: f64,
) -> SensorKind {
    SensorKind { id, metric, unit, range, limits, base, load, daily, drift, noise }
}

/// The documented plant, machine-1 to machine-4. Base values are such that the sum of all amplitudes stays inside the
/// range and clear of the warning limit.
#[rustfmt::skip]
pub const KINDS: [MachineKind; 4] = [
    MachineKind { name: "Pump-01", topic: "factory/demo/line1/machine1/sensors", location: "Building A, Floor 2", sensors: [
        sensor("pressure-head", "pressure", "psi", (100.0, 180.0), (150.0, 180.0), 125.0, 6.0, 2.0, 2.5, 1.0),
        sensor("temp-core", "temperature", "°C", (200.0, 260.0), (250.0, 280.0), 225.0, 6.0, 4.0, 2.0, 0.6),
        sensor("vibe-x", "vibration", "mm/s", (2.0, 5.0), (4.0, 6.0), 2.9, 0.25, 0.05, 0.15, 0.08),
        sensor("flow-rate", "flow_rate", "L/min", (50.0, 150.0), (130.0, 145.0), 95.0, 12.0, 3.0, 3.0, 1.2),
    ]},
    MachineKind { name: "Motor-02", topic: "factory/demo/line2/machine2/sensors", location: "Building A, Floor 1", sensors: [
        sensor("current-phase-a", "current", "A", (10.0, 50.0), (18.0, 22.0), 14.0, 1.6, 0.2, 0.4, 0.15),
        sensor("temp-winding", "temperature", "°C", (60.0, 120.0), (100.0, 110.0), 80.0, 5.0, 4.0, 2.0, 0.4),
        sensor("vibration-base", "vibration", "mm/s", (1.0, 4.0), (3.5, 4.5), 2.1, 0.25, 0.05, 0.15, 0.08),
        sensor("rpm-shaft", "rpm", "rpm", (1400.0, 1600.0), (1550.0, 1580.0), 1480.0, -12.0, 2.0, 5.0, 2.5),
    ]},
    MachineKind { name: "Compressor-A", topic: "factory/demo/line3/machine3/sensors", location: "Building B, Floor 1", sensors: [
        sensor("pressure-tank", "pressure", "bar", (6.0, 10.0), (9.0, 9.5), 7.6, 0.3, 0.1, 0.15, 0.05),
        sensor("temp-discharge", "temperature", "°C", (40.0, 90.0), (75.0, 85.0), 58.0, 4.0, 3.0, 1.5, 0.4),
        sensor("oil-level", "level", "%", (40.0, 100.0), (50.0, 45.0), 78.0, -1.5, 0.5, 1.0, 0.3),
        sensor("vibration-1", "vibration", "mm/s", (1.5, 4.5), (3.5, 4.5), 2.4, 0.2, 0.05, 0.12, 0.07),
    ]},
    MachineKind { name: "Conveyor-B2", topic: "factory/demo/line2/conveyor/sensors", location: "Building B, Floor 3", sensors: [
        sensor("speed-belt", "speed", "m/s", (0.5, 2.5), (2.2, 2.4), 1.5, -0.06, 0.01, 0.05, 0.02),
        sensor("load-weight", "weight", "kg", (0.0, 500.0), (450.0, 480.0), 240.0, 110.0, 10.0, 12.0, 4.0),
        sensor("temp-bearing", "temperature", "°C", (25.0, 70.0), (60.0, 65.0), 42.0, 4.0, 3.0, 1.5, 0.3),
        sensor("torque-motor", "torque", "Nm", (50.0, 200.0), (180.0, 190.0), 115.0, 22.0, 1.0, 4.0, 2.0),
    ]},
];

/// One simulated machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// MQTT id, `machine-1` …
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Topic it publishes on.
    pub topic: String,
    /// Its location.
    pub location: String,
    /// Its sensors: id and behaviour.
    pub sensors: Vec<Sensor>,
}

/// One simulated sensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    /// MQTT id; like the kind's, with a number beyond the fourth.
    pub id: String,
    /// Behaviour.
    pub kind: SensorKind,
}

/// `machines` machines with `sensors` sensors each. The first four are the documented ones.
#[must_use]
pub fn plant(machines: usize, sensors: usize) -> Vec<Machine> {
    (0..machines).map(|i| machine(i, sensors)).collect()
}

fn machine(index: usize, sensors: usize) -> Machine {
    let kind = KINDS[index % KINDS.len()];
    let number = index + 1;
    let generated = index >= KINDS.len();
    let sensor = |s: usize| {
        let kind = kind.sensors[s % kind.sensors.len()];
        let id = if s < 4 { kind.id.to_owned() } else { format!("{}-{}", kind.id, s / 4 + 1) };
        Sensor { id, kind }
    };
    Machine {
        id: format!("machine-{number}"),
        name: if generated {
            format!("{}-{number}", kind.name.split('-').next().unwrap_or(kind.name))
        } else {
            kind.name.to_owned()
        },
        topic: if generated {
            format!("factory/demo/line{}/machine{number}/sensors", index % 10 + 1)
        } else {
            kind.topic.to_owned()
        },
        location: kind.location.to_owned(),
        sensors: (0..sensors).map(sensor).collect(),
    }
}
