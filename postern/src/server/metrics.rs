//! Numbers for a monitoring system, in Prometheus' text form, and a health page. Numbers only: no name, id or
//! address of anybody.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::tools::{Desk, rows::Health};

/// Serves until `stop` turns true.
pub(super) async fn serve(socket: TcpListener, desk: Desk, mut stop: watch::Receiver<bool>) {
    let pages = Router::new().route("/metrics", get(metrics)).route("/health", get(health)).with_state(desk);
    let stopped = async move {
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stops| *stops).await;
    };
    if let Err(error) = axum::serve(socket, pages).with_graceful_shutdown(stopped).await {
        tracing::error!(%error, "the metrics listener ended");
    }
}

async fn metrics(State(desk): State<Desk>) -> impl IntoResponse {
    let text = match desk.health().await {
        Ok(health) => in_prometheus(&health),
        Err(_) => format!("{READY}postern_ready 0\n"),
    };
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

async fn health(State(desk): State<Desk>) -> impl IntoResponse {
    match desk.health().await {
        Ok(Health { ready: true, .. }) => (StatusCode::OK, "ready\n"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}

const READY: &str = "# HELP postern_ready Whether the ledger takes mail.\n# TYPE postern_ready gauge\n";

fn in_prometheus(health: &Health) -> String {
    let stopped = health.alarms.iter();
    let stopped =
        stopped.map(|(name, count)| format!("postern_stopped_at_the_door{{found=\"{name}\"}} {count}\n"));
    format!(
        "{READY}postern_ready {}\n\
         # HELP postern_notices Notices that have not left, by standing.\n\
         # TYPE postern_notices gauge\n\
         postern_notices{{standing=\"waiting\"}} {}\n\
         postern_notices{{standing=\"given_up\"}} {}\n\
         # HELP postern_stopped_at_the_door What the guard found in finished mail that it stopped, by category.\n\
         # TYPE postern_stopped_at_the_door counter\n{}",
        u8::from(health.ready),
        health.waiting,
        health.abandoned,
        stopped.collect::<String>()
    )
}
