//! Whether a PDF is encrypted.

use document_preparation::EncryptionScan;

use crate::resources::in_linear_time;

/// What is printed of a scan is all that it holds.
const MOST_STATE: usize = 800;

/// Ends a stream of unknown length.
const END: &[u8] = b"endstream";

/// A string in brackets that is longer is taken for garbage, so less of the input goes into one.
const LONGEST_TEXT: usize = 30_000;

/// The first two bytes say how the rest is split.
pub(crate) fn pdf(input: &[u8]) {
    let Some((&[one, other], pdf)) = input.split_first_chunk() else {
        return;
    };
    let whole = in_linear_time(pdf.len(), || is_encrypted(&[pdf]));
    let sizes = [usize::from(one) + 1, usize::from(other) * 16 + 1];
    assert_eq!(is_encrypted(&pieces(pdf, sizes)), whole);
    assert_eq!(is_encrypted(&pieces(pdf, [1, 1])), whole);
    let cut = pdf.len() * usize::from(one) / 256;
    if is_encrypted(&[&pdf[..cut]]) {
        assert!(whole, "what was said is taken back");
    }
    hidden_content_means_nothing(pdf);
}

fn pieces(mut bytes: &[u8], sizes: [usize; 2]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    for size in sizes.into_iter().cycle() {
        if bytes.is_empty() {
            return pieces;
        }
        let (piece, rest) = bytes.split_at(size.min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn is_encrypted(pieces: &[&[u8]]) -> bool {
    let mut scan = EncryptionScan::default();
    for piece in pieces {
        scan.push(piece);
    }
    let state = format!("{scan:?}");
    assert!(state.len() <= MOST_STATE, "{state}");
    scan.is_encrypted()
}

/// Within a stream, a comment or a string, nothing changes what the trailer says.
fn hidden_content_means_nothing(content: &[u8]) {
    let length = content.len().to_string();
    let short = &content[..content.len().min(LONGEST_TEXT)];
    let line: Vec<u8> = short
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let escaped: Vec<u8> = short
        .iter()
        .flat_map(|&byte| {
            let escape = matches!(byte, b'(' | b')' | b'\\').then_some(b'\\');
            escape.into_iter().chain([byte])
        })
        .collect();
    let digits = hex(short);
    let ends_early = content.windows(END.len()).any(|window| window == END);
    let objects: [&[&[u8]]; 5] = [
        &[
            b"<</Length 7 0 R>>stream\n",
            if ends_early { b"" } else { content },
            END,
        ],
        &[
            b"<</Length ",
            length.as_bytes(),
            b">>stream\r\n",
            content,
            b"\nendstream",
        ],
        &[b"%", &line, b"\n<<>>"],
        &[b"<</Title(", &escaped, b")>>"],
        &[b"<</Title<", digits.as_bytes(), b">>>"],
    ];
    for object in objects {
        let object = object.concat();
        for (trailer, expected) in [
            (&b"trailer<</Root 1 0 R/Encrypt 9 0 R>>"[..], true),
            (b"trailer<</Root 1 0 R>>", false),
        ] {
            let pdf = [b"%PDF-1.7\n1 0 obj", &object[..], b" endobj\n", trailer];
            assert_eq!(is_encrypted(&pdf), expected, "{:?}", pdf.concat());
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}
