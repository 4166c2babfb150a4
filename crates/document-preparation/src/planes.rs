//! A picture in memory: brightness at full resolution, and colour too if there is room.
//!
//! That is 3 bytes a pixel, or 1.5 with the colour of 2 × 2 pixels averaged.

use crate::limits::PICTURE_BYTES;
use crate::preparation::Refusal;

/// A pixel's samples in a row: Y, Cb, Cr as JFIF defines them.
pub(crate) const CHANNELS: usize = 3;

/// Rows from top to bottom, as they were stored.
pub(crate) struct Planes {
    pub width: usize,
    pub height: usize,
    luma: Plane,
    blue: Plane,
    red: Plane,
}

/// One kind of sample.
struct Plane {
    samples: Vec<u8>,
    stride: usize,
    /// 0, or 1 if a sample stands for 2 × 2 pixels.
    shift: u32,
    /// Sums of two neighbours in a row that waits for the next one.
    waiting: Vec<u16>,
}

impl Planes {
    /// Empty planes, with room for all rows beside `other_bytes` needed at the same time.
    pub(crate) fn with_room(
        width: usize,
        height: usize,
        other_bytes: usize,
    ) -> Result<Self, Refusal> {
        let shift = colour_shift(width, height, other_bytes)?;
        Ok(Self {
            width,
            height,
            luma: Plane::with_room(width, height, 0),
            blue: Plane::with_room(width, height, shift),
            red: Plane::with_room(width, height, shift),
        })
    }

    /// Adds the next row, of `width` pixels.
    pub(crate) fn push_row(&mut self, row: &[u8]) {
        for (channel, plane) in [&mut self.luma, &mut self.blue, &mut self.red]
            .into_iter()
            .enumerate()
        {
            plane.push_row(row.iter().skip(channel).step_by(CHANNELS).copied());
        }
    }

    /// The picture, if it has all its rows.
    pub(crate) fn finish(mut self) -> Result<Self, Refusal> {
        for plane in [&mut self.blue, &mut self.red] {
            plane.finish();
        }
        let is_whole = [&self.luma, &self.blue, &self.red]
            .into_iter()
            .all(|plane| {
                plane.samples.len()
                    == plane
                        .stride
                        .saturating_mul(self.height.div_ceil(1 << plane.shift))
            });
        if is_whole {
            Ok(self)
        } else {
            Err(Refusal::Unreadable)
        }
    }

    pub(crate) const fn has_full_colour(&self) -> bool {
        self.blue.shift == 0
    }

    /// Writes a row of the picture to `pixels`, from left to right or mirrored.
    pub(crate) fn copy_row(&self, y: usize, is_mirrored: bool, pixels: &mut [u8]) {
        for (channel, plane) in [&self.luma, &self.blue, &self.red].into_iter().enumerate() {
            let row = plane.row(y);
            let targets = pixels
                .chunks_exact_mut(CHANNELS)
                .filter_map(|pixel| pixel.get_mut(channel));
            let samples =
                (0..self.width).map(|x| row.get(x >> plane.shift).copied().unwrap_or_default());
            if is_mirrored {
                targets
                    .zip(samples.rev())
                    .for_each(|(target, sample)| *target = sample);
            } else {
                targets
                    .zip(samples)
                    .for_each(|(target, sample)| *target = sample);
            }
        }
    }

    /// Writes a column of the picture to `pixels`, from top to bottom or flipped.
    pub(crate) fn copy_column(&self, x: usize, is_flipped: bool, pixels: &mut [u8]) {
        for (channel, plane) in [&self.luma, &self.blue, &self.red].into_iter().enumerate() {
            let x = x >> plane.shift;
            let targets = pixels
                .chunks_exact_mut(CHANNELS)
                .filter_map(|pixel| pixel.get_mut(channel));
            let at = |y: usize| {
                (y >> plane.shift)
                    .saturating_mul(plane.stride)
                    .saturating_add(x)
            };
            let samples =
                (0..self.height).map(|y| plane.samples.get(at(y)).copied().unwrap_or_default());
            if is_flipped {
                targets
                    .zip(samples.rev())
                    .for_each(|(target, sample)| *target = sample);
            } else {
                targets
                    .zip(samples)
                    .for_each(|(target, sample)| *target = sample);
            }
        }
    }
}

