//! Component `health`: is every part of the system there?
//!
//! Invariants: these routes answer also when other parts do not, and say which. Deliberately absent: figures
//! (component `system-metrics`).

mod service_status;

use http::StatusCode;
use pm_api::{
    ai::AiStatus,
    route::{Op, op},
    status::{Broker, Consumer, Health, Liveness, MqttOverview, Readiness, ServiceStatus, SystemStatus},
};
use pm_web::{Answer, Input, Refusal, Request, handlers, log_warning, now, serve};
use serde_json::json;

const SERVICE: &str = "Predictive Maintenance Backend";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Health => health,
        HealthLive => liveness,
        HealthReady => ready,
        SystemStatus => status,
        MqttStatus => mqtt,
        AiStatus => ai_status,
    };
    serve("health", request, handlers).await
}

async fn health(_: Input<op::Health>) -> Result<Health, Refusal> {
    Ok(Health {
        status: "ok".to_owned(),
        service: SERVICE.to_owned(),
        version: VERSION.to_owned(),
        timestamp: now(),
        message: "✅ Backend service is running successfully".to_owned(),
    })
}

async fn liveness(_: Input<op::HealthLive>) -> Result<Liveness, Refusal> {
    Ok(Liveness {
        status: "alive".to_owned(),
        service: SERVICE.to_owned(),
        timestamp: now(),
        message: "✅ Service is alive and running".to_owned(),
    })
}

async fn ready(input: Input<op::HealthReady>) -> Result<(StatusCode, Readiness), Refusal> {
    let found = service_status::database(&input).await;
    let code = if found.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (status, database, message, error) = match found {
        Ok(_) => ("ready", "connected", "✅ Service is ready to accept requests", None),
        Err(error) => {
            log_warning(&format!("not ready: {error}"));
            let message = "⚠️ Service is not ready - database connection failed";
            ("not_ready", "disconnected", message, Some("The database cannot be reached".to_owned()))
        }
    };
    let readiness = Readiness {
        status: status.to_owned(),
        service: SERVICE.to_owned(),
        database: database.to_owned(),
        error,
        timestamp: now(),
        message: message.to_owned(),
    };
    Ok((code, readiness))
}

async fn status(input: Input<op::SystemStatus>) -> Result<SystemStatus, Refusal> {
    let database = service_status::database(&input).await;
    let mqtt = service_status::mqtt(&input, &database).await;
    let tasks = service_status::tasks(&input, &database).await;
    Ok(SystemStatus {
        service: "Predictive Maintenance Platform".to_owned(),
        version: VERSION.to_owned(),
        timestamp: now().to_string(),
        backend: ServiceStatus {
            status: "running".to_owned(),
            message: "✅ Backend service is operational".to_owned(),
        },
        database: service_status::database_status(&database),
        mqtt,
        ai_service: service_status::ai_service(&input).await,
        tasks,
        endpoints: json!({
            "api_docs": "/docs", "health": "/health", "status": "/status", "dashboard": "/dashboard/overview"
        }),
    })
}

async fn mqtt(input: Input<op::MqttStatus>) -> Result<MqttOverview, Refusal> {
    let status = service_status::mqtt(&input, &service_status::database(&input).await).await;
    let bridge = status.bridge.unwrap_or_default();
    let identity = input.identity()?;
    // who may read dead letters sees the counters too
    let sees_counters = Op::ListDeadLetters.route().allows(identity.role, &identity.permissions);
    Ok(MqttOverview {
        connected: status.connected,
        message: status.message,
        broker: Broker { host: bridge.broker_host.clone(), port: bridge.broker_port },
        consumer: Consumer {
            connected: status.connected,
            topics: bridge.topics.clone(),
            queue_size: bridge.queue_size,
        },
        bridge: sees_counters.then_some(bridge),
    })
}

async fn ai_status(input: Input<op::AiStatus>) -> Result<AiStatus, Refusal> {
    Ok(service_status::scorer(&input).await)
}
