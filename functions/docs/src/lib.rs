//! Component `docs`: the OpenAPI document, and the two pages that show it.
//!
//! Invariants: everything a page loads comes from here, nothing from other hosts, and a strict policy holds it to that;
//! the document is the one that the build wrote. Deliberately absent: making the document (crate pm-openapi), fetching and
//! compressing the pages' scripts (`./pm build`).

use http::{HeaderValue, StatusCode};
use pm_auth::Op;
use pm_web::{Answer, Call, Files, Outcome, Refusal, Request, bytes_reply, serve};

/// Swagger UI and Redoc style their elements by attribute; Redoc searches in a worker.
static PAGES: Files = Files::new(
    "/docs",
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'",
);
const DOCUMENT: &str = "/docs/openapi.json";
const NOT_BUILT: &str = "The documentation's pages have not been built: run ./pm build";

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("docs", request, |op, call| async move {
        match op {
            Op::OpenApi => document(),
            Op::Docs => page(&call, "swagger.html"),
            Op::Redoc => page(&call, "redoc.html"),
            Op::DocsFile => PAGES.serve(call.param("file"), &call.headers).ok_or(Refusal::NotFound),
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

fn document() -> Outcome {
    let text = std::fs::read(DOCUMENT).map_err(|e| Refusal::Internal(format!("{DOCUMENT}: {e}")))?;
    Ok(bytes_reply(StatusCode::OK, HeaderValue::from_static("application/json"), text))
}

fn page(call: &Call, name: &str) -> Outcome {
    PAGES.serve(name, &call.headers).ok_or_else(|| Refusal::Unavailable(NOT_BUILT.to_owned()))
}
