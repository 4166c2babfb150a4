//! The file store behind the links. A genuine link within its time answers with the file's bytes,
//! true type and length. An expired one answers 403, an unknown file 404, both with such stores'
//! XML.

use axum::body::Body;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use time::Duration;

use crate::provider::errors::expired_link;
use crate::provider::errors::storage_error;
use crate::provider::images::sniff;
use crate::world::clock::now;
use crate::world::links::{LinkError, Path};
use crate::world::route::query_members;
use crate::world::session::{Session, StoredFile};
use crate::world::settings::{PdfLinks, Settings};
use crate::world::state::State;

/// Keys of the first document, in `fileUrls` in any format.
pub(crate) const FIRST_DOCUMENT: &[&str] = &["FRONT", "BACK", "FACE"];

/// Whether links are good when they are handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LinkAge {
    #[default]
    Fresh,
    /// Their time is over already.
    Expired,
}

/// The folder that links lead to; uploads are numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    Upload(usize),
    /// The same files under another path.
    Copy(usize),
}

impl Folder {
    fn name(self) -> String {
        match self {
            Self::Upload(number) => format!("upload-{number}"),
            Self::Copy(number) => format!("copy-{number}"),
        }
    }

    fn upload(self) -> usize {
        match self {
            Self::Upload(number) | Self::Copy(number) => number,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once('-')?;
        let number = number.parse().ok()?;
        match kind {
            "upload" => Some(Self::Upload(number)),
            "copy" => Some(Self::Copy(number)),
            _ => None,
        }
    }
}

/// Answers `GET /files/<scanRef>/<folder>/<name>`. `name` is the file's key and a meaningless
/// extension.
pub(crate) fn answer(state: &State, uri: &Uri, path: Path<'_>) -> Response {
    match state.links.check(path, &query_members(uri.query()), now()) {
        Err(LinkError::Expired) => return expired_link(),
        Err(LinkError::Altered) => {
            let message =
                "The request signature we calculated does not match the signature you provided.";
            return storage_error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message);
        }
        Ok(()) => {}
    }
    match find(state, path) {
        Some(StoredFile {
            bytes,
            content_type,
            ..
        }) => (
            [
                (header::CONTENT_TYPE, content_type),
                (header::ACCEPT_RANGES, "none".to_owned()),
            ],
            Body::from(bytes),
        )
            .into_response(),
        None => storage_error(
            StatusCode::NOT_FOUND,
            "NoSuchKey",
            "The specified key does not exist.",
        ),
    }
}

fn find(state: &State, [scan_ref, folder, name]: Path<'_>) -> Option<StoredFile> {
    let key = name.rsplit_once('.').map_or(name, |(key, _)| key);
    let upload = Folder::parse(folder)?.upload();
    state
        .sessions()
        .get(scan_ref)?
        .upload(upload)?
        .files
        .get(key)
        .cloned()
}

/// The two maps of links of a session: `fileUrls` and `additionalStepPdfUrls`. Both are empty if
/// there is no such upload.
pub(crate) fn link_maps(
    state: &State,
    settings: &Settings,
    session: &Session,
    folder: Folder,
    age: LinkAge,
) -> (Value, Value) {
    let issued = match age {
        LinkAge::Fresh => now(),
        LinkAge::Expired => now() - Duration::seconds(i64::from(settings.file_link_seconds) + 1),
    };
    let (origin, folder_name) = (state.public_url(settings), folder.name());
    let link_to = |key: &str, file: &StoredFile| {
        let name = format!("{key}.{}", extension(file));
        let path = [session.scan_ref.as_str(), &folder_name, &name];
        json!(
            state
                .links
                .issue(&origin, path, issued, settings.file_link_seconds)
        )
    };
    let (mut files, mut pdfs) = (Map::new(), Map::new());
    for (key, file) in session
        .upload(folder.upload())
        .into_iter()
        .flat_map(|upload| &upload.files)
    {
        let link = link_to(key, file);
        if FIRST_DOCUMENT.contains(&key.as_str()) || !is_pdf(file) {
            list(&mut files, step_of(key), link);
        } else {
            let listed = if settings.pdf_links == PdfLinks::Array {
                json!([link])
            } else {
                link
            };
            list(&mut pdfs, step_of(key), listed);
        }
    }
    (Value::Object(files), Value::Object(pdfs))
}

/// The step of a file's key. Further files of a step are `STEP.2`, `STEP.3` and so on.
pub(crate) fn step_of(key: &str) -> &str {
    key.split_once('.').map_or(key, |(step, _)| step)
}

/// A step's only file is a link; several are an array of links.
fn list(links: &mut Map<String, Value>, step: &str, link: Value) {
    let listed = match (links.remove(step), link) {
        (None, link) => link,
        (Some(Value::Array(mut known)), Value::Array(more)) => {
            known.extend(more);
            Value::Array(known)
        }
        (Some(Value::Array(mut known)), link) => {
            known.push(link);
            Value::Array(known)
        }
        (Some(known), link) => json!([known, link]),
    };
    links.insert(step.to_owned(), listed);
}

fn is_pdf(file: &StoredFile) -> bool {
    file.content_type.starts_with("application/pdf")
}

fn extension(file: &StoredFile) -> &'static str {
    match sniff(&file.bytes) {
        "pdf" => "pdf",
        "png" => "png",
        "webp" => "webp",
        "heic" => "heic",
        // Real links end in .jpg for any file.
        _ => "jpg",
    }
}
