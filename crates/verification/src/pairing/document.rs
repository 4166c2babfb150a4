//! The second document's files: which are planned, and which are in the bucket.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, Side, StepName, UploadId};
use crate::pairing::file_number::FileNumber;
use crate::pairing::prepared::PreparedFile;
use crate::result::StepLinks;

/// The type of a file, by its first bytes.
/// Its name and declared type do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    Jpeg,
    Png,
    Pdf,
    /// Customers upload it, and direct processing refuses it.
    /// It is submitted as a JPEG.
    Webp,
    /// Any kind of HEIF. Kept, and never submitted.
    Heic,
}

/// How many bytes [`FileType::sniff`] needs at most to recognise a file.
pub const SNIFF_LENGTH: usize = 1_024;

impl FileType {
    /// Recognises the types that direct processing takes ("PNG, JPG, JPEG and PDF", says "Direct
    /// Processing") and others that customers upload.
    /// `None`: any other type.
    /// The earliest match decides.
    ///
    /// A PDF may start with up to 1,024 other bytes (Adobe's implementation note 13 to ISO 32000).
    pub fn sniff(start: &[u8]) -> Option<Self> {
        if start.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if start.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP") {
            Some(Self::Webp)
        } else if start.get(4..8) == Some(b"ftyp") && start.get(8..12).is_some_and(is_heif_brand) {
            Some(Self::Heic)
        } else if start
            .windows(5)
            .take(SNIFF_LENGTH)
            .any(|window| window == b"%PDF-")
        {
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
            Self::Webp => "webp",
            Self::Heic => "heic",
        }
    }

    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
        }
    }

    /// The largest accepted file of this type.
    /// A picture can be made smaller, a PDF cannot.
    pub const fn maximum_bytes(self) -> u64 {
        match self {
            Self::Jpeg | Self::Png | Self::Webp | Self::Heic => MAXIMUM_FILE_BYTES,
            Self::Pdf => MAXIMUM_TOTAL_BYTES,
        }
    }
}

/// The brands of HEVC pictures, and the two HEIF brands without a coding.
/// (Source: ISO/IEC 23008-12, annexes B and D.)
fn is_heif_brand(brand: &[u8]) -> bool {
    matches!(
        brand,
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1"
    )
}

/// The largest total size of one submission's documents, in bytes.
/// Direct processing takes requests of up to 20,000,000 bytes.
/// Base64 adds a third, and the JSON around it needs a little.
/// (Source: "Direct Processing", request size.)
///
/// There is no separate limit for one image.
/// Pages up to 2025 name 6 MB, those up to 2021 2 MB, the present one only the total.
pub const MAXIMUM_TOTAL_BYTES: u64 = 14_990_000;

/// The largest accepted file, in bytes: twice what may be submitted.
/// A phone's best camera makes such originals, which are then made smaller.
/// The processor holds the file in memory meanwhile, see `MemorySize` in the template.
pub const MAXIMUM_FILE_BYTES: u64 = 30_000_000;

/// A file of a step to be captured, and the side that it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedDocument {
    pub step: StepName,
    /// Which of the step's files.
    #[serde(default, skip_serializing_if = "FileNumber::is_first")]
    pub file: FileNumber,
    /// `None`: one of several files of its step, with unknown sides.
    /// Kept, not submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
}

/// A side, and the step that shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepImage {
    pub step: StepName,
    pub side: Side,
}

/// The files of these steps, each of which has `count` files.
///
/// A single file shows the first of its step's sides.
/// As many files as sides show the sides in the order of the list.
/// Any other number leaves the sides open.
pub(crate) fn planned_files(
    images: &[StepImage],
    count: impl Fn(&StepName) -> usize,
) -> Vec<PlannedDocument> {
    let mut documents: Vec<PlannedDocument> = Vec::new();
    for StepImage { step, .. } in images {
        if documents.iter().any(|document| document.step == *step) {
            continue;
        }
        // A step without a link is planned too, so that its missing file is noticed.
        let numbers: Vec<FileNumber> = FileNumber::up_to(count(step).max(1)).collect();
        documents.extend(with_sides(images, step, &numbers));
    }
    documents
}

