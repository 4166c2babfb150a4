//! The application's own pages: where customers come back to, and a page that has the verification
//! in an iFrame.

use axum::extract::Query;
use axum::response::Html;
use axum::routing::get;
use std::collections::HashMap;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const WITH_FRAME: &str = r#"<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>
<iframe title="Verification" width="800" height="700" allow="camera" src="FRAME"></iframe>
<p id="message"></p>
<script>
addEventListener("message", (event) => {
  document.querySelector('#message').textContent = event.origin + " " + JSON.stringify(event.data);
});
</script></html>"#;

/// A site on a port, and so an origin, of its own.
pub struct Shop {
    pub url: String,
    server: JoinHandle<()>,
}

impl Shop {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = axum::Router::new()
            .route(
                "/done",
                get(async || Html("<!doctype html><title>Shop</title><h1>Back at the shop</h1>")),
            )
            .route(
                "/sorry",
                get(async || Html("<!doctype html><title>Shop</title><h1>Sorry</h1>")),
            )
            .route(
                "/frame",
                get(async |Query(query): Query<HashMap<String, String>>| {
                    Html(WITH_FRAME.replace("FRAME", &query["src"]))
                }),
            );
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, server }
    }

    /// A page that shows `src` in an iFrame.
    pub fn framing(&self, src: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("src", src)
            .finish();
        format!("{}/frame?{query}", self.url)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}
