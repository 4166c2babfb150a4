//! What direct processing would refuse, made into what it takes.
//!
//! Bytes go in; a JPEG, "nothing to do" or a reason comes out. There is no AWS, no HTTP and no waiting in here, and nothing of a document
//! appears in an error or in `Debug`.
//!
//! The input is whatever a customer uploaded, so it is hostile until shown otherwise. How large a picture becomes in memory is known from its
//! header before anything is decoded ([`MAXIMUM_PIXELS`]); a decoder that panics is a picture that cannot be read; and the caller loses
//! nothing when it gives up on a picture, because the original is never touched.
//!
//! The usual photo needs none of this. [`inspect_start`] tells from its first [`START_BYTES`] that it may go to the provider as it is, and
//! [`EncryptionScan`] looks through a PDF as it streams by. Only what must be changed is read into memory, by [`prepare`].
//!
//! HEIC is recognised and refused. The decoders in pure Rust under a permissive licence (`heic-rs`, `heifer`) are months old and were
//! still having hostile files found in October 2026 that made them panic or ask for gigabytes; the one that is older is under the AGPL; and the
//! use of HEVC is subject to patents.

mod allotment;
mod child;
mod codec;
mod colour;
mod downscale;
mod encode;
mod excerpt;
mod exif_orientation;
mod inspection;
mod jpeg_plan;
mod jpeg_segments;
mod likeness;
mod limits;
mod orientation;
mod output;
mod pdf_encryption;
mod pdf_tokens;
mod picture;
mod planes;
mod png_picture;
mod preparation;
mod report;
mod webp_picture;
mod workbench;

pub use allotment::{Share, allot};
pub use child::run_if_asked;
pub use encode::{BEST_QUALITY, LEAST_QUALITY, LEAST_SIDE};
pub use inspection::{Need, START_BYTES, inspect_start};
pub use limits::MAXIMUM_PIXELS;
pub use orientation::Orientation;
pub use pdf_encryption::EncryptionScan;
pub use preparation::{Change, Format, Refusal};
pub use report::Usage;
pub use workbench::{Derived, PrepareError, Workbench};