fn with_sides(
    images: &[StepImage],
    step: &StepName,
    numbers: &[FileNumber],
) -> Vec<PlannedDocument> {
    let sides: Vec<Side> = images
        .iter()
        .filter(|image| image.step == *step)
        .map(|image| image.side)
        .collect();
    let is_decided = numbers.len() == 1 || numbers.len() == sides.len();
    let shown =
        (0..numbers.len()).map(|position| sides.get(position).copied().filter(|_| is_decided));
    let planned = numbers
        .iter()
        .zip(shown)
        .map(|(&file, side)| PlannedDocument {
            step: step.clone(),
            file,
            side,
        });
    planned.collect()
}

/// What to capture and submit, decided once from the first callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The archived callback whose links lead to the files.
    pub callback: Digest256,
    /// The upload of the files.
    /// Files of another upload are never submitted under this plan.
    pub upload: UploadId,
    /// The upload's [`Upload::fingerprint`](crate::upload::Upload::fingerprint).
    pub fingerprint: Digest256,
    /// The callback's links are out of use: `/api/v2/files` listed `upload` in their place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub are_links_replaced: bool,
    /// The customer. Token 2 is created for the same client.
    pub client_id: ClientId,
    /// Every file that must be in the bucket before they are judged.
    pub documents: Vec<PlannedDocument>,
    /// Which steps show the document, front first.
    #[serde(default)]
    pub images: Vec<StepImage>,
    pub country: CountryCode,
    /// `None`: the provider detects the type from the front.
    #[serde(default)]
    pub document_type: Option<DocumentType>,
}

impl Plan {
    /// The links of the plan's callback that lead to files of the plan's upload.
    pub(crate) fn usable(&self, links: StepLinks) -> StepLinks {
        if self.are_links_replaced {
            StepLinks::new()
        } else {
            links
        }
    }

    /// The plan with equal bytes of one step counted as one file.
    pub(crate) fn without_repeats(self, stored: &[StoredDocument]) -> Self {
        let digest = |planned: &PlannedDocument| {
            let is_planned = |stored: &&StoredDocument| {
                stored.upload == self.upload
                    && stored.step == planned.step
                    && stored.file == planned.file
            };
            stored.iter().find(is_planned).map(|stored| &stored.sha256)
        };
        let is_repeated = |position: usize, planned: &PlannedDocument| {
            let mut earlier = self.documents.iter().take(position);
            let digest_of_this = digest(planned);
            digest_of_this.is_some()
                && earlier.any(|earlier| {
                    earlier.step == planned.step && digest(earlier) == digest_of_this
                })
        };
        let documents = self.documents.iter().enumerate();
        let kept: Vec<&PlannedDocument> = documents
            .filter(|(position, planned)| !is_repeated(*position, planned))
            .map(|(_, planned)| planned)
            .collect();
        if kept.len() == self.documents.len() {
            return self;
        }
        let mut steps: Vec<&StepName> = kept.iter().map(|planned| &planned.step).collect();
        steps.dedup();
        let numbers = |step: &StepName| -> Vec<FileNumber> {
            let of_step = kept.iter().filter(|planned| planned.step == *step);
            of_step.map(|planned| planned.file).collect()
        };
        let documents = steps
            .into_iter()
            .flat_map(|step| with_sides(&self.images, step, &numbers(step)));
        let documents = documents.collect();
        Self { documents, ..self }
    }

    /// What the file shows, as far as the plan says.
    pub fn side_of(&self, step: &StepName, file: FileNumber) -> Option<Side> {
        self.documents
            .iter()
            .find(|planned| planned.step == *step && planned.file == file)
            .and_then(|planned| planned.side)
    }
}

