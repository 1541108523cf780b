//! Component `health`: is every part of the system there?
//!
//! Invariants: these routes answer also when other parts do not, and say which. Deliberately absent: metrics.

mod part;

use http::StatusCode;
use pm_api::status::{PartStatus, SystemStatus};
use pm_auth::Op;
use pm_store::dead_letter;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, now, serve};
use serde_json::{Value, json as value};

const SERVICE: &str = "Predictive Maintenance Backend";
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("health", request, |op, call| async move {
        match op {
            Op::Health => Ok(json(
                StatusCode::OK,
                &value!({
                    "status": "ok", "service": SERVICE, "version": VERSION, "timestamp": now(),
                    "message": "✅ Backend service is running successfully"
                }),
            )),
            Op::HealthLive => Ok(json(
                StatusCode::OK,
                &value!({
                    "status": "alive", "service": SERVICE, "timestamp": now(),
                    "message": "✅ Service is alive and running"
                }),
            )),
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

async fn ready(call: &Call) -> Outcome {
    let database = part::database(call).await;
    let connected = database.is_ok();
    let mut body = value!({
        "status": if connected { "ready" } else { "not_ready" },
        "service": SERVICE,
        "database": if connected { "connected" } else { "disconnected" },
        "timestamp": now(),
        "message": if connected {
            "✅ Service is ready to accept requests"
        } else {
            "⚠️ Service is not ready - database connection failed"
        }
    });
    if let Err(error) = database {
        eprintln!("not ready: {error}");
        body["error"] = Value::from("The database cannot be reached");
    }
    Ok(json(StatusCode::OK, &body))
}

async fn status(call: &Call) -> Outcome {
    let database = part::database(call).await;
    let mqtt = part::mqtt(call).await;
    let status = SystemStatus {
        service: "Predictive Maintenance Platform".to_owned(),
        version: VERSION.to_owned(),
        timestamp: now().to_string(),
        backend: PartStatus {
            status: "running".to_owned(),
            message: "✅ Backend service is operational".to_owned(),
        },
        database: match database {
            Ok(()) => PartStatus {
                status: "connected".to_owned(),
                message: "✅ Database connection successful".to_owned(),
            },
            Err(_) => PartStatus {
                status: "disconnected".to_owned(),
                message: "❌ Database connection failed".to_owned(),
            },
        },
        mqtt,
        ai_service: part::ai_service().await,
        endpoints: value!({
            "api_docs": "/docs", "health": "/health", "status": "/status", "dashboard": "/dashboard/overview"
        }),
    };
    Ok(json(StatusCode::OK, &status))
}

async fn mqtt(call: &Call) -> Outcome {
    let status = part::mqtt(call).await;
    let bridge = status.bridge.unwrap_or_default();
    Ok(json(
        StatusCode::OK,
        &value!({
            "connected": status.connected,
            "message": status.message,
            "broker": { "host": bridge.broker_host, "port": bridge.broker_port },
            "consumer": {
                "connected": status.connected, "topics": bridge.topics, "queue_size": bridge.queue_size
            },
            "bridge": bridge
        }),
    ))
}

async fn dead_letters(call: &Call) -> Outcome {
    let limit = call.query.integer("limit", 100, 1, 1000)?;
    let offset = call.query.integer("offset", 0, 0, i64::MAX)?;
    let letters = dead_letter::list(&call.db().await?, limit, offset).await?;
    let shown: Vec<_> = letters
        .into_iter()
        .map(|l| {
            value!({
                "id": l.id, "received_at": l.received_at, "topic": l.topic,
                "payload": String::from_utf8_lossy(&l.payload), "reason": l.reason
            })
        })
        .collect();
    Ok(json(StatusCode::OK, &shown))
}
