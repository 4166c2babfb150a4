//! How a camera was held, and reading its picture upright.

use crate::planes::Planes;

/// The eight values of the EXIF tag 0x0112. (Source: CIPA DC-008-2019, "Orientation".)
///
/// The names say how to turn the picture upright.
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

    /// The tag's value. Others are reserved and read as upright.
    pub(crate) fn of_tag(value: u32) -> Self {
        let position = usize::try_from(value)
            .ok()
            .and_then(|value| value.checked_sub(1));
        position
            .and_then(|position| Self::ALL.get(position))
            .copied()
            .unwrap_or(Self::Upright)
    }

    const fn swaps_sides(self) -> bool {
        matches!(
            self,
            Self::Transpose | Self::Clockwise | Self::Transverse | Self::CounterClockwise
        )
    }

    /// Whether the upright picture's left is the stored one's right, or its bottom if sides are
    /// swapped.
    const fn reverses_columns(self) -> bool {
        matches!(
            self,
            Self::Mirror | Self::HalfTurn | Self::Clockwise | Self::Transverse
        )
    }

    /// Whether the upright picture's top is the stored one's bottom, or its right if sides are
    /// swapped.
    const fn reverses_rows(self) -> bool {
        matches!(
            self,
            Self::HalfTurn | Self::Flip | Self::Transverse | Self::CounterClockwise
        )
    }
}

/// A picture as it is to be seen.
#[derive(Clone, Copy)]
pub(crate) struct Upright<'a> {
    pub planes: &'a Planes,
    pub orientation: Orientation,
}

impl Upright<'_> {
    pub(crate) const fn width(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.planes.height
        } else {
            self.planes.width
        }
    }

    pub(crate) const fn height(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.planes.width
        } else {
            self.planes.height
        }
    }

    /// Writes the pixels of a row, interleaved.
    ///
    /// A row of a picture on its side is a stored column.
    /// Read in order, the neighbouring columns are still in the processor's cache.
    pub(crate) fn copy_row(&self, row: usize, pixels: &mut [u8]) {
        let at = if self.orientation.reverses_rows() {
            self.height().saturating_sub(row.saturating_add(1))
        } else {
            row
        };
        if self.orientation.swaps_sides() {
            self.planes
                .copy_column(at, self.orientation.reverses_columns(), pixels);
        } else {
            self.planes
                .copy_row(at, self.orientation.reverses_columns(), pixels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planes::CHANNELS;

    /// The letter F, which looks different from every side.
    const UPRIGHT: [&str; 5] = ["###", "#..", "##.", "#..", "#.."];

    fn planes(rows: &[&str]) -> Planes {
        let mut planes = Planes::with_room(rows[0].len(), rows.len(), 0).unwrap();
        for row in rows {
            let pixels: Vec<u8> = row.bytes().flat_map(|byte| [byte; CHANNELS]).collect();
            planes.push_row(&pixels);
        }
        planes.finish().unwrap()
    }

    fn rows(upright: Upright<'_>) -> Vec<String> {
        let mut pixels = vec![0; upright.width() * CHANNELS];
        let mut row = |row| {
            upright.copy_row(row, &mut pixels);
            pixels
                .chunks(CHANNELS)
                .map(|pixel| char::from(pixel[0]))
                .collect()
        };
        (0..upright.height()).map(&mut row).collect()
    }

    /// As in the standard: the scene's side of the 0th row and the 0th column.
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
            let planes = planes(stored);
            let upright = Upright {
                planes: &planes,
                orientation: Orientation::of_tag(tag),
            };
            assert_eq!((upright.width(), upright.height()), (3, 5), "{tag}");
            assert_eq!(rows(upright), UPRIGHT, "{tag}");
        }
    }

    #[test]
    fn reserved_values_turn_nothing() {
        for tag in [0, 9, 255, u32::MAX] {
            assert_eq!(Orientation::of_tag(tag), Orientation::Upright, "{tag}");
        }
    }
}
