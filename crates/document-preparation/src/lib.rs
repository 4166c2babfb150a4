//! Converts documents that direct processing would refuse.
//!
//! A file goes in; a JPEG, "nothing to do" or a reason comes out.
//! Nothing of a document appears in an error or in `Debug`.
//!
//! # What is looked at where
//!
//! The usual photo needs no work.
//! [`inspect_start`] tells that from its first [`START_BYTES`], in linear time and without
//! decoding.
//! [`EncryptionScan`] looks through a PDF as it streams by.
//! Only what must be changed goes to [`Workbench::prepare`].
//!
//! # The child
//!
//! The input is hostile until shown otherwise, so a picture is decoded in a process of its own:
//! this program, started again ([`run_if_asked`]).
//! It has one argument and no environment.
//! Its standard input is the original, its standard output a file without a name.
//! Before it reads the first byte it gives up its rights:
//!
//! | Limit | Value |
//! |---|---|
//! | address space | 148 MB more than the program takes when it starts |
//! | time of the processor | 30 s |
//! | length of a file | the limit of the JPEG and 512 bytes |
//! | new file descriptors, and so files and sockets | none |
//! | new processes and threads | none |
//! | core dumps, new privileges, being traced | none |
//! | life without the parent | none |
//!
//! Its memory stays below 160 MB for any input.
//! A child that crashes, is killed or says nothing means [`Refusal::Unreadable`].
//! What it says is checked: numbers have ranges, the JPEG its promised length, start and end.
//! The last 512 bytes of its output are a line of JSON; the JPEG stands before it.
//!
//! # How large a picture may be
//!
//! Its header tells.
//! The most are [`MAXIMUM_PIXELS`] and sides of 65,500 pixels.
//! A picture of which a decoder keeps more than one copy must be smaller, so that all copies fit
//! into 120 MB:
//!
//! | Picture | Bytes a pixel | Megapixels |
//! |---|---|---|
//! | JPEG in one scan | 1.5 to 3 | 50 |
//! | progressive JPEG, colour halved in both directions | 4.5 to 6 | 26 |
//! | progressive JPEG, full colour | 7.5 to 9 | 16 |
//! | PNG | 1.5 to 3 | 50 |
//! | interlaced PNG, RGB | 4.5 to 6 | 26 |
//! | WEBP, lossy | 5 and the file | 18 and more |
//! | WEBP, lossy with transparency | 11 and the file | 9 and more |
//! | WEBP, lossless | 8 | 15 |
//! | WEBP, animation of one frame | 15 and the file | 6 and more |
//!
//! # What is believed
//!
//! libjpeg gets to see tables, frame, scans and their data, and nothing else of a file.
//! What it only warns of is an error here, because it fills what is missing with grey.
//! Missing end markers, stray bytes between segments and trailers are passed over, as viewers do.
//! Before a child says that it is done, it compares a coarse grid of the original's colours with
//! one of the JPEG that it wrote.
//!
//! # HEIC
//!
//! HEIC is recognised and refused.
//! The decoders in pure Rust under a permissive licence (`heic-rs`, `heifer`) are months old and
//! were still having hostile files found in October 2026 that made them panic or ask for gigabytes;
//! the one that is older is under the AGPL; and the use of HEVC is subject to patents.

mod allotment;
mod child;
mod codec;
mod colour;
mod downscale;
mod encode;
mod excerpt;
mod exif_orientation;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
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
