//! A request and the code of its route.

use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::pages;
use crate::provider::errors::ProviderError;
use crate::provider::files::{self, LinkAge};
use crate::provider::{process, retrieval, token};
use crate::world::route::Route;
use crate::world::state::Shared;

/// A request on its way to a route's code.
#[derive(Debug)]
pub(crate) struct Call {
    pub route: Route,
    pub parts: Parts,
    pub body: Bytes,
    /// Number of its record in the journal.
    pub sequence: u64,
}

impl Call {
    /// Runs the code of the call's route.
    pub(crate) async fn answer(&self, state: &Shared, links: LinkAge) -> Response {
        let result = match self.route {
            Route::Token => token::answer(state, &self.body).map(|(scan_ref, response)| {
                state.journal().amend(self.sequence, |record| {
                    record.subject.scan_ref = Some(scan_ref)
                });
                response
            }),
            Route::Process => {
                let (submission, result) = process::answer(state, self.body.clone()).await;
                state
                    .journal()
                    .amend(self.sequence, |record| record.submission = Some(submission));
                result
            }
            Route::Status => retrieval::status(state, &self.body, None),
            Route::Data => retrieval::data(state, &self.body),
            Route::Files => retrieval::files(state, &self.body, links),
            Route::Delete => retrieval::delete(state, &self.body),
            Route::Identifications => retrieval::identifications(state, &self.parts.uri),
            Route::Redirect => Ok(pages::customer::show(state, &self.parts.uri)),
            Route::File => {
                let [scan_ref, folder, name] = file_path(&self.parts);
                Ok(files::answer(
                    state,
                    &self.parts.uri,
                    [&scan_ref, &folder, &name],
                ))
            }
            Route::Callback => Err(ProviderError::bad_value("Callbacks are not received here.")),
        };
        result.unwrap_or_else(IntoResponse::into_response)
    }
}

/// `scanRef`, folder and file name of `/files/<scanRef>/<folder>/<name>`, decoded.
pub(crate) fn file_path(parts: &Parts) -> [String; 3] {
    let decoded = |segment: Option<&str>| {
        let segment = segment.unwrap_or_default().replace('+', "%2B");
        url::form_urlencoded::parse(segment.as_bytes())
            .map(|(name, _)| name.into_owned())
            .next()
            .unwrap_or_default()
    };
    let mut segments = parts.uri.path().trim_start_matches("/files/").split('/');
    [(); 3].map(|()| decoded(segments.next()))
}
