//! Identifiers, parsed at the edge.
//! Their values are safe in keys, paths and log lines.
//!
//! Bounds come from iDenfy's published API description: `scanRef` has at most 36 characters in
//! callbacks and 40 in token responses, `clientId` 1 to 100 ASCII characters, `externalRef` at most
//! 40.
//! Somewhat longer `scanRef`s are accepted, in case the provider's grow.
//! Step names have no documented bound.
//! A `clientId` or step name in a callback exists at the provider, so any script is accepted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

/// Why a text is not a valid identifier.
/// Prints the rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    #[error(
        "a scanRef is 1 to {} letters, digits, hyphens and underscores, begins with no hyphen \
         and is not '{}'",
        ScanRef::MAXIMUM_LENGTH,
        ScanRef::RESERVED
    )]
    ScanRef,
    #[error(
        "a clientId is 1 to {} characters without control and format characters",
        ClientId::MAXIMUM_LENGTH
    )]
    ClientId,
    #[error(
        "a step name is 1 to {} characters without control and format characters, and no link",
        StepName::MAXIMUM_LENGTH
    )]
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
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(de::Error::custom)
            }
        }
    };
}

const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether the text has 1 to `maximum` characters (Unicode scalar values), none of them deceptive.
fn is_plain_text(text: &str, maximum: usize) -> bool {
    (1..=maximum).contains(&text.chars().count())
        && !text
            .chars()
            .any(|character| character.is_control() || is_deceptive(character))
}

/// Format characters and line separators (Unicode 16, categories Cf, Zl and Zp) hide or reorder
/// text.
/// U+FFFD stands for a character that could not be read.
const fn is_deceptive(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFD}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// The provider's name for one verification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ScanRef(String);
text_type!(ScanRef);

impl ScanRef {
    pub const MAXIMUM_LENGTH: usize = 128;

    /// The folder of callbacks without a `scanRef`.
    /// Refused as a name in any case.
    pub const RESERVED: &str = "unreadable";
}

impl FromStr for ScanRef {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_word =
            (1..=Self::MAXIMUM_LENGTH).contains(&text.len()) && text.bytes().all(is_word_byte);
        // A hyphen in front would make it a command-line option.
        if is_word && !text.starts_with('-') && !text.eq_ignore_ascii_case(Self::RESERVED) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::ScanRef)
        }
    }
}

/// The company's own, opaque name for its customer.
/// Both tokens of a pairing have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(String);
text_type!(ClientId);

impl ClientId {
    pub const MAXIMUM_LENGTH: usize = 100;
}

impl FromStr for ClientId {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_plain_text(text, Self::MAXIMUM_LENGTH) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::ClientId)
        }
    }
}

/// The name of an additional step, as configured in the provider's account.
/// Compared exactly: case and white space count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StepName(String);
text_type!(StepName);

impl StepName {
    pub const MAXIMUM_LENGTH: usize = 100;

    /// A longer [`Self::key`] is cut and ends in a digest.
    const MAXIMUM_KEY_LENGTH: usize = 100;

    /// Whether the provider uses this key for the *first* document's files.
    /// They are never submitted.
    pub fn is_first_document(&self) -> bool {
        matches!(
            self.0.to_ascii_uppercase().as_str(),
            "FRONT"
                | "BACK"
                | "FACE"
                | "FRONT_VIDEO"
                | "BACK_VIDEO"
                | "FACE_VIDEO"
                | "PASSPORT_COVER"
        )
    }

    /// The name as a part of keys in the bucket: at most 100 ASCII letters, digits, `-`, `_` and
    /// `=`.
    /// Different names have different keys.
    /// Other bytes of its UTF-8 are written as `=` and two hexadecimal digits.
    pub fn key(&self) -> String {
        let mut key = String::new();
        for byte in self.0.bytes() {
            if is_word_byte(byte) {
                key.push(char::from(byte));
            } else {
                key.push('=');
                key.push_str(&hex::encode_upper([byte]));
            }
        }
        if key.len() > Self::MAXIMUM_KEY_LENGTH {
            // No whole key has two equals signs in a row.
            key.truncate(32);
            key.push_str("==");
            key.push_str(Digest256::of(self.0.as_bytes()).as_str());
        }
        key
    }

    /// Whether the provider uses this step for proofs of address.
    /// Those are no identity documents.
    pub fn is_utility_bill(&self) -> bool {
        matches!(
            self.0.to_ascii_uppercase().as_str(),
            "UTILITY_BILL" | "SECOND_UTILITY_BILL"
        )
    }
}

impl FromStr for StepName {
    type Err = InvalidIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A link would reveal where the file is.
        if is_plain_text(text, Self::MAXIMUM_LENGTH) && !text.contains("://") {
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
        let fits = text.len() == 64
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdentifier::Digest)
        }
    }
}

/// Names one upload of the customer, and the folder of its files in the bucket.
/// The first 16 hexadecimal digits of a digest: of the callback, or of the answer of `/files`, that
/// named the files.
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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(const_into_str, serialize_all = "UPPERCASE")]
pub enum Side {
    Front,
    Back,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
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

/// The `externalRef` of Token 2.
/// It identifies Token 2's callback even if its creation was not recorded.
///
/// `dv2:` and the first `scanRef` are exactly the 40 characters that the provider allows.
/// A longer `scanRef` goes in as the first 36 hexadecimal digits of its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondReference(String);

impl SecondReference {
    /// The start of every such reference. Refused in an application's own.
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
        let fits =
            external_ref.starts_with(Self::PREFIX) && external_ref.len() <= Self::MAXIMUM_LENGTH;
        fits.then(|| Self(external_ref.to_owned()))
    }

