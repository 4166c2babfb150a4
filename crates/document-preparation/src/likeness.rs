//! Whether what was written looks like what was read.
//!
//! Both are reduced to a coarse grid of mean colours.
//! The grids are made from separate passes over the two files, so a mistake in turning, scaling or
//! encoding shows.

use crate::orientation::Orientation;
use crate::planes::CHANNELS;

/// Cells in each direction.
const CELLS: usize = 16;

/// A cell stands for at least so many pixels in each direction, so that noise and loss average out.
const CELL_PIXELS: usize = 8;

/// The largest difference of a cell's mean brightness or colour, of 255.
///
/// Loss alone stayed below 3 in 400 random pictures of noise, edges and gradients.
const TOLERANCE: f32 = 6.0;

/// The mean Y, Cb and Cr of each cell.
pub(crate) struct Grid {
    columns: Vec<Share>,
    unit: usize,
    size: (usize, usize),
    /// Row by row.
    /// The last number is the weight of the sums before it.
    cells: Vec<[f32; CHANNELS + 1]>,
}

/// How much of a pixel belongs to a cell.
struct Share {
    pixel: usize,
    cell: usize,
    weight: f32,
}

impl Grid {
    /// For a picture of `size`, whose rows and columns are seen at one `unit`th of that.
    pub(crate) fn new(size: (usize, usize), unit: usize) -> Self {
        Self {
            columns: (0..size.0.div_ceil(unit))
                .flat_map(|pixel| shares(pixel, unit, size.0))
                .collect(),
            unit,
            size,
            cells: vec![[0.0; CHANNELS + 1]; CELLS * CELLS],
        }
    }

    /// How many eighths of its size a JPEG must at least be decoded at.
    pub(crate) fn eighths(size: (usize, usize)) -> u8 {
        let pixels = CELLS * CELL_PIXELS * 2;
        [1, 2, 4]
            .into_iter()
            .find(|&eighths| size.0.min(size.1) / 8 * usize::from(eighths) >= pixels)
            .unwrap_or(8)
    }

    /// Adds a row, seen at one `unit`th of its width.
    pub(crate) fn push_row(&mut self, y: usize, row: &[u8]) {
        let mut sums = [[0_f32; CHANNELS + 1]; CELLS];
        for share in &self.columns {
            let at = share.pixel.saturating_mul(CHANNELS);
            let pixel: Option<&[u8; CHANNELS]> = row.get(at..).and_then(|rest| rest.first_chunk());
            if let (Some(&[luma, cb, cr]), Some(sums)) = (pixel, sums.get_mut(share.cell)) {
                for (sum, value) in sums
                    .iter_mut()
                    .zip([luma.into(), cb.into(), cr.into(), 1.0])
                {
                    *sum += share.weight * value;
                }
            }
        }
        for share in shares(y, self.unit, self.size.1) {
            let cells = self.cells.iter_mut().skip(share.cell.saturating_mul(CELLS));
            for (cell, sums) in cells.zip(&sums) {
                for (total, sum) in cell.iter_mut().zip(sums) {
                    *total += share.weight * sum;
                }
            }
        }
    }

    /// The grid of the same picture, if red, green and blue were added.
    /// The conversion is linear.
    pub(crate) fn rgb_to_ycc(mut self) -> Self {
        for cell in &mut self.cells {
            let [red, green, blue, weight] = *cell;
            let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
            let middle = 128.0 * weight;
            *cell = [
                luma,
                (blue - luma) / 1.772 + middle,
                (red - luma) / 1.402 + middle,
                weight,
            ];
        }
        self
    }

    /// Whether this grid, turned, matches that of the written picture.
    pub(crate) fn resembles(&self, orientation: Orientation, written: &Self) -> bool {
        self.difference(orientation, written) <= TOLERANCE
    }

    /// The largest difference of any cell.
    /// Infinite if there is nothing to compare.
    pub(crate) fn difference(&self, orientation: Orientation, written: &Self) -> f32 {
        let mut cells = 1;
        while cells < CELLS && written.size.0.min(written.size.1) >= cells * 2 * CELL_PIXELS {
            cells *= 2;
        }
        let (before, after) = (
            turned(orientation, self.means(cells), cells),
            written.means(cells),
        );
        let pairs = before.iter().flatten().zip(after.iter().flatten());
        let difference = |(before, after): (&f32, &f32)| (before - after).abs();
        // NaN, of a cell without pixels, is a difference too.
        pairs
            .map(difference)
            .fold(0.0, |most, next| if next <= most { most } else { next })
    }

    /// The means of `count` × `count` cells, row by row.
    fn means(&self, count: usize) -> Vec<[f32; CHANNELS]> {
        let mut merged = vec![[0_f32; CHANNELS + 1]; count * count];
        for (position, cell) in self.cells.iter().enumerate() {
            let (row, column) = (
                position / CELLS * count / CELLS,
                position % CELLS * count / CELLS,
            );
            if let Some(merged) = merged.get_mut(row * count + column) {
                for (sum, part) in merged.iter_mut().zip(cell) {
                    *sum += part;
                }
            }
        }
        merged
            .iter()
            .map(|[luma, cb, cr, weight]| [luma / weight, cb / weight, cr / weight])
            .collect()
    }
}

