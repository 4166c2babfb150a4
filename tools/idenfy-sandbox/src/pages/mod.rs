//! The pages for people: what the provider's customer sees behind a session's link, and a
//! reviewer's page. They are plain server-rendered HTML that works without scripts; scripts only
//! show how far an upload is and tell a surrounding page the result.

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

/// Every page but those that a customer's link leads to; these are provider routes, see
/// [`customer::show`].
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

/// No other site may send our forms: there are no cookies to protect, but a page in some other tab
/// should not approve anybody. Browsers say where a request comes from; programs that say nothing
/// are let through.
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
