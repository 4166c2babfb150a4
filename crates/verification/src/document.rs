//! The second document's files: what is planned, and what is in the bucket.

use serde::{Deserialize, Serialize};

use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, Side, StepName};

/// What a file is, by its first bytes; never by its name or declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    Jpeg,
    Png,
    Pdf,
}

/// How many bytes [`FileType::sniff`] needs at most to recognise a file.
pub const SNIFF_LENGTH: usize = 1_024;

impl FileType {
    /// Recognises the types that direct processing accepts (PNG, JPEG and PDF, see `idenfy-api.md` §6); `None` for all others.
    ///
    /// A PDF may start with up to 1,024 bytes of something else (Adobe's implementation note 13 to ISO 32000), so that much is searched.
    pub fn sniff(start: &[u8]) -> Option<Self> {
        if start.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if start.windows(5).take(SNIFF_LENGTH).any(|window| window == b"%PDF-") {
            Some(Self::Pdf)
        } else {
            None
        }
    }

    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }
}

/// What the documents of one submission may have together, in bytes: direct processing takes requests up to 20,000,000 bytes, base64
/// adds a third, and the JSON around it needs a little. (Source: "Direct Processing", request size.)
pub const MAXIMUM_TOTAL_BYTES: u64 = 14_990_000;

/// A step whose file is needed, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDocument {
    pub step: StepName,
    pub side: Side,
}

/// What is to be captured and submitted, decided once from the first callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The archived callback whose links lead to the files.
    pub callback: Digest256,
    /// Whose second document it is: Token 2 is created for the same client.
    pub client_id: ClientId,
    pub documents: Vec<PlannedDocument>,
    pub country: CountryCode,
    /// `None`: the provider detects the type from the front.
    #[serde(default)]
    pub document_type: Option<DocumentType>,
}

/// The document types that direct processing takes. (Source: "Direct Processing", `documentType`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DocumentType {
    IdCard,
    Passport,
    DriverLicense,
    ResidencePermit,
}

impl DocumentType {
    pub const ALL: [Self; 4] = [Self::IdCard, Self::Passport, Self::DriverLicense, Self::ResidencePermit];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdCard => "ID_CARD",
            Self::Passport => "PASSPORT",
            Self::DriverLicense => "DRIVER_LICENSE",
            Self::ResidencePermit => "RESIDENCE_PERMIT",
        }
    }
}

/// A file that is in the bucket, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDocument {
    pub step: StepName,
    pub side: Side,
    pub file_type: FileType,
    pub bytes: u64,
    pub sha256: Digest256,
}

impl StoredDocument {
    /// Where the bucket holds it.
    pub fn key(&self, first: &ScanRef) -> String {
        document_key(first, &self.step, self.file_type)
    }
}

/// `documents/<first scanRef>/<STEP>.<extension>`
pub fn document_key(first: &ScanRef, step: &StepName, file_type: FileType) -> String {
    format!("documents/{first}/{step}.{}", file_type.extension())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_their_first_bytes() {
        assert_eq!(FileType::sniff(b"\xFF\xD8\xFF\xE0...."), Some(FileType::Jpeg));
        assert_eq!(FileType::sniff(b"\x89PNG\r\n\x1a\n...."), Some(FileType::Png));
        assert_eq!(FileType::sniff(b"%PDF-1.7"), Some(FileType::Pdf));
        assert_eq!(FileType::sniff(b"\n\n%PDF-1.7"), Some(FileType::Pdf));
    }

    #[test]
    fn other_types_are_not_recognised() {
        for other in [
            &b"RIFF\0\0\0\0WEBPVP8 "[..],
            b"\0\0\0\x18ftypheic",
            b"GIF89a",
            b"<html>",
            b"",
            b"\xFF\xD8",
        ] {
            assert_eq!(FileType::sniff(other), None, "{other:?}");
        }
    }

    #[test]
    fn pdf_header_after_the_first_kilobyte_does_not_count() {
        let mut late = vec![b' '; SNIFF_LENGTH];
        late.extend_from_slice(b"%PDF-1.7");
        assert_eq!(FileType::sniff(&late), None);
    }
}
