//! Stand-ins for photos: valid 8 × 8 PNG images of one colour, a different one for each name, so
//! that files can be told apart.

use bytes::Bytes;

const SIDE: u32 = 8;

/// The picture for a name.
pub(crate) fn png(name: &str) -> Bytes {
    let [red, green, blue, _] = crc32(name.as_bytes()).to_be_bytes();
    // Each row starts with its filter: none.
    let row: Vec<u8> = std::iter::once(0)
        .chain(
            [red, green, blue]
                .into_iter()
                .cycle()
                .take(SIDE as usize * 3),
        )
        .collect();
    let pixels = row.repeat(SIDE as usize);

    let mut header = Vec::new();
    header.extend(SIDE.to_be_bytes());
    header.extend(SIDE.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // eight bits, RGB, no interlacing

    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    push_chunk(&mut image, b"IHDR", &header);
    push_chunk(&mut image, b"IDAT", &stored_zlib(&pixels));
    push_chunk(&mut image, b"IEND", &[]);
    image.into()
}

fn push_chunk(image: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let body: Vec<u8> = kind.iter().chain(content).copied().collect();
    image.extend((content.len() as u32).to_be_bytes());
    image.extend(&body);
    image.extend(crc32(&body).to_be_bytes());
}

/// A zlib stream of one block that is not compressed.
fn stored_zlib(content: &[u8]) -> Vec<u8> {
    let length = content.len() as u16;
    let mut stream = vec![0x78, 0x01, 0x01];
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(content);
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend(((high << 16) | low).to_be_bytes());
    stream
}

fn crc32(content: &[u8]) -> u32 {
    !content.iter().fold(!0, |remainder, byte| {
        (0..8).fold(remainder ^ u32::from(*byte), |value, _| {
            if value & 1 == 1 {
                0xedb8_8320 ^ (value >> 1)
            } else {
                value >> 1
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{crc32, png};

    #[test]
    fn checksum_has_its_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn pictures_are_png_and_differ_by_name() {
        assert!(png("FRONT").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(png("FRONT"), png("FRONT"));
        assert_ne!(png("FRONT"), png("BACK"));
    }
}
