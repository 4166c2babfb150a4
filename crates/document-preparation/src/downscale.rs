//! Smaller pictures, each pixel the mean of the area that it replaces.
//!
//! Works row by row, so it needs the memory of the result and of one row beside the picture.

use crate::picture::{Picture, RGB};

/// Shrinks to `width` × `height`, neither of them 0 nor more than the picture's.
pub(crate) fn downscale(picture: &Picture, width: usize, height: usize) -> Picture {
    let columns: Vec<Span> = (0..width).map(|column| Span::of(column, picture.width, width)).collect();
    let row_bytes = picture.width.saturating_mul(RGB);
    let mut rgb = Vec::with_capacity(width.saturating_mul(height).saturating_mul(RGB));
    let mut sums = vec![0_f32; width.saturating_mul(RGB)];
    for row in 0..height {
        sums.fill(0.0);
        let span = Span::of(row, picture.height, height);
        for (source, weight) in span.weights() {
            let start = source.saturating_mul(row_bytes);
            if let Some(pixels) = picture.rgb.get(start..start.saturating_add(row_bytes)) {
                add_row(&mut sums, pixels, &columns, weight);
            }
        }
        // Each sum is a weighted mean of bytes; the conversion saturates.
        rgb.extend(sums.iter().map(|sum| (sum + 0.5) as u8));
    }
    Picture { width, height, rgb }
}

/// Adds one row of the picture, narrowed, with its weight.
fn add_row(sums: &mut [f32], pixels: &[u8], columns: &[Span], row_weight: f32) {
    for (sum, column) in sums.chunks_exact_mut(RGB).zip(columns) {
        let start = column.first.saturating_mul(RGB);
        let covered = pixels.get(start..).unwrap_or_default().chunks_exact(RGB);
        for (pixel, (_, weight)) in covered.zip(column.weights()) {
            for (sum, sample) in sum.iter_mut().zip(pixel) {
                *sum += f32::from(*sample) * weight * row_weight;
            }
        }
    }
}

/// What one new pixel covers of the old ones in one direction.
struct Span {
    first: usize,
    count: usize,
    first_weight: f32,
    inner_weight: f32,
    last_weight: f32,
}

impl Span {
    /// In units of `1 / new` of an old pixel, so that everything is a whole number: a new pixel covers `old` units, an old one `new`.
    fn of(position: usize, old: usize, new: usize) -> Self {
        let (start, end) = (position.saturating_mul(old), position.saturating_add(1).saturating_mul(old));
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

    /// The old pixels with their weights, which are 1 in all.
    fn weights(&self) -> impl Iterator<Item = (usize, f32)> {
        (0..self.count).map(|position| {
            let weight = match position {
                0 => self.first_weight,
                position if position.saturating_add(1) == self.count => self.last_weight,
                _ => self.inner_weight,
            };
            (self.first.saturating_add(position), weight)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, samples: &[u8]) -> Picture {
        Picture {
            width,
            height: samples.len() / width,
            rgb: samples.iter().flat_map(|&sample| [sample; RGB]).collect(),
        }
    }

    fn samples(picture: &Picture) -> Vec<u8> {
        picture.rgb.chunks(RGB).map(|pixel| pixel[0]).collect()
    }

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        let picture = grey(4, &[0, 100, 200, 200, 100, 0, 200, 200]);
        assert_eq!(samples(&downscale(&picture, 2, 1)), [50, 200]);
        // The middle pixel of three belongs to both halves.
        assert_eq!(samples(&downscale(&grey(3, &[0, 90, 240]), 2, 1)), [30, 190]);
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        let picture = grey(37, &[201; 37 * 23]);
        for (width, height) in [(1, 1), (36, 22), (37, 23), (5, 17), (36, 1)] {
            let small = downscale(&picture, width, height);
            assert_eq!(samples(&small), vec![201; width * height], "{width} × {height}");
        }
    }
}
