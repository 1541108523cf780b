//! Status of each service, for `/status`.

use pm_api::{
    ai::{AiStatus, ScorerHealth, ScorerResources},
    status::{AiServiceStatus, MqttStatus, ServiceStatus},
};
use pm_domain::clock::BRIDGE_SILENT_AFTER_S;
use pm_store::{clock, health, scorer_figures::scorer_figures};
use pm_web::{Call, Component, log_error};

const BYTES_PER_MIB: f64 = 1024.0 * 1024.0;

/// Does the database answer, and does it take changes?
pub(crate) async fn database(call: &Call) -> Result<bool, String> {
    let db = call.db().await.map_err(|e| format!("{e:?}"))?;
    health::takes_changes(&db).await.map_err(|e| e.to_string())
}

/// The database's part of `/status`.
pub(crate) fn database_status(database: &Result<bool, String>) -> ServiceStatus {
    let (status, message) = match database {
        Ok(true) => ("connected", "✅ Database connection successful"),
        Ok(false) => ("read_only", "⚠️ Database takes no changes: it is read-only"),
        Err(_) => ("disconnected", "❌ Database connection failed"),
    };
    ServiceStatus { status: status.to_owned(), message: message.to_owned() }
}

/// Broker and bridge, as the bridge reported last.
pub(crate) async fn mqtt(call: &Call, database: &Result<bool, String>) -> MqttStatus {
    let report = async {
        let db = call.db().await.map_err(|e| format!("{e:?}"))?;
        health::newest_bridge(&db).await.map_err(|e| e.to_string())
    };
    let say = |status: &str, message: &str, connected, bridge| MqttStatus {
        status: status.to_owned(),
        message: message.to_owned(),
        connected,
        bridge,
    };
    let report = match database {
        Ok(_) => report.await,
        Err(error) => Err(error.clone()),
    };
    match report {
        Ok(Some((bridge, age_s))) if age_s > BRIDGE_SILENT_AFTER_S && *database == Ok(false) => {
            let message = "⚠️ MQTT status unknown: what the bridge reports cannot be kept";
            say("unknown", message, false, Some(bridge))
        }
        Ok(Some((bridge, age_s))) if age_s > BRIDGE_SILENT_AFTER_S => {
            say("disconnected", "⚠️ The MQTT bridge has stopped reporting", false, Some(bridge))
        }
        Ok(Some((bridge, _))) if !bridge.connected => {
            say("disconnected", "⚠️ MQTT bridge has lost the broker", false, Some(bridge))
        }
        Ok(Some((bridge, _))) if bridge.spool_batches > 0 => {
            let message = format!(
                "⚠️ MQTT bridge is connected to the broker; {} batches wait on its disk to be stored",
                bridge.spool_batches
            );
            say("connected", &message, true, Some(bridge))
        }
        Ok(Some((bridge, _))) => {
            say("connected", "✅ MQTT bridge is connected to the broker", true, Some(bridge))
        }
        Ok(None) => say("unknown", "⚠️ No MQTT bridge has reported yet", false, None),
        Err(_) => say("unknown", "⚠️ MQTT status unavailable without the database", false, None),
    }
}

/// The periodic tasks: which of them failed a short time ago?
pub(crate) async fn tasks(call: &Call, database: &Result<bool, String>) -> ServiceStatus {
    let failing = async {
        let db = call.db().await.map_err(|e| format!("{e:?}"))?;
        clock::failing(&db).await.map_err(|e| e.to_string())
    };
    let failing = match database {
        Ok(_) => failing.await,
        Err(error) => Err(error.clone()),
    };
    let (status, message) = match failing {
        Ok(names) if names.is_empty() => ("running", "✅ Periodic tasks are running".to_owned()),
        Ok(names) => ("failing", format!("⚠️ Periodic tasks fail, see the log: {}", names.join(", "))),
        Err(_) => ("unknown", "⚠️ State of periodic tasks unavailable without the database".to_owned()),
    };
    ServiceStatus { status: status.to_owned(), message }
}

/// What the scorer says of itself, and what it does by what it has stored. Figures that cannot be had are left out.
pub(crate) async fn scorer(call: &Call) -> AiStatus {
    let figures = async {
        let db = call.db().await.map_err(|e| format!("{e:?}"))?;
        scorer_figures(&db).await.map_err(|e| e.to_string())
    };
    let health: ScorerHealth = match Component("score").get_json("/health").await {
        Ok(health) => health,
        Err(error) => {
            log_error(&format!("score {error}"));
            return AiStatus {
                status: "unreachable".to_owned(),
                model_loaded: false,
                model_version: String::new(),
                buffers: None,
                performance: None,
                system_metrics: None,
            };
        }
    };
    let figures =
        figures.await.inspect_err(|error| log_error(&format!("figures of the scorer: {error}"))).ok();
    AiStatus {
        status: health.status,
        model_loaded: health.model_loaded,
        model_version: health.model_version,
        buffers: figures.map(|figures| figures.buffers),
        performance: figures.map(|figures| figures.performance),
        system_metrics: figures.map(|figures| ScorerResources {
            memory_usage_mb: health.memory_bytes as f64 / BYTES_PER_MIB,
            cpu_percent: figures.busy_percent,
            active_buffers: figures.buffers,
            total_buffer_entries: figures.buffer_entries,
            model_status: if health.model_loaded { "loaded" } else { "not_loaded" }.to_owned(),
        }),
    }
}

/// The scorer's part of `/status`.
pub(crate) async fn ai_service(call: &Call) -> AiServiceStatus {
    let details = scorer(call).await;
    let (status, message) = match details.status.as_str() {
        "healthy" => ("running", "✅ AI service is operational"),
        "unreachable" => ("unreachable", "❌ AI service cannot be reached"),
        _ => ("unhealthy", "⚠️ AI service judges by rules only"),
    };
    AiServiceStatus { status: status.to_owned(), message: message.to_owned(), details: Some(details) }
}
