//! Identifiers, parsed at the edge: whoever holds one of these types holds a value that is safe to put into a key, a path or a log line.
//!
//! Bounds come from iDenfy's published API description: `scanRef` at most 36 characters in callbacks and 40 in token responses,
//! `clientId` 1 to 100 ASCII characters, `externalRef` at most 40. We accept somewhat longer `scanRef`s, in case the provider's do grow.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};

/// Why a text is not the identifier it should be. Prints the rule, never the text: it came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    #[error("a scanRef is 1 to {} letters, digits, hyphens and underscores", ScanRef::MAXIMUM_LENGTH)]
    ScanRef,
    #[error("a clientId is 1 to {} visible ASCII characters or spaces", ClientId::MAXIMUM_LENGTH)]
    ClientId,
    #[error("a step name is 1 to {} letters, digits, hyphens and underscores", StepName::MAXIMUM_LENGTH)]
    StepName,
    #[error("a country is two letters (ISO 3166-1 alpha-2)")]
    CountryCode,
    #[error("a SHA-256 digest is 64 lower-case hexadecimal digits")]
    Digest,
    #[error("an upload is 16 lower-case hexadecimal digits")]
    Upload,
    #[error("a side is FRONT or BACK")]
    Side,
}

macro_rules! text_type {
    ($name:ident) => {
        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

fn is_word(text: &str, maximum: usize) -> bool {
    (1..=maximum).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The provider's name for one verification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ScanRef(String);
text_type!(ScanRef);

impl ScanRef {
    pub const MAXIMUM_LENGTH: usize = 128;
}

impl FromStr for ScanRef {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_word(text, Self::MAXIMUM_LENGTH) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::ScanRef)
        }
    }
}

/// The company's own, opaque name for its customer. The same for both tokens of a pairing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(String);
text_type!(ClientId);

impl ClientId {
    pub const MAXIMUM_LENGTH: usize = 100;
}

impl FromStr for ClientId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAXIMUM_LENGTH).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::ClientId)
        }
    }
}

/// The name of an additional step, as configured in the provider's account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StepName(String);
text_type!(StepName);

impl StepName {
    pub const MAXIMUM_LENGTH: usize = 64;

    /// Whether the provider uses this key for the files of the *first* document, which are never ours to submit.
    pub fn is_first_document(&self) -> bool {
        matches!(
            self.0.to_ascii_uppercase().as_str(),
            "FRONT" | "BACK" | "FACE" | "FRONT_VIDEO" | "BACK_VIDEO" | "FACE_VIDEO" | "PASSPORT_COVER"
        )
    }

    /// Whether the provider uses this step for proofs of address, which are not identity documents.
    pub fn is_utility_bill(&self) -> bool {
        matches!(self.0.to_ascii_uppercase().as_str(), "UTILITY_BILL" | "SECOND_UTILITY_BILL")
    }
}

impl FromStr for StepName {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_word(text, Self::MAXIMUM_LENGTH) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::StepName)
        }
    }
}

/// ISO 3166-1 alpha-2, upper case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CountryCode(String);
text_type!(CountryCode);

impl FromStr for CountryCode {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if fits {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(InvalidIdentifier::CountryCode)
        }
    }
}

/// SHA-256, lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Digest256(String);
text_type!(Digest256);

impl Digest256 {
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(hex::encode(bytes))
    }
}

impl FromStr for Digest256 {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::Digest)
        }
    }
}

/// Names one upload of the customer's, and the folder of its files in the bucket: the first 16 hexadecimal digits of
/// the digest of the callback, or of the answer of `/files`, that named the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UploadId(String);
text_type!(UploadId);

impl UploadId {
    const LENGTH: usize = 16;

    /// The upload that was named by what has this digest.
    pub fn of(digest: &Digest256) -> Self {
        Self(digest.0.chars().take(Self::LENGTH).collect())
    }
}

impl FromStr for UploadId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() == Self::LENGTH && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::Upload)
        }
    }
}

/// Which side of the second document a file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Side {
    Front,
    Back,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Front => "FRONT",
            Self::Back => "BACK",
        }
    }
}

