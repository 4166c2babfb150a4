//! Drawn specimen cards, plainly no real documents. The drawing is the same on every machine. A
//! fine grain makes it as hard to compress as a photo.

/// Red, green, blue.
type Colour = [u8; 3];

const PAPER: Colour = [225, 232, 238];
const INK: Colour = [32, 58, 92];
const FAINT: Colour = [176, 192, 208];
const STAMP: Colour = [178, 44, 52];

/// How far the grain moves a pixel's value at most, up or down.
const GRAIN: u8 = 24;

/// Rows of a letter, and pixels in a row.
const LETTER_HEIGHT: usize = 7;
const LETTER_WIDTH: usize = 5;

/// A picture, row by row from the top, three bytes a pixel.
#[derive(Debug)]
pub struct Card {
    pub width: u16,
    pub height: u16,
    pub pixels: Vec<u8>,
}

impl Card {
    /// A card of `width` pixels in the proportions of an identity card (ISO/IEC 7810 ID-1), with
    /// the name of the side on it.
    pub fn draw(width: u16, side: &str) -> Self {
        let height = u16::try_from(u32::from(width) * 5_398 / 8_560).unwrap_or(u16::MAX);
        let mut card = Self {
            width,
            height,
            pixels: PAPER.repeat(usize::from(width) * usize::from(height)),
        };
        // Everything is placed on a grid of 64 × 40 units.
        let unit = usize::from(width) / 64;
        card.rectangle(0, 0, 64 * unit + unit, 6 * unit, INK);
        card.text(
            2 * unit,
            unit + unit / 2,
            unit / 2,
            "NOT A REAL DOCUMENT",
            PAPER,
        );
        card.rectangle(3 * unit, 9 * unit, 14 * unit, 18 * unit, FAINT);
        for line in 0..5 {
            card.rectangle(
                21 * unit,
                (9 + 4 * line) * unit,
                (34 - 3 * line) * unit,
                unit,
                FAINT,
            );
        }
        card.text(6 * unit, 14 * unit, unit, "SPECIMEN", STAMP);
        card.text(21 * unit, 30 * unit, unit / 2, side, INK);
        card.grain(seed(side));
        card
    }

    fn rectangle(&mut self, left: usize, top: usize, width: usize, height: usize, colour: Colour) {
        let stride = usize::from(self.width) * colour.len();
        let (start, end) = (
            left * colour.len(),
            ((left + width) * colour.len()).min(stride),
        );
        for row in self.pixels.chunks_exact_mut(stride).skip(top).take(height) {
            let pixels = row.get_mut(start..end).unwrap_or_default();
            pixels
                .chunks_exact_mut(colour.len())
                .for_each(|pixel| pixel.copy_from_slice(&colour));
        }
    }

    /// Writes `text` in letters whose pixels are squares of `scale` pixels.
    fn text(&mut self, left: usize, top: usize, scale: usize, text: &str, colour: Colour) {
        for (position, letter) in text.chars().enumerate() {
            let left = left + position * (LETTER_WIDTH + 1) * scale;
            for (row, bits) in rows(letter).into_iter().enumerate() {
                for column in
                    (0..LETTER_WIDTH).filter(|column| bits >> (LETTER_WIDTH - 1 - column) & 1 == 1)
                {
                    self.rectangle(
                        left + column * scale,
                        top + row * scale,
                        scale,
                        scale,
                        colour,
                    );
                }
            }
        }
    }

    /// Moves each value by up to [`GRAIN`]; xorshift64 (Marsaglia 2003), eight values a step.
    fn grain(&mut self, seed: u64) {
        let mut state = seed;
        for values in self.pixels.chunks_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            for (value, random) in values.iter_mut().zip(state.to_le_bytes()) {
                *value = value
                    .saturating_add(random % (2 * GRAIN + 1))
                    .saturating_sub(GRAIN);
            }
        }
    }
}

/// Differs by side and is never 0, from which xorshift cannot leave.
fn seed(side: &str) -> u64 {
    side.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |seed, byte| {
        seed.rotate_left(9) ^ u64::from(byte)
    }) | 1
}

/// The few letters that the cards need; all others are blank.
fn rows(letter: char) -> [u8; LETTER_HEIGHT] {
    match letter {
        'A' => [
            0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001,
        ],
        'B' => [
            0b11110, 0b10001, 0b10001, 0b11110, 0b10001, 0b10001, 0b11110,
        ],
        'C' => [
            0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110,
        ],
        'D' => [
            0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110,
        ],
        'E' => [
            0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111,
        ],
        'F' => [
            0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000,
        ],
        'I' => [
            0b01110, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110,
        ],
        'K' => [
            0b10001, 0b10010, 0b10100, 0b11000, 0b10100, 0b10010, 0b10001,
        ],
        'L' => [
            0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111,
        ],
        'M' => [
            0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001,
        ],
        'N' => [
            0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001,
        ],
        'O' => [
            0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110,
        ],
        'P' => [
            0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000,
        ],
        'R' => [
            0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001,
        ],
        'S' => [
            0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110,
        ],
        'T' => [
            0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100,
        ],
        'U' => [
            0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110,
        ],
        _ => [0; LETTER_HEIGHT],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_the_same_every_time_and_each_side_is_another() {
        let front = Card::draw(640, "FRONT");
        assert_eq!(front.pixels.len(), 640 * usize::from(front.height) * 3);
        assert_eq!(front.pixels, Card::draw(640, "FRONT").pixels);
        assert_ne!(front.pixels, Card::draw(640, "BACK").pixels);
    }

    #[test]
    fn every_letter_that_is_written_can_be_seen() {
        for letter in "NOTAREALDOCUMENTSPECIMENFRONTBACKPDF".chars() {
            assert_ne!(rows(letter), [0; LETTER_HEIGHT], "{letter}");
        }
    }
}