/// Whether there is room, before anything is allocated. 0: colour at full resolution. 1: half of it
/// in both directions.
pub(crate) fn colour_shift(
    width: usize,
    height: usize,
    other_bytes: usize,
) -> Result<u32, Refusal> {
    let room = PICTURE_BYTES
        .checked_sub(other_bytes)
        .ok_or(Refusal::TooManyPixels)?;
    let fits = |shift: &u32| {
        let side = |side: usize| side.div_ceil(1 << shift);
        let colour = side(width).saturating_mul(side(height)).saturating_mul(2);
        width.saturating_mul(height).saturating_add(colour) <= room
    };
    [0, 1].into_iter().find(fits).ok_or(Refusal::TooManyPixels)
}

impl Plane {
    fn with_room(width: usize, height: usize, shift: u32) -> Self {
        let (stride, rows) = (width.div_ceil(1 << shift), height.div_ceil(1 << shift));
        Self {
            samples: Vec::with_capacity(stride.saturating_mul(rows)),
            stride,
            shift,
            waiting: Vec::new(),
        }
    }

    fn row(&self, y: usize) -> &[u8] {
        let start = (y >> self.shift).saturating_mul(self.stride);
        self.samples
            .get(start..start.saturating_add(self.stride))
            .unwrap_or_default()
    }

    fn push_row(&mut self, row: impl ExactSizeIterator<Item = u8>) {
        if self.shift == 0 {
            self.samples.extend(row);
            return;
        }
        let mut row = row.map(u16::from);
        let mut waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            while let Some(first) = row.next() {
                waiting.push(first.saturating_add(row.next().unwrap_or(first)));
            }
            self.waiting = waiting;
            return;
        }
        for &above in &waiting {
            let first = row.next().unwrap_or_default();
            let sum = above
                .saturating_add(first)
                .saturating_add(row.next().unwrap_or(first));
            self.samples.push(mean_of_four(sum));
        }
        waiting.clear();
        self.waiting = waiting;
    }

    /// The last of an odd number of rows stands for two.
    fn finish(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        self.samples.extend(
            waiting
                .iter()
                .map(|&sum| mean_of_four(sum.saturating_mul(2))),
        );
    }
}

fn mean_of_four(sum: u16) -> u8 {
    u8::try_from(sum.saturating_add(2) / 4).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_halved_only_when_there_is_no_room() {
        for (other_bytes, is_full) in [
            (0, true),
            (PICTURE_BYTES - 45, true),
            (PICTURE_BYTES - 44, false),
        ] {
            let mut planes = Planes::with_room(5, 3, other_bytes).unwrap();
            for row in 0..3 {
                planes.push_row(&[10 * row, 100 + row, 200 - row].repeat(5));
            }
            let planes = planes.finish().unwrap();
            assert_eq!(planes.has_full_colour(), is_full);
            let mut row = vec![0; 15];
            planes.copy_row(2, true, &mut row);
            assert_eq!(
                row,
                [20, 102, 198].repeat(5),
                "the last row is its own mean"
            );
            planes.copy_row(1, false, &mut row);
            let expected = if is_full {
                [10, 101, 199]
            } else {
                [10, 101, 200]
            };
            assert_eq!(row, expected.repeat(5));
        }
        let nothing = Planes::with_room(5, 3, PICTURE_BYTES - 20).map(|_| ());
        assert_eq!(nothing, Err(Refusal::TooManyPixels));
    }

    #[test]
    fn missing_rows_are_noticed() {
        let mut planes = Planes::with_room(2, 2, 0).unwrap();
        planes.push_row(&[1, 2, 3, 4, 5, 6]);
        assert!(planes.finish().is_err());
    }
}