/// The cells that a pixel lies in, of a side that has `CELLS` of them.
fn shares(pixel: usize, unit: usize, side: usize) -> impl Iterator<Item = Share> {
    // In units of 1 / CELLS of a full-size pixel, all numbers are whole.
    let start = pixel.saturating_mul(unit).min(side).saturating_mul(CELLS);
    let end = pixel
        .saturating_add(1)
        .saturating_mul(unit)
        .min(side)
        .saturating_mul(CELLS);
    (start / side.max(1)..end.div_ceil(side.max(1))).map(move |cell| {
        let (from, to) = (start.max(cell * side), end.min((cell + 1) * side));
        Share {
            pixel,
            cell,
            weight: to.saturating_sub(from) as f32 / side as f32,
        }
    })
}

/// Moves the cells by the orientation: mirrors or reverses rows, or swaps rows and columns.
fn turned(
    orientation: Orientation,
    cells: Vec<[f32; CHANNELS]>,
    count: usize,
) -> Vec<[f32; CHANNELS]> {
    let mirror = |cells: Vec<[f32; CHANNELS]>| -> Vec<_> {
        cells
            .chunks(count)
            .flat_map(|row| row.iter().rev())
            .copied()
            .collect()
    };
    let flip = |cells: Vec<[f32; CHANNELS]>| -> Vec<_> {
        cells.chunks(count).rev().flatten().copied().collect()
    };
    let transpose = |cells: Vec<[f32; CHANNELS]>| -> Vec<_> {
        (0..count)
            .flat_map(|column| {
                cells
                    .iter()
                    .skip(column)
                    .step_by(count)
                    .copied()
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    match orientation {
        Orientation::Upright => cells,
        Orientation::Mirror => mirror(cells),
        Orientation::HalfTurn => mirror(flip(cells)),
        Orientation::Flip => flip(cells),
        Orientation::Transpose => transpose(cells),
        Orientation::Clockwise => mirror(transpose(cells)),
        Orientation::Transverse => flip(mirror(transpose(cells))),
        Orientation::CounterClockwise => flip(transpose(cells)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture with another colour in each corner.
    fn colour(x: usize, y: usize, (width, height): (usize, usize)) -> [u8; CHANNELS] {
        [255 * x / width, 255 * y / height, 128].map(|sample| u8::try_from(sample).unwrap())
    }

    fn grid(
        size: (usize, usize),
        unit: usize,
        pixel: impl Fn(usize, usize) -> [u8; CHANNELS],
    ) -> Grid {
        let mut grid = Grid::new(size, unit);
        for y in (0..size.1).step_by(unit) {
            let row: Vec<u8> = (0..size.0)
                .step_by(unit)
                .flat_map(|x| pixel(x, y))
                .collect();
            grid.push_row(y / unit, &row);
        }
        grid
    }

    #[test]
    fn the_same_picture_is_alike_at_every_size() {
        let (size, other) = ((403, 301), (201, 150));
        let full = grid(size, 1, |x, y| colour(x, y, size));
        let small = grid(other, 1, |x, y| colour(x, y, other));
        let eighth = grid(size, 8, |x, y| colour(x, y, size));
        for (one, other) in [(&full, &small), (&full, &eighth), (&eighth, &small)] {
            let difference = one.difference(Orientation::Upright, other);
            assert!(difference < 5.0, "{difference}");
        }
    }

    #[test]
    fn a_picture_that_was_turned_wrongly_is_noticed() {
        let size = (400, 300);
        // The stored column and row hold the upright picture's row and column.
        let stored = grid(size, 1, |x, y| colour(y, x, (300, 400)));
        let upright = grid((300, 400), 1, |x, y| colour(x, y, (300, 400)));
        for orientation in Orientation::ALL {
            let is_right = orientation == Orientation::Transpose;
            assert_eq!(
                stored.resembles(orientation, &upright),
                is_right,
                "{orientation:?}"
            );
        }
    }

    #[test]
    fn a_grey_tenth_is_noticed() {
        let size = (640, 480);
        let whole = grid(size, 1, |x, y| colour(x, y, size));
        let cut = |x, y| {
            if y < 432 {
                colour(x, y, size)
            } else {
                [128; CHANNELS]
            }
        };
        assert!(!whole.resembles(Orientation::Upright, &grid(size, 1, cut)));
    }

    #[test]
    fn red_green_and_blue_are_converted_as_they_are_for_the_planes() {
        let rgb = [200, 30, 90];
        let ycc = crate::colour::ycc_of_rgb(rgb);
        let converted = grid((64, 64), 1, |_, _| rgb).rgb_to_ycc();
        let difference = converted.difference(Orientation::Upright, &grid((64, 64), 1, |_, _| ycc));
        assert!(difference < 1.0, "{difference}");
    }
}