    /// The first `scanRef`, unless it went in as a digest.
    /// Only a candidate: without a pairing, the callback is still one of a Token 2.
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
        for bad in [
            "",
            "a/b",
            "a#b",
            "..",
            "a b",
            "é",
            "a\n",
            &"x".repeat(129),
            "-rf",
            "unreadable",
            "UnReadable",
        ] {
            assert_eq!(
                bad.parse::<ScanRef>(),
                Err(InvalidIdentifier::ScanRef),
                "{bad:?}"
            );
        }
        assert!(
            "6b0f2a1e-8f5d-4a4e-9a43-0c4f9a3d6a11"
                .parse::<ScanRef>()
                .is_ok()
        );
    }

    /// Refused in every name: hides, reorders or breaks what is printed, or was never read.
    const DECEPTIVE: [&str; 9] = [
        "a\tb",
        "a\u{1b}[31m",
        "a\u{9b}1m",
        "a\u{202e}b",
        "a\u{2066}b",
        "a\u{200b}b",
        "a\u{2028}b",
        "\u{feff}a",
        "a\u{fffd}",
    ];

    #[test]
    fn client_id_is_one_to_a_hundred_characters_of_any_script() {
        for good in [
            "x",
            "клиент-1",
            "žmogus 7",
            " ",
            &"x".repeat(100),
            &"🦊".repeat(100),
        ] {
            assert_eq!(good.parse::<ClientId>().unwrap().as_str(), good);
        }
        for bad in ["", &"x".repeat(101), &"🦊".repeat(101)]
            .into_iter()
            .chain(DECEPTIVE)
        {
            assert_eq!(
                bad.parse::<ClientId>(),
                Err(InvalidIdentifier::ClientId),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn step_name_is_one_to_a_hundred_characters_of_any_script() {
        for good in [
            "SECOND_DOC",
            "Ž_BACK",
            "Second doc.front",
            "back side",
            "a/b=c,d+e%",
            "..",
            &"身".repeat(100),
        ] {
            assert_eq!(good.parse::<StepName>().unwrap().as_str(), good);
        }
        let link = "https://files.example/a?Signature=b";
        for bad in ["", link, &"x".repeat(101)].into_iter().chain(DECEPTIVE) {
            assert_eq!(
                bad.parse::<StepName>(),
                Err(InvalidIdentifier::StepName),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_step_s_key_is_its_name_wherever_it_can_be() {
        let key = |name: &str| name.parse::<StepName>().unwrap().key();
        for name in ["SECOND_DOC_FRONT", "a-1", &"x".repeat(100)] {
            assert_eq!(key(name), name);
        }
        assert_eq!(key("Ž_BACK"), "=C5=BD_BACK");
        assert_eq!(key("Second doc.front"), "Second=20doc=2Efront");
        assert_eq!(key("../a"), "=2E=2E=2Fa");
        assert_eq!(key("=2E"), "=3D2E");
    }

    #[test]
    fn different_steps_have_different_printable_bounded_keys() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        // Close to one another, and some long enough to be cut.
        let alphabet = [
            "a", "A", "=", "==", "2E", ".", "/", "Ž", "Z\u{30c}", "身", " ", "-", "_",
        ];
        let mut names = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            let parts = if random.u8(..) == 0 {
                50
            } else {
                random.usize(1..=5)
            };
            let name: String = (0..parts)
                .map(|_| *random.choice(&alphabet).unwrap())
                .collect();
            let Ok(step) = name.parse::<StepName>() else {
                continue;
            };
            let key = step.key();
            let is_key = |byte: u8| is_word_byte(byte) || byte == b'=';
            assert!(
                (1..=100).contains(&key.len()) && key.bytes().all(is_key),
                "seed {seed}: {name:?}"
            );
            let other = names.insert(key, name.clone());
            assert!(
                other.is_none_or(|other| other == name),
                "seed {seed}: {name:?}"
            );
        }
        let ends = |end: &str| {
            format!("{}{end}", "身".repeat(99))
                .parse::<StepName>()
                .unwrap()
                .key()
        };
        assert_ne!(ends("a"), ends("b"), "the digest is of all of it");
    }

    #[test]
    fn country_is_upper_cased() {
        assert_eq!("lt".parse::<CountryCode>().unwrap().as_str(), "LT");
        assert_eq!(
            "ALL".parse::<CountryCode>(),
            Err(InvalidIdentifier::CountryCode)
        );
    }

    #[test]
    fn the_reference_of_a_uuid_leads_back() {
        let first: ScanRef = "6b0f2a1e-8f5d-4a4e-9a43-0c4f9a3d6a11".parse().unwrap();
        let reference = SecondReference::of(&first);
        assert_eq!(reference.as_str().len(), 40);
        assert_eq!(
            SecondReference::parse(reference.as_str()).unwrap().first(),
            Some(first)
        );
    }

    #[test]
    fn the_reference_of_a_long_scan_ref_is_a_digest() {
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
        for bad in [
            "",
            &"a".repeat(63),
            &"a".repeat(65),
            &"A".repeat(64),
            &"g".repeat(64),
        ] {
            assert_eq!(
                bad.parse::<Digest256>(),
                Err(InvalidIdentifier::Digest),
                "{bad:?}"
            );
        }
    }
}
