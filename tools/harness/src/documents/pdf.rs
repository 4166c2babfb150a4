//! A PDF of one page that shows one JPEG (ISO 32000-1): five objects and a table of where they
//! begin.

use crate::documents::card::Card;

/// The page's width in points, a 72nd of an inch; that of A4.
const PAGE_WIDTH: u32 = 595;
const PAGE_HEIGHT: u32 = 842;
const MARGIN: u32 = 60;

/// The document, with `jpeg`, which must be the encoded `card`, on its page.
pub fn document(card: &Card, jpeg: &[u8]) -> Vec<u8> {
    let (width, height) = (u32::from(card.width), u32::from(card.height));
    let shown_width = PAGE_WIDTH - 2 * MARGIN;
    let shown_height = shown_width * height / width.max(1);
    let bottom = PAGE_HEIGHT - 2 * MARGIN - shown_height;
    let drawing = format!(
        "BT /F1 20 Tf {MARGIN} {} Td (SPECIMEN - not a real document) Tj ET\n\
         q {shown_width} 0 0 {shown_height} {MARGIN} {bottom} cm /Picture Do Q\n",
        PAGE_HEIGHT - MARGIN - 20
    );
    let resources = "<< /XObject << /Picture 5 0 R >> /Font << /F1 << /Type /Font /Subtype /Type1 \
        /BaseFont /Helvetica >> >> >>";
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE_WIDTH} {PAGE_HEIGHT}] /Contents 4 0 R \
            /Resources {resources} >>"
    );
    let picture = format!(
        "/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB \
            /BitsPerComponent 8 /Filter /DCTDecode"
    );
    write(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        page.into_bytes(),
        stream("", drawing.as_bytes()),
        stream(&picture, jpeg),
    ])
}

fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut object = format!("<< {entries} /Length {} >>\nstream\n", content.len()).into_bytes();
    object.extend_from_slice(content);
    object.extend_from_slice(b"\nendstream");
    object
}

/// The file with these objects, numbered from 1; the first is the catalogue.
fn write(objects: &[Vec<u8>]) -> Vec<u8> {
    // The comment tells programs that look at the start of a file that it is not text.
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let (start, count) = (file.len(), objects.len() + 1);
    let end = format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R \
            >>\nstartxref\n{start}\n%%EOF\n"
    );
    file.extend_from_slice(end.as_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(file: &[u8], text: &str) -> usize {
        file.windows(text.len())
            .rposition(|window| window == text.as_bytes())
            .unwrap()
    }

    #[test]
    fn the_table_tells_where_every_object_begins() {
        let card = Card::draw(64, "PDF");
        let file = document(&card, b"\xff\xd8 the picture \xff\xd9");
        let tail = String::from_utf8(file[position(&file, "startxref")..].to_vec()).unwrap();
        let start: usize = tail.lines().nth(1).unwrap().parse().unwrap();
        assert!(file[start..].starts_with(b"xref\n0 6\n0000000000 65535 f \n"));

        let table = &file[start + "xref\n0 6\n".len()..];
        for number in 1..=5 {
            // An entry is 20 bytes long, its line's end included (ISO 32000-1, 7.5.4).
            let entry = &table[20 * number..20 * (number + 1)];
            let offset: usize = std::str::from_utf8(&entry[..10]).unwrap().parse().unwrap();
            assert!(
                file[offset..].starts_with(format!("{number} 0 obj\n").as_bytes()),
                "{number}"
            );
        }
        assert!(table[20 * 6..].starts_with(b"trailer\n"));
    }

    #[test]
    fn streams_are_as_long_as_they_say() {
        let file = write(&[stream("/A /B", b"0123456789")]);
        let text = String::from_utf8_lossy(&file);
        assert!(text.contains("<< /A /B /Length 10 >>\nstream\n0123456789\nendstream\nendobj\n"));
    }
}
