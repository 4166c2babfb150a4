//! Checks of direct processing on an image: its base64, its format by the first bytes, and that a
//! PDF is not encrypted. Decoded bytes are dropped after the check; a digest remains.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::provider::errors::ProviderError;
use crate::world::journal::ImageRecord;
use crate::world::settings::Settings;
use crate::world::signature::hex_sha256;

/// Digest, length and format of one image of a submission.
///
/// # Errors
/// `ENCODING_ERROR` for text that is not plain standard base64, `BAD_VALUE` for an image that
/// direct processing does not take. The record comes with the error wherever the image could be
/// decoded.
pub(crate) fn look_at(
    settings: &Settings,
    side: &str,
    text: &str,
) -> (Option<ImageRecord>, Result<(), ProviderError>) {
    let Ok(image) = STANDARD.decode(text) else {
        let message = format!("Image of step {side} is not valid base64.");
        return (None, Err(ProviderError::new("ENCODING_ERROR", message)));
    };
    let format = sniff(&image);
    let record = ImageRecord {
        side: side.to_owned(),
        bytes: image.len() as u64,
        sha256: hex_sha256(&image),
        format,
    };
    let refuse = |why: &str| {
        Err(ProviderError::bad_value(format!(
            "Image of step {side} {why}."
        )))
    };
    let verdict = match format {
        _ if image.is_empty() => refuse("is empty"),
        _ if settings
            .image_limit_bytes
            .is_some_and(|limit| record.bytes > limit) =>
        {
            refuse("is too large")
        }
        "png" | "jpeg" => Ok(()),
        "pdf" if !settings.accept_pdf => refuse("must be JPEG or PNG"),
        "pdf" if is_encrypted(&image) => refuse("is an encrypted PDF"),
        "pdf" => Ok(()),
        _ => refuse("must be PNG, JPG, JPEG or PDF"),
    };
    (Some(record), verdict)
}

/// The format by the first bytes; `other` for an unknown one.
pub(crate) fn sniff(image: &[u8]) -> &'static str {
    match image {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "png",
        [0xff, 0xd8, 0xff, ..] => "jpeg",
        [b'%', b'P', b'D', b'F', b'-', ..] => "pdf",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "webp",
        [b'G', b'I', b'F', b'8', ..] => "gif",
        [
            _,
            _,
            _,
            _,
            b'f',
            b't',
            b'y',
            b'p',
            b'h',
            b'e',
            b'i',
            b'c' | b'x',
            ..,
        ] => "heic",
        _ => "other",
    }
}

/// An encrypted PDF names its encryption dictionary in a trailer; an updated file has several.
fn is_encrypted(pdf: &[u8]) -> bool {
    const ENTRY: &[u8] = b"/Encrypt";
    pdf.windows(ENTRY.len()).any(|window| window == ENTRY)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::look_at;
    use crate::world::settings::Settings;

    fn is_taken(settings: &Settings, image: &[u8]) -> bool {
        look_at(settings, "FRONT", &STANDARD.encode(image))
            .1
            .is_ok()
    }

    #[test]
    fn png_jpeg_and_plain_pdf_are_taken_and_nothing_else() {
        let settings = Settings::default();
        assert!(is_taken(&settings, b"\x89PNG\r\n\x1a\n...."));
        assert!(is_taken(&settings, b"\xff\xd8\xff\xe0...."));
        assert!(is_taken(&settings, b"%PDF-1.7\ntrailer << /Root 1 0 R >>"));
        assert!(!is_taken(
            &settings,
            b"%PDF-1.7\ntrailer << /Root 1 0 R /Encrypt 2 0 R >>"
        ));
        assert!(!is_taken(&settings, b"RIFF\0\0\0\0WEBPVP8 "));
        assert!(!is_taken(&settings, b"<html>"));
        assert!(!is_taken(&settings, b""));
    }

    #[test]
    fn limits_and_formats_follow_the_settings() {
        let small = Settings {
            image_limit_bytes: Some(10),
            ..Settings::default()
        };
        assert!(is_taken(&small, b"%PDF-12345"));
        assert!(!is_taken(&small, b"%PDF-123456"));
        let without_pdf = Settings {
            accept_pdf: false,
            ..Settings::default()
        };
        assert!(!is_taken(&without_pdf, b"%PDF-1.7"));
    }

    #[test]
    fn only_the_standard_alphabet_decodes() {
        let settings = Settings::default();
        let png = b"\x89PNG\r\n\x1a\n\xff\xfe\xfd\xfb\xff";
        let refused = |text: &str| look_at(&settings, "FRONT", text).1.is_err();
        assert!(!refused(&STANDARD.encode(png)));
        assert!(refused(&URL_SAFE.encode(png)));
        assert!(refused(&format!(
            "data:image/png;base64,{}",
            STANDARD.encode(png)
        )));
        assert!(refused(STANDARD.encode(png).trim_end_matches('=')));
    }
}
