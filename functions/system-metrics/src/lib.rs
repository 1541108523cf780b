//! Component `system-metrics`: figures of the system, for Prometheus and as JSON.
//!
//! Invariants: the documented gauges keep their names; the text is Prometheus' exposition format 0.0.4, no JSON string;
//! a figure that is not known is left out, never guessed. Deliberately absent: counters of requests (functions have no
//! memory; the log has a line for each).

mod exposition;

use exposition::Exposition;
use http::{HeaderValue, StatusCode};
use pm_api::{metrics::Metrics, route::op, tick::BridgeHealth};
use pm_domain::clock::BRIDGE_SILENT_AFTER_S;
use pm_store::{
    health,
    metrics::{self, Figure},
};
use pm_web::{Answer, Call, Input, Outcome, Refusal, Request, bytes_reply, handlers, now, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Metrics => prometheus,
        MetricsJson => documented,
    };
    serve("system-metrics", request, handlers).await
}

async fn prometheus(input: Input<op::Metrics>) -> Outcome {
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(bytes_reply(StatusCode::OK, kind, System::look(&input).await?.text()))
}

async fn documented(input: Input<op::MetricsJson>) -> Result<Metrics, Refusal> {
    Ok(System::look(&input).await?.documented())
}

struct System {
    figures: Vec<Figure>,
    /// The bridge's last report, and how old it is in seconds.
    bridge: Option<(BridgeHealth, f64)>,
}

impl System {
    async fn look(call: &Call) -> Result<Self, Refusal> {
        let db = call.db().await?;
        Ok(Self { figures: metrics::figures(&db).await?, bridge: health::newest_bridge(&db).await? })
    }

    fn value(&self, name: &str) -> f64 {
        self.figures.iter().find(|f| f.name == name).map_or(0.0, |f| f.value)
    }

    fn active_alarms(&self) -> f64 {
        let active = self.figures.iter().filter(|f| f.name == "alarms" && f.label != "resolved");
        // the sum of nothing would be -0
        active.fold(0.0, |sum, f| sum + f.value)
    }

    fn bridge_reports(&self) -> bool {
        self.bridge.as_ref().is_some_and(|(_, age_s)| *age_s <= BRIDGE_SILENT_AFTER_S)
    }

    fn queue_depth(&self) -> u64 {
        self.bridge.as_ref().map_or(0, |(bridge, _)| bridge.queue_size)
    }

    fn documented(&self) -> Metrics {
        Metrics {
            ingestion_rate_per_hour: self.value("readings_last_hour") as i64,
            prediction_latency_ms: self.value("prediction_latency_ms"),
            active_alarms: self.active_alarms() as i64,
            mqtt_queue_depth: i64::try_from(self.queue_depth()).unwrap_or(i64::MAX),
            timestamp: now(),
        }
    }

    fn text(&self) -> String {
        let mut out = Exposition::default();
        out.gauge(
            "sensor_data_ingestion_rate",
            "Readings that arrived in the last hour",
            self.value("readings_last_hour"),
        );
        out.gauge(
            "prediction_latency_ms",
            "Mean time of the newest 1000 scorings, milliseconds",
            self.value("prediction_latency_ms"),
        );
        out.gauge("active_alarms_count", "Alarms open or acknowledged", self.active_alarms());
        out.gauge(
            "mqtt_queue_depth",
            "MQTT messages waiting in the bridge's memory",
            self.queue_depth() as f64,
        );
        out.gauge(
            "system_uptime_seconds",
            "Time since the bridge, the only process of ours that lasts, started; 0 while it does not report",
            self.uptime_s(),
        );
        out.counter(
            "pm_readings_total",
            "Readings handed to the database, repeats included",
            self.value("readings_total"),
        );
        out.gauge("pm_sensors", "Sensors", self.value("sensors"));
        for (figure, name, help) in [
            ("machines", "pm_machines", "Machines by operating state"),
            ("alarms", "pm_alarms", "Alarms by status"),
            ("tickets", "pm_tickets", "Tickets by status"),
            ("jobs", "pm_jobs", "Jobs by status"),
        ] {
            let by_status = self.figures.iter().filter(|f| f.name == figure);
            out.gauges(name, help, "status", by_status.map(|f| (f.label.as_str(), f.value)));
        }
        out.gauge(
            "pm_webhook_deliveries_pending",
            "Webhook deliveries that are not done",
            self.value("webhook_deliveries_pending"),
        );
        out.counter("pm_events_total", "Events given to the outbox", self.value("outbox_position"));
        out.gauge(
            "pm_dead_letters",
            "Payloads kept because they could not be read",
            self.value("dead_letters"),
        );
        out.gauge(
            "pm_database_uptime_seconds",
            "Time since the database started",
            self.value("database_uptime_s"),
        );
        self.bridge_text(&mut out);
        out.text()
    }

    fn uptime_s(&self) -> f64 {
        let bridge = self.bridge.as_ref().filter(|_| self.bridge_reports());
        bridge.map_or(0.0, |(bridge, _)| now().seconds_since(bridge.started_at).max(0.0))
    }

    fn bridge_text(&self, out: &mut Exposition) {
        let up = self.bridge_reports();
        out.gauge("pm_bridge_up", "Does the bridge report?", f64::from(u8::from(up)));
        let Some((bridge, _)) = &self.bridge else { return };
        let connected = up && bridge.connected;
        out.gauge("pm_bridge_connected", "Is it connected to the broker?", f64::from(u8::from(connected)));
        for (name, help, value) in [
            ("pm_bridge_messages_received_total", "MQTT messages received", bridge.messages_received),
            (
                "pm_bridge_messages_acknowledged_total",
                "MQTT messages acknowledged",
                bridge.messages_acknowledged,
            ),
            ("pm_bridge_readings_total", "Readings found in messages", bridge.readings),
            ("pm_bridge_readings_committed_total", "Readings committed", bridge.readings_committed),
            ("pm_bridge_dead_letters_total", "Payloads that could not be read", bridge.dead_letters),
            ("pm_bridge_post_failures_total", "Failed posts to ingest", bridge.post_failures),
        ] {
            out.counter(name, help, value as f64);
        }
        out.gauge(
            "pm_bridge_spool_batches",
            "Batches waiting on the bridge's disk",
            bridge.spool_batches as f64,
        );
        out.gauge("pm_bridge_spool_bytes", "Bytes waiting on the bridge's disk", bridge.spool_bytes as f64);
    }
}
