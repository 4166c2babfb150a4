//! Accepts connections. Every connection has a task of its own, which a request can end with a TCP
//! reset, as real networks do. Ending the server ends all of them.

use axum::extract::{Request, State as Extracted};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::provider::connection::Connection;
use crate::provider::entry;
use crate::provider::errors::ProviderError;
use crate::world::route::Route;
use crate::world::state::Shared;
use crate::{admin, pages};

/// Every route: the provider's, the admin API's, the pages', and the health check.
pub(crate) fn router(state: Shared) -> Router {
    Router::new()
        .route("/api/v2/token", provider(Method::POST, Route::Token))
        .route("/api/v2/redirect", provider(Method::GET, Route::Redirect))
        .route("/api/v2/process", provider(Method::POST, Route::Process))
        .route("/api/v2/status", provider(Method::POST, Route::Status))
        .route("/api/v2/data", provider(Method::POST, Route::Data))
        .route("/api/v2/files", provider(Method::POST, Route::Files))
        .route("/api/v2/delete", provider(Method::POST, Route::Delete))
        .route(
            "/kyc/identifications/",
            provider(Method::GET, Route::Identifications),
        )
        .route(
            "/files/{scan_ref}/{folder}/{name}",
            provider(Method::GET, Route::File),
        )
        .route("/health", get(async || Json(json!({"status": "ok"}))))
        .route("/", provider(Method::GET, Route::Redirect))
        .merge(admin::router())
        .merge(pages::router())
        .method_not_allowed_fallback(async || {
            let message = "HTTP method is not allowed.";
            ProviderError::with_status(
                StatusCode::METHOD_NOT_ALLOWED,
                Some("METHOD_NOT_ALLOWED"),
                message,
            )
        })
        .fallback(async || {
            ProviderError::with_status(StatusCode::NOT_FOUND, None, "Not found.").into_response()
        })
        .layer(middleware::from_fn(log))
        .with_state(state)
}

fn provider(method: Method, route: Route) -> MethodRouter<Shared> {
    let pass = async move |Extracted(state): Extracted<Shared>, request: Request| {
        entry::pass(state, route, request).await
    };
    if method == Method::GET {
        get(pass)
    } else {
        post(pass)
    }
}

/// One line per answered request. Queries are left out: they hold tokens and signatures.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let duration_ms = started.elapsed().as_millis() as u64;
    tracing::info!(%method, path, status = response.status().as_u16(), duration_ms, "request");
    response
}

/// Accepts connections until the task is ended.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, router.clone()));
            }
            Err(error) => tracing::warn!(%error, "connection not accepted"),
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router) {
    let handle = Connection::default();
    let service = TowerToHyperService::new(router.layer(Extension(handle.clone())));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = &mut connection => {
            if let Err(error) = ended {
                tracing::debug!(%error, "connection ended");
            }
        }
        () = handle.reset_wanted() => {
            // A socket that is closed without lingering sends RST rather than FIN.
            let stream = connection.into_parts().io.into_inner();
            if let Err(error) = stream.set_zero_linger() {
                tracing::warn!(%error, "connection closed rather than reset");
            }
        }
    }
}
