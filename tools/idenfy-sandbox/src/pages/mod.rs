//! The pages for people: the customer's behind a session's link, and the reviewer's. They are
//! server-rendered HTML and work without scripts. Scripts only show an upload's progress and tell a
//! surrounding page the result.

pub(crate) mod customer;
mod customer_actions;
mod customer_views;
mod final_page;
mod layout;
mod reviewer;
mod reviewer_views;
mod steps;
mod upload;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::world::state::Shared;

/// Every page but a customer's link; that is a provider route, see [`customer::show`].
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .merge(customer::router())
        .merge(reviewer::router())
        .layer(middleware::from_fn(refuse_foreign_forms))
        .route(
            "/pages/style.css",
            asset("text/css; charset=utf-8", include_str!("style.css")),
        )
        .route(
            "/pages/icon.svg",
            asset("image/svg+xml", include_str!("icon.svg")),
        )
        .route(
            "/pages/upload.js",
            asset("text/javascript; charset=utf-8", include_str!("upload.js")),
        )
        .route(
            "/pages/result.js",
            asset("text/javascript; charset=utf-8", include_str!("result.js")),
        )
}

fn asset(content_type: &'static str, text: &'static str) -> axum::routing::MethodRouter<Shared> {
    get(async move || {
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "no-cache"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, text)
    })
}

/// Refuses forms of other sites: there are no cookies to protect, but a page in another tab must
/// not approve a session. Browsers name the origin of a request; programs that do not are let
/// through.
async fn refuse_foreign_forms(request: Request, next: Next) -> Response {
    let site = request
        .headers()
        .get("sec-fetch-site")
        .and_then(|site| site.to_str().ok());
    if request.method().is_safe() || matches!(site, None | Some("same-origin" | "none")) {
        next.run(request).await
    } else {
        (
            StatusCode::FORBIDDEN,
            "Forms of other sites are not taken.\n",
        )
            .into_response()
    }
}