/// The document types that direct processing takes. (Source: "Direct Processing", `documentType`.)
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(const_into_str, serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum DocumentType {
    IdCard,
    Passport,
    DriverLicense,
    ResidencePermit,
}

impl DocumentType {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// A file that is in the bucket, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDocument {
    /// The upload that it is from.
    pub upload: UploadId,
    pub step: StepName,
    /// Which of the step's files.
    #[serde(default, skip_serializing_if = "FileNumber::is_first")]
    pub file: FileNumber,
    /// As the newest plan says; `None`: it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    pub file_type: FileType,
    pub bytes: u64,
    pub sha256: Digest256,
    /// The copy that is submitted instead, if the provider would refuse the original.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<PreparedFile>,
}

impl StoredDocument {
    /// Where the bucket holds it, as it was received.
    pub fn key(&self, first: &ScanRef) -> String {
        document_key(first, &self.upload, &self.step, self.file, self.file_type)
    }

    /// Where the bucket holds what is submitted of it.
    pub fn submitted_key(&self, first: &ScanRef) -> String {
        match &self.prepared {
            None => self.key(first),
            Some(prepared) => prepared.key(first, &self.step),
        }
    }

    /// The length of what is submitted of it.
    pub fn submitted_bytes(&self) -> u64 {
        self.prepared
            .as_ref()
            .map_or(self.bytes, |prepared| prepared.bytes)
    }

    /// The digest of what is submitted of it.
    pub fn submitted_sha256(&self) -> &Digest256 {
        self.prepared
            .as_ref()
            .map_or(&self.sha256, |prepared| &prepared.sha256)
    }
}

/// `documents/<first scanRef>/<upload>/<STEP>.<extension>` for a step's first file.
/// `documents/<first scanRef>/<upload>/<STEP>.<number>.<extension>` for the others.
/// A step's key has no dot, so no two files have the same key.
pub fn document_key(
    first: &ScanRef,
    upload: &UploadId,
    step: &StepName,
    file: FileNumber,
    file_type: FileType,
) -> String {
    let (step, extension) = (step.key(), file_type.extension());
    if file.is_first() {
        format!("documents/{first}/{upload}/{step}.{extension}")
    } else {
        format!("documents/{first}/{upload}/{step}.{file}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_told_by_their_first_bytes() {
        assert_eq!(
            FileType::sniff(b"\xFF\xD8\xFF\xE0...."),
            Some(FileType::Jpeg)
        );
        assert_eq!(
            FileType::sniff(b"\x89PNG\r\n\x1a\n...."),
            Some(FileType::Png)
        );
        assert_eq!(FileType::sniff(b"%PDF-1.7"), Some(FileType::Pdf));
        assert_eq!(FileType::sniff(b"\n\n%PDF-1.7"), Some(FileType::Pdf));
        assert_eq!(
            FileType::sniff(b"RIFF\0\0\0\0WEBPVP8 "),
            Some(FileType::Webp)
        );
        assert_eq!(FileType::sniff(b"\0\0\0\x18ftypheic"), Some(FileType::Heic));
        assert_eq!(FileType::sniff(b"\0\0\0\x18ftypmif1"), Some(FileType::Heic));
    }

    #[test]
    fn a_file_that_begins_like_several_types_is_the_first() {
        assert_eq!(
            FileType::sniff(b"\xFF\xD8\xFF\xE0....%PDF-1.7"),
            Some(FileType::Jpeg)
        );
        assert_eq!(
            FileType::sniff(b"RIFF\0\0\0\0WEBPVP8 %PDF-1.7"),
            Some(FileType::Webp)
        );
    }

    #[test]
    fn other_types_are_not_recognised() {
        for other in [
            &b"RIFF\0\0\0\0WAVEfmt "[..],
            b"\0\0\0\x18ftypisom",
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

    const FILE_TYPES: [(FileType, &str); 5] = [
        (FileType::Jpeg, "image/jpeg"),
        (FileType::Png, "image/png"),
        (FileType::Pdf, "application/pdf"),
        (FileType::Webp, "image/webp"),
        (FileType::Heic, "image/heic"),
    ];

    #[test]
    fn each_type_has_its_registered_media_type() {
        for (file_type, media_type) in FILE_TYPES {
            assert_eq!(file_type.media_type(), media_type);
        }
    }

    #[test]
    fn only_what_can_shrink_may_be_larger_than_a_submission() {
        for (file_type, _) in FILE_TYPES {
            let can_be_made_smaller = file_type != FileType::Pdf;
            assert_eq!(
                file_type.maximum_bytes() > MAXIMUM_TOTAL_BYTES,
                can_be_made_smaller,
                "{file_type:?}"
            );
            assert!(
                file_type.maximum_bytes() >= MAXIMUM_TOTAL_BYTES,
                "{file_type:?}"
            );
        }
    }

    #[test]
    fn a_document_type_is_the_provider_s_word_in_the_record_as_well() {
        for document_type in DocumentType::ALL.iter().copied() {
            assert_eq!(
                serde_json::to_value(document_type).unwrap(),
                document_type.as_str()
            );
        }
    }
}
