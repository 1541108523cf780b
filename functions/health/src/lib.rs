//! Component `health`: is every part of the system there?
//!
//! Invariants: these routes answer also when other parts do not, and say which. Deliberately absent: figures
//! (component `system-metrics`).

mod part;

use http::StatusCode;
use pm_api::{
    sort::DeadLetterSort,
    status::{
        Broker, Consumer, DeadLetter, Health, Liveness, MqttOverview, PartStatus, Readiness, SystemStatus,
    },
};
use pm_auth::Op;
use pm_store::dead_letter;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_page, log_warning, now, serve};
use serde_json::json as value;

const SERVICE: &str = "Predictive Maintenance Backend";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("health", request, |op, call| async move {
        match op {
            Op::Health => Ok(json(StatusCode::OK, &health())),
            Op::HealthLive => Ok(json(StatusCode::OK, &liveness())),
            Op::HealthReady => ready(&call).await,
            Op::SystemStatus => status(&call).await,
            Op::MqttStatus => mqtt(&call).await,
            Op::AiStatus => Ok(json(StatusCode::OK, &part::scorer().await)),
            Op::ListDeadLetters => dead_letters(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

fn health() -> Health {
    Health {
        status: "ok".to_owned(),
        service: SERVICE.to_owned(),
        version: VERSION.to_owned(),
        timestamp: now(),
        message: "✅ Backend service is running successfully".to_owned(),
    }
}

fn liveness() -> Liveness {
    Liveness {
        status: "alive".to_owned(),
        service: SERVICE.to_owned(),
        timestamp: now(),
        message: "✅ Service is alive and running".to_owned(),
    }
}

async fn ready(call: &Call) -> Outcome {
    let (status, database, message, error) = match part::database(call).await {
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
    Ok(json(StatusCode::OK, &readiness))
}

async fn status(call: &Call) -> Outcome {
    let database = part::database(call).await;
    let mqtt = part::mqtt(call, &database).await;
    let tasks = part::tasks(call, &database).await;
    let status = SystemStatus {
        service: "Predictive Maintenance Platform".to_owned(),
        version: VERSION.to_owned(),
        timestamp: now().to_string(),
        backend: PartStatus {
            status: "running".to_owned(),
            message: "✅ Backend service is operational".to_owned(),
        },
        database: part::database_status(&database),
        mqtt,
        ai_service: part::ai_service().await,
        tasks,
        endpoints: value!({
            "api_docs": "/docs", "health": "/health", "status": "/status", "dashboard": "/dashboard/overview"
        }),
    };
    Ok(json(StatusCode::OK, &status))
}

async fn mqtt(call: &Call) -> Outcome {
    let status = part::mqtt(call, &part::database(call).await).await;
    let bridge = status.bridge.unwrap_or_default();
    let overview = MqttOverview {
        connected: status.connected,
        message: status.message,
        broker: Broker { host: bridge.broker_host.clone(), port: bridge.broker_port },
        consumer: Consumer {
            connected: status.connected,
            topics: bridge.topics.clone(),
            queue_size: bridge.queue_size,
        },
        bridge,
    };
    Ok(json(StatusCode::OK, &overview))
}

async fn dead_letters(call: &Call) -> Outcome {
    let query = call.query.list::<DeadLetterSort>(100)?;
    let page = dead_letter::list(&call.db().await?, &query).await?.map(|letter| DeadLetter {
        id: letter.id,
        received_at: letter.received_at,
        topic: letter.topic,
        payload: String::from_utf8_lossy(&letter.payload).into_owned(),
        reason: letter.reason,
    });
    Ok(json_page(&page))
}
