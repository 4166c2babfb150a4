//! Smaller pictures: each pixel is the mean of the area that it replaces.
//!
//! Rows go in from top to bottom and come out once complete.
//! It needs the memory of two rows.

use crate::planes::CHANNELS;

/// Shrinks a picture row by row.
pub(crate) struct Downscale {
    columns: Vec<Span>,
    old_height: usize,
    new_height: usize,
    /// The next row in, and the row that is made of it.
    old_row: usize,
    new_row: usize,
    narrow: Vec<f32>,
    sums: Vec<f32>,
}

impl Downscale {
    /// From `old` to `new` width and height.
    /// None is 0, and `new` is not larger.
    pub(crate) fn new(old: (usize, usize), new: (usize, usize)) -> Self {
        let samples = new.0.saturating_mul(CHANNELS);
        Self {
            columns: (0..new.0)
                .map(|column| Span::of(column, old.0, new.0))
                .collect(),
            old_height: old.1,
            new_height: new.1,
            old_row: 0,
            new_row: 0,
            narrow: vec![0.0; samples],
            sums: vec![0.0; samples],
        }
    }

    /// Takes the next row, and gives each completed row to `made`.
    pub(crate) fn push_row(&mut self, row: &[u8], mut made: impl FnMut(&[u8])) {
        self.narrow_row(row);
        while self.new_row < self.new_height {
            let span = Span::of(self.new_row, self.old_height, self.new_height);
            if span.first > self.old_row {
                break;
            }
            let weight = span.weight(self.old_row.saturating_sub(span.first));
            for (sum, sample) in self.sums.iter_mut().zip(&self.narrow) {
                *sum += sample * weight;
            }
            if self.old_row < span.last() {
                break;
            }
            // Each sum is a weighted mean of bytes; the conversion saturates.
            let pixels: Vec<u8> = self.sums.iter().map(|sum| (sum + 0.5) as u8).collect();
            made(&pixels);
            self.sums.fill(0.0);
            self.new_row = self.new_row.saturating_add(1);
        }
        self.old_row = self.old_row.saturating_add(1);
    }

    fn narrow_row(&mut self, row: &[u8]) {
        self.narrow.fill(0.0);
        for (sums, column) in self.narrow.chunks_exact_mut(CHANNELS).zip(&self.columns) {
            let covered = row
                .get(column.first.saturating_mul(CHANNELS)..)
                .unwrap_or_default();
            let covered = covered.chunks_exact(CHANNELS).take(column.count);
            for (position, pixel) in covered.enumerate() {
                let weight = column.weight(position);
                for (sum, sample) in sums.iter_mut().zip(pixel) {
                    *sum += f32::from(*sample) * weight;
                }
            }
        }
    }
}

/// The old pixels that one new pixel covers in one direction.
struct Span {
    first: usize,
    count: usize,
    first_weight: f32,
    inner_weight: f32,
    last_weight: f32,
}

impl Span {
    /// In units of `1 / new` of an old pixel, all numbers are whole.
    /// A new pixel covers `old` units, an old one `new`.
    fn of(position: usize, old: usize, new: usize) -> Self {
        let (start, end) = (
            position.saturating_mul(old),
            position.saturating_add(1).saturating_mul(old),
        );
        let (first, last) = (start / new, end.saturating_sub(1) / new);
        let share = |units: usize| units as f32 / old as f32;
        let first_end = first.saturating_add(1).saturating_mul(new).min(end);
        Self {
            first,
            count: last.saturating_sub(first).saturating_add(1),
            first_weight: share(first_end.saturating_sub(start)),
            inner_weight: share(new),
            last_weight: share(end.saturating_sub(last.saturating_mul(new))),
        }
    }

    const fn last(&self) -> usize {
        self.first.saturating_add(self.count).saturating_sub(1)
    }

    /// The weight of an old pixel, by its position from the first.
    /// Weights sum to 1.
    const fn weight(&self, position: usize) -> f32 {
        if position == 0 {
            self.first_weight
        } else if position.saturating_add(1) == self.count {
            self.last_weight
        } else {
            self.inner_weight
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downscale(old_width: usize, samples: &[u8], new: (usize, usize)) -> Vec<u8> {
        let mut downscale = Downscale::new((old_width, samples.len() / old_width), new);
        let mut made = Vec::new();
        for row in samples.chunks(old_width) {
            let row: Vec<u8> = row.iter().flat_map(|&sample| [sample; CHANNELS]).collect();
            downscale.push_row(&row, |row| made.extend(row.iter().step_by(CHANNELS)));
        }
        made
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        assert_eq!(
            downscale(4, &[0, 100, 200, 200, 100, 0, 200, 200], (2, 1)),
            [50, 200]
        );
        // The middle pixel of three belongs to both halves.
        assert_eq!(downscale(3, &[0, 90, 240], (2, 1)), [30, 190]);
        assert_eq!(downscale(1, &[0, 90, 240], (1, 2)), [30, 190]);
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        for new in [(1, 1), (36, 22), (37, 23), (5, 17), (36, 1)] {
            let small = downscale(37, &[201; 37 * 23], new);
            assert_eq!(small, vec![201; new.0 * new.1], "{new:?}");
        }
    }
}
