//! How a camera was held, and turning its picture upright.

use crate::picture::{Picture, RGB};

/// The eight values of the EXIF tag 0x0112. (Source: CIPA DC-008-2019, "Orientation".)
///
/// The names say what must be done to see the picture upright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// 1: nothing.
    Upright,
    /// 2: mirror left to right.
    Mirror,
    /// 3: rotate by half a turn.
    HalfTurn,
    /// 4: mirror top to bottom.
    Flip,
    /// 5: mirror along the diagonal from the top left.
    Transpose,
    /// 6: rotate by a quarter clockwise.
    Clockwise,
    /// 7: mirror along the diagonal from the top right.
    Transverse,
    /// 8: rotate by a quarter counter-clockwise.
    CounterClockwise,
}

impl Orientation {
    pub const ALL: [Self; 8] = [
        Self::Upright,
        Self::Mirror,
        Self::HalfTurn,
        Self::Flip,
        Self::Transpose,
        Self::Clockwise,
        Self::Transverse,
        Self::CounterClockwise,
    ];

    /// The tag's value. All others are reserved and mean that nothing is known: upright.
    pub(crate) fn of_tag(value: u32) -> Self {
        let position = usize::try_from(value).ok().and_then(|value| value.checked_sub(1));
        position
            .and_then(|position| Self::ALL.get(position))
            .copied()
            .unwrap_or(Self::Upright)
    }

    /// Where, in the picture as it was stored, the pixel is that belongs at `column`, `row` of the upright one.
    const fn source(self, column: usize, row: usize, stored_width: usize, stored_height: usize) -> (usize, usize) {
        let (right, bottom) = (stored_width.saturating_sub(1), stored_height.saturating_sub(1));
        match self {
            Self::Upright => (column, row),
            Self::Mirror => (right.saturating_sub(column), row),
            Self::HalfTurn => (right.saturating_sub(column), bottom.saturating_sub(row)),
            Self::Flip => (column, bottom.saturating_sub(row)),
            Self::Transpose => (row, column),
            Self::Clockwise => (row, bottom.saturating_sub(column)),
            Self::Transverse => (right.saturating_sub(row), bottom.saturating_sub(column)),
            Self::CounterClockwise => (right.saturating_sub(row), column),
        }
    }

    const fn swaps_sides(self) -> bool {
        matches!(self, Self::Transpose | Self::Clockwise | Self::Transverse | Self::CounterClockwise)
    }

    /// The picture upright. Needs the memory of a second picture, except when there is nothing to do.
    pub(crate) fn apply(self, picture: Picture) -> Picture {
        if self == Self::Upright {
            return picture;
        }
        let Picture { width, height, rgb } = picture;
        let (upright_width, upright_height) = if self.swaps_sides() { (height, width) } else { (width, height) };
        let mut upright = vec![0; rgb.len()];
        for (row, pixels) in upright.chunks_exact_mut(upright_width.saturating_mul(RGB)).enumerate() {
            for (column, pixel) in pixels.chunks_exact_mut(RGB).enumerate() {
                let (x, y) = self.source(column, row, width, height);
                let offset = y.saturating_mul(width).saturating_add(x).saturating_mul(RGB);
                if let Some(stored) = rgb.get(offset..offset.saturating_add(RGB)) {
                    pixel.copy_from_slice(stored);
                }
            }
        }
        Picture {
            width: upright_width,
            height: upright_height,
            rgb: upright,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The letter F, which looks different from every side.
    const UPRIGHT: [&str; 5] = ["###", "#..", "##.", "#..", "#.."];

    fn picture(rows: &[&str]) -> Picture {
        let rgb = rows.iter().flat_map(|row| row.bytes()).flat_map(|byte| [byte; RGB]).collect();
        Picture {
            width: rows[0].len(),
            height: rows.len(),
            rgb,
        }
    }

    fn rows(picture: &Picture) -> Vec<String> {
        let row = |pixels: &[u8]| pixels.chunks(RGB).map(|pixel| char::from(pixel[0])).collect();
        picture.rgb.chunks(picture.width * RGB).map(row).collect()
    }

    /// As the standard words it: which side of the scene the 0th row and the 0th column are.
    #[test]
    fn each_of_the_eight_is_turned_upright() {
        let stored: [&[&str]; 8] = [
            &["###", "#..", "##.", "#..", "#.."], // 1: row 0 is the top, column 0 the left
            &["###", "..#", ".##", "..#", "..#"], // 2: top, right
            &["..#", "..#", ".##", "..#", "###"], // 3: bottom, right
            &["#..", "#..", "##.", "#..", "###"], // 4: bottom, left
            &["#####", "#.#..", "#...."],         // 5: left, top
            &["#....", "#.#..", "#####"],         // 6: right, top
            &["....#", "..#.#", "#####"],         // 7: right, bottom
            &["#####", "..#.#", "....#"],         // 8: left, bottom
        ];
        for (tag, stored) in (1..).zip(stored) {
            let upright = Orientation::of_tag(tag).apply(picture(stored));
            assert_eq!((upright.width, upright.height), (3, 5), "{tag}");
            assert_eq!(rows(&upright), UPRIGHT, "{tag}");
        }
    }

    #[test]
    fn reserved_values_turn_nothing() {
        for tag in [0, 9, 255, u32::MAX] {
            assert_eq!(Orientation::of_tag(tag), Orientation::Upright, "{tag}");
        }
    }
}