impl FromStr for Side {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "FRONT" => Ok(Self::Front),
            "BACK" => Ok(Self::Back),
            _ => Err(InvalidIdentifier::Side),
        }
    }
}

/// The `externalRef` that we put on Token 2, so that its callback can be recognised even when its creation was never recorded.
///
/// `dv2:` and the first `scanRef` are exactly the 40 characters that the provider allows; a longer `scanRef` goes in as the first
/// 36 hexadecimal digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondReference(String);

impl SecondReference {
    /// What every one of them begins with, and no application's own reference may.
    pub const PREFIX: &'static str = "dv2:";
    const MAXIMUM_LENGTH: usize = 40;

    pub fn of(first: &ScanRef) -> Self {
        let plain = format!("{}{first}", Self::PREFIX);
        if plain.len() <= Self::MAXIMUM_LENGTH {
            return Self(plain);
        }
        let digest: String = Digest256::of(first.as_str().as_bytes())
            .0
            .chars()
            .take(Self::MAXIMUM_LENGTH - Self::PREFIX.len())
            .collect();
        Self(format!("{}{digest}", Self::PREFIX))
    }

    /// Recognises an `externalRef` that came back in a callback.
    pub fn parse(external_ref: &str) -> Option<Self> {
        let fits = external_ref.starts_with(Self::PREFIX) && external_ref.len() <= Self::MAXIMUM_LENGTH;
        fits.then(|| Self(external_ref.to_owned()))
    }

    /// The first `scanRef`, unless it went in as a digest. What comes out is a candidate: whoever finds no pairing under it must
    /// treat the callback as one of a Token 2 all the same.
    pub fn first(&self) -> Option<ScanRef> {
        self.0.strip_prefix(Self::PREFIX)?.parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scan_ref_refuses_what_could_leave_its_key() {
        for bad in ["", "a/b", "a#b", "..", "a b", "é", "a\n", &"x".repeat(129)] {
            assert_eq!(bad.parse::<ScanRef>(), Err(InvalidIdentifier::ScanRef), "{bad:?}");
        }
        assert!("6b0f2a1e-8f5d-4a4e-9a43-0c4f9a3d6a11".parse::<ScanRef>().is_ok());
    }

    #[test]
    fn client_id_is_one_to_a_hundred_ascii_characters() {
        assert!("x".repeat(100).parse::<ClientId>().is_ok());
        for bad in [String::new(), "x".repeat(101), "žmogus".to_owned(), "a\tb".to_owned()] {
            assert_eq!(bad.parse::<ClientId>(), Err(InvalidIdentifier::ClientId), "{bad:?}");
        }
    }

    #[test]
    fn country_is_upper_cased() {
        assert_eq!("lt".parse::<CountryCode>().unwrap().as_str(), "LT");
        assert_eq!("ALL".parse::<CountryCode>(), Err(InvalidIdentifier::CountryCode));
    }

    #[test]
    fn second_reference_of_a_uuid_uses_exactly_the_allowed_length_and_leads_back() {
        let first: ScanRef = "6b0f2a1e-8f5d-4a4e-9a43-0c4f9a3d6a11".parse().unwrap();
        let reference = SecondReference::of(&first);
        assert_eq!(reference.as_str().len(), 40);
        assert_eq!(SecondReference::parse(reference.as_str()).unwrap().first(), Some(first));
    }

    #[test]
    fn second_reference_of_a_longer_scan_ref_is_a_digest_of_the_allowed_length() {
        let first: ScanRef = "x".repeat(37).parse().unwrap();
        let reference = SecondReference::of(&first);
        assert_eq!(reference.as_str().len(), 40);
        assert_ne!(reference.first(), Some(first));
        assert_eq!(SecondReference::parse("order-4711"), None);
    }

    #[test]
    fn a_digest_is_64_lower_case_hexadecimal_digits() {
        let digest = Digest256::of(b"body");
        assert_eq!(digest.as_str().parse(), Ok(digest.clone()));
        for bad in ["", &"a".repeat(63), &"a".repeat(65), &"A".repeat(64), &"g".repeat(64)] {
            assert_eq!(bad.parse::<Digest256>(), Err(InvalidIdentifier::Digest), "{bad:?}");
        }
    }
}
