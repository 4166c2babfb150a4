//! A decoded picture, with what its written copy must look like.

use crate::codec::decode_rows;
use crate::colour::ycc_of_rgb;
use crate::jpeg_plan::JpegPlan;
use crate::likeness::Grid;
use crate::planes::{CHANNELS, Planes, colour_shift};
use crate::preparation::Refusal;

pub(crate) struct Picture {
    pub planes: Planes,
    /// Made from the file and not from the planes.
    pub grid: Grid,
}

impl Picture {
    /// Decodes a JPEG twice: small, for the grid, and whole.
    pub(crate) fn of_jpeg(plan: &JpegPlan, input: &std::fs::File) -> Result<Self, Refusal> {
        // Refused before anything is decoded.
        colour_shift(plan.width, plan.height, plan.coefficient_bytes)?;
        let grid = grid_of_jpeg(plan, input)?;
        let mut planes = Planes::with_room(plan.width, plan.height, plan.coefficient_bytes)?;
        decode_rows(plan, input, 8, |_, row| planes.push_row(row))
            .map_err(|_| Refusal::Unreadable)?;
        Ok(Self {
            planes: planes.finish()?,
            grid,
        })
    }
}

/// The grid of a JPEG, from as few of its coefficients as possible.
pub(crate) fn grid_of_jpeg(plan: &JpegPlan, input: &std::fs::File) -> Result<Grid, Refusal> {
    let eighths = Grid::eighths((plan.width, plan.height));
    let mut grid = Grid::new((plan.width, plan.height), 8 / usize::from(eighths));
    decode_rows(plan, input, eighths, |y, row| grid.push_row(y, row))
        .map_err(|_| Refusal::Unreadable)?;
    Ok(grid)
}

/// Collects the rows of a picture in red, green and blue.
pub(crate) struct PictureRows {
    planes: Planes,
    grid: Grid,
    rows: usize,
    rgb: Vec<u8>,
    ycc: Vec<u8>,
}

impl PictureRows {
    pub(crate) fn new(planes: Planes) -> Self {
        let samples = planes.width.saturating_mul(CHANNELS);
        Self {
            grid: Grid::new((planes.width, planes.height), 1),
            planes,
            rows: 0,
            rgb: Vec::with_capacity(samples),
            ycc: Vec::with_capacity(samples),
        }
    }

    /// Adds the next row.
    pub(crate) fn push(&mut self, row: impl Iterator<Item = [u8; CHANNELS]>) {
        self.rgb.clear();
        self.ycc.clear();
        for rgb in row {
            self.rgb.extend(rgb);
            self.ycc.extend(ycc_of_rgb(rgb));
        }
        self.grid.push_row(self.rows, &self.rgb);
        self.planes.push_row(&self.ycc);
        self.rows = self.rows.saturating_add(1);
    }

    pub(crate) fn finish(self) -> Result<Picture, Refusal> {
        Ok(Picture {
            planes: self.planes.finish()?,
            grid: self.grid.rgb_to_ycc(),
        })
    }
}
