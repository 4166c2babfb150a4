//! Fresh links to a verification's files: `POST /api/v2/files`.

use serde_json::{Map, Value};

use super::Client;
use super::exchange::{Exchange, Operation, ScanRef};
use crate::error::classify::identifier_of;
use crate::{Error, FileUrls};

/// Links that are valid for an hour, like a callback's.
/// `Debug` hides them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Images. Or all files, if the provider does not separate PDFs.
    pub file_urls: FileUrls,
    /// PDF files of additional steps.
    pub additional_step_pdf_urls: FileUrls,
}

impl Files {
    /// All links of a step.
    pub fn links_of(&self, step: &str) -> impl Iterator<Item = &str> {
        let links = self
            .file_urls
            .get(step)
            .iter()
            .chain(self.additional_step_pdf_urls.get(step));
        links.map(String::as_str)
    }

    /// The answer's shape is not documented.
    /// Links may be at the top, in `fileUrls`, in `additionalStepPdfUrls`, or in several of these.
    fn read(members: &Map<String, Value>) -> Self {
        Self {
            file_urls: FileUrls::read(members.get("fileUrls"))
                .merged(FileUrls::web_links_of(members)),
            additional_step_pdf_urls: FileUrls::read(members.get("additionalStepPdfUrls")),
        }
    }
}

impl Client {
    /// Makes new links to a verification's files after the callback's have expired.
    /// A step may be missing: the caller must check.
    ///
    /// # Errors
    /// Any [`Error`] except those about submissions. The call may always be repeated.
    pub async fn files(&self, scan_ref: &str) -> Result<Files, Error> {
        self.exchange(Operation::Files, &ScanRef { scan_ref })
            .await?
            .files()
    }
}

impl Exchange {
    /// Reads the answer to a request for links.
    ///
    /// # Errors
    /// As for [`Client::files`].
    pub fn files(&self) -> Result<Files, Error> {
        // An error body has a link to the documentation, which must not pass for a file.
        self.answer().expect_object(|members| {
            identifier_of(members)
                .is_none()
                .then(|| Files::read(members))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_shape_gives_the_same_links() {
        for shape in [
            json!({"POA2": "https://files.example/poa"}),
            json!({"scanRef": "abc", "POA2": ["https://files.example/poa"]}),
            json!({"fileUrls": {"POA2": "https://files.example/poa"}}),
            json!({"fileUrls": null, "additionalStepPdfUrls": {"POA2": ["https://files.example/poa"]}}),
        ] {
            let files = Files::read(shape.as_object().unwrap());
            assert_eq!(
                files.links_of("POA2").collect::<Vec<_>>(),
                ["https://files.example/poa"],
                "{shape}"
            );
            assert_eq!(files.links_of("scanRef").count(), 0);
        }
    }
}
