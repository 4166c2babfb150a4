//! Forms with files. A form is read to its end, because a browser that is cut off shows no answer.
//! Of each file at most [`FILE_LIMIT`] is kept. A file's first bytes decide its format, not its
//! name or type.

use std::collections::HashMap;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use bytes::{Bytes, BytesMut};

use crate::pages::steps::Slot;
use crate::provider::images::sniff;
use crate::world::session::StoredFile;

/// Largest file in bytes: the maximum of a whole request to direct processing.
pub(crate) const FILE_LIMIT: usize = 20_000_000;
/// Largest form in bytes; beyond it the connection is cut.
pub(crate) const FORM_LIMIT: usize = 200_000_000;
/// A token or a language. Longer text is cut and means nothing.
const TEXT_LIMIT: usize = 1000;
/// Longest file name that is kept, in characters.
const NAME_LIMIT: usize = 120;

/// A file as it came.
#[derive(Debug)]
pub(crate) struct Upload {
    pub name: String,
    /// None: it was larger than the limit.
    pub bytes: Option<Bytes>,
}

/// A form, read.
#[derive(Debug, Default)]
pub(crate) struct Form {
    texts: HashMap<String, String>,
    files: HashMap<String, Upload>,
}

impl Form {
    /// # Errors
    /// The form is not well-formed, or larger than [`FORM_LIMIT`].
    pub(crate) async fn read(mut multipart: Multipart) -> Result<Self, MultipartError> {
        let mut form = Self::default();
        while let Some(mut field) = multipart.next_field().await? {
            let key = field.name().unwrap_or_default().to_owned();
            let Some(name) = field.file_name().map(kept_name) else {
                let text = read_up_to(&mut field, TEXT_LIMIT)
                    .await?
                    .unwrap_or_default();
                form.texts
                    .insert(key, String::from_utf8_lossy(&text).into_owned());
                continue;
            };
            let bytes = read_up_to(&mut field, FILE_LIMIT).await?;
            // A file input that nothing was chosen for comes without a name.
            if !name.is_empty() {
                form.files.insert(key, Upload { name, bytes });
            }
        }
        Ok(form)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn take_file(&mut self, key: &str) -> Option<Upload> {
        self.files.remove(key)
    }
}

/// The field's content; `None` if it is larger. It is read to its end in either case.
async fn read_up_to(field: &mut Field<'_>, limit: usize) -> Result<Option<Bytes>, MultipartError> {
    let mut content = BytesMut::new();
    let mut fits = true;
    while let Some(piece) = field.chunk().await? {
        fits = fits && content.len() + piece.len() <= limit;
        if fits {
            content.extend_from_slice(&piece);
        } else {
            content = BytesMut::new();
        }
    }
    Ok(fits.then(|| content.freeze()))
}

/// A device's file name without folders.
fn kept_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars()
        .filter(|sign| !sign.is_control())
        .take(NAME_LIMIT)
        .collect()
}

/// Takes a file for a slot.
///
/// # Errors
/// A sentence for the customer: what is wrong with the file and what would be right.
pub(crate) fn accept(slot: &Slot, upload: Upload) -> Result<StoredFile, String> {
    let Some(bytes) = upload.bytes else {
        return Err(format!(
            "The file is larger than {} MB. Choose a smaller one.",
            FILE_LIMIT / 1_000_000
        ));
    };
    let content_type = match sniff(&bytes) {
        _ if bytes.is_empty() => return Err("The file is empty. Choose another one.".to_owned()),
        "jpeg" => "image/jpeg",
        "png" => "image/png",
        "pdf" if slot.takes_pdf => "application/pdf",
        _ => {
            return Err(format!(
                "The file is not {}. Choose another one.",
                formats(slot)
            ));
        }
    };
    Ok(StoredFile {
        bytes,
        content_type: content_type.to_owned(),
        name: Some(upload.name),
    })
}

/// The formats that a slot takes, for people.
pub(crate) fn formats(slot: &Slot) -> &'static str {
    if slot.takes_pdf {
        "a JPEG, PNG or PDF"
    } else {
        "a JPEG or PNG"
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Upload, accept, kept_name};
    use crate::pages::steps::Slot;

    fn judged(takes_pdf: bool, bytes: Option<&'static [u8]>) -> Result<String, String> {
        let slot = Slot {
            key: "FRONT".to_owned(),
            label: String::new(),
            required: true,
            takes_pdf,
            selfie: false,
        };
        let upload = Upload {
            name: "scan.png".to_owned(),
            bytes: bytes.map(Bytes::from_static),
        };
        accept(&slot, upload).map(|file| file.content_type)
    }

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert_eq!(
            judged(true, Some(b"\xff\xd8\xff\xe0")).unwrap(),
            "image/jpeg"
        );
        assert_eq!(
            judged(true, Some(b"\x89PNG\r\n\x1a\n")).unwrap(),
            "image/png"
        );
        assert_eq!(judged(true, Some(b"%PDF-1.7")).unwrap(), "application/pdf");
        assert!(
            judged(false, Some(b"%PDF-1.7"))
                .unwrap_err()
                .contains("not a JPEG or PNG")
        );
        assert!(
            judged(true, Some(b"GIF89a"))
                .unwrap_err()
                .contains("not a JPEG, PNG or PDF")
        );
        assert!(judged(true, Some(b"")).unwrap_err().contains("empty"));
        assert!(
            judged(true, None)
                .unwrap_err()
                .contains("larger than 20 MB")
        );
    }

    #[test]
    fn names_lose_their_folders_and_control_characters() {
        assert_eq!(kept_name("C:\\fakepath\\front\u{7}.jpg"), "front.jpg");
        assert_eq!(kept_name("../../etc/passwd"), "passwd");
        assert_eq!(kept_name(&"x".repeat(500)).len(), 120);
    }
}
