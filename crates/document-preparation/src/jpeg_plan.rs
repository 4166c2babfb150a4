//! A JPEG's structure, found without decoding, and the clean stream for libjpeg.
//!
//! The stream has tables, the frame, scans and their data.
//! Application data, thumbnails, comments, trailers and stray bytes between segments are left out.
//! (Source: ITU-T T.81, annexes B and G; for APP0 and APP14, T.871 and T.872.)

use std::fs::File;
use std::io::{BufReader, Seek};

use crate::excerpt::Pieces;
use crate::jpeg_segments::{END_OF_IMAGE, Next, START_OF_IMAGE, START_OF_SCAN, Segment, Segments};
use crate::limits::bounded;
use crate::preparation::{Failure, Refusal};

/// A progressive JPEG repeats the picture in each scan.
/// Encoders write about ten.
const MAXIMUM_SCANS: usize = 32;

/// A progressive frame with Huffman coding.
const PROGRESSIVE: u8 = 0xC2;
const HUFFMAN_TABLES: u8 = 0xC4;
const QUANTIZATION_TABLES: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;
/// APP0.
const JFIF_MARKER: u8 = 0xE0;
/// APP14.
const ADOBE_MARKER: u8 = 0xEE;

const JFIF_SEGMENT: &[u8] = b"\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
/// Without the last byte, which is the colour transform.
const ADOBE_SEGMENT: &[u8] = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0";

/// Coefficients of a block.
const COEFFICIENTS: usize = 64;
/// The first and last coefficient of a complete scan, and its missing bits.
const EVERYTHING: (usize, usize, u8) = (0, COEFFICIENTS - 1, 0);
/// A coefficient of which no scan had anything.
const MISSING: u8 = u8::MAX;

/// A JPEG of which all parts are there.
#[derive(Debug)]
pub(crate) struct JpegPlan {
    pub width: usize,
    pub height: usize,
    /// What libjpeg keeps of the whole picture while decoding. 0, or 2 bytes for each sample with
    /// several scans.
    pub coefficient_bytes: usize,
    pub stream: Pieces,
}

#[derive(Debug)]
struct Frame {
    is_progressive: bool,
    width: usize,
    height: usize,
    components: Vec<Component>,
}

#[derive(Debug)]
struct Component {
    identifier: u8,
    horizontal: usize,
    vertical: usize,
    /// How many low bits of each coefficient no scan had yet.
    missing_bits: [u8; COEFFICIENTS],
}

impl JpegPlan {
    /// Reads the file once.
    pub(crate) fn read(mut input: &File) -> Result<Self, Failure> {
        input.rewind()?;
        let mut segments = Segments::open(BufReader::new(input))?.ok_or(Refusal::Unreadable)?;
        let mut stream = Pieces::default();
        let mut frame: Option<Frame> = None;
        let mut colour = Colour::default();
        let mut scans = 0_usize;
        let mut is_buffered = false;
        let mut is_ended = false;
        // Where the data of the last scan began.
        let mut data_start = None;
        loop {
            let next = segments.next()?;
            if let Some(start) = data_start.take() {
                let end = match next {
                    Next::Segment(segment) => segment.start,
                    Next::EndOfImage | Next::StartOfImage => segments.position().saturating_sub(2),
                    Next::OutOfBytes => segments.position(),
                };
                stream.append_range(start, end)?;
            }
            let segment = match next {
                Next::Segment(segment) => segment,
                Next::EndOfImage => {
                    is_ended = true;
                    break;
                }
                Next::StartOfImage | Next::OutOfBytes => break,
            };
            match segment.marker {
                QUANTIZATION_TABLES | HUFFMAN_TABLES | RESTART_INTERVAL => {
                    segments.skip(segment)?
                }
                0xC0..=PROGRESSIVE if frame.is_none() => {
                    let content = segments.content(segment)?;
                    frame = Some(Frame::parse(segment.marker == PROGRESSIVE, &content)?);
                }
                // A second frame, or one of a kind that photos do not have.
                0xC0..=0xC3 | 0xC5..=0xCB | 0xCD..=0xCF | 0xDE => {
                    return Err(Refusal::Unreadable.into());
                }
                START_OF_SCAN => {
                    let frame = frame.as_mut().ok_or(Refusal::Unreadable)?;
                    scans = scans.saturating_add(1);
                    let content = segments.content(segment)?;
                    let components = frame.add_scan(&content).ok_or(Refusal::Unreadable)?;
                    is_buffered |= frame.is_progressive || components < frame.components.len();
                    data_start = Some(segments.position());
                    if !frame.is_progressive {
                        stream.append(&sequential_scan(&content));
                        continue;
                    }
                }
                JFIF_MARKER | ADOBE_MARKER if scans == 0 => {
                    colour.learn(segment, &segments.content(segment)?);
                    continue;
                }
                _ => {
                    segments.skip(segment)?;
                    continue;
                }
            }
            stream.append_range(segment.start, segment.end)?;
        }
        let frame = frame.ok_or(Refusal::Unreadable)?;
        // Without its end, a progressive file may lack refining scans.
        if scans > MAXIMUM_SCANS || !frame.is_covered() || (frame.is_progressive && !is_ended) {
            return Err(Refusal::Unreadable.into());
        }
        stream.prepend(colour.start(frame.components.len()));
        stream.append(&[0xFF, END_OF_IMAGE]);
        Ok(Self {
            width: frame.width,
            height: frame.height,
            coefficient_bytes: if is_buffered {
                frame.coefficient_bytes()
            } else {
                0
            },
            stream,
        })
    }
}

/// The header of a scan with whole coefficients, with the values that say so.
fn sequential_scan(content: &[u8]) -> Vec<u8> {
    let components = content
        .get(..content.len().saturating_sub(3))
        .unwrap_or_default();
    let length = u16::try_from(components.len().saturating_add(5)).unwrap_or(u16::MAX);
    [
        &[0xFF, START_OF_SCAN],
        &length.to_be_bytes()[..],
        components,
        &[0, 63, 0],
    ]
    .concat()
}

impl Frame {
    fn parse(is_progressive: bool, content: &[u8]) -> Result<Self, Refusal> {
        let (&[_, high, low, wide, narrow, count], components) =
            content.split_first_chunk().ok_or(Refusal::Unreadable)?;
        let (height, width) = (
            u16::from_be_bytes([high, low]),
            u16::from_be_bytes([wide, narrow]),
        );
        let (width, height) = bounded(width.into(), height.into())?;
        let components: Vec<Component> = components
            .chunks_exact(3)
            .filter_map(Component::parse)
            .collect();
        if !matches!(count, 1 | 3 | 4) || components.len() != usize::from(count) {
            return Err(Refusal::Unreadable);
        }
        Ok(Self {
            is_progressive,
            width,
            height,
            components,
        })
    }

    /// Notes what a scan has, and tells how many components.
    fn add_scan(&mut self, content: &[u8]) -> Option<usize> {
        let (&count, rest) = content.split_first()?;
        let (components, band) = rest.split_at_checked(usize::from(count).checked_mul(2)?)?;
        let &[first, last, bits] = band.first_chunk()?;
        // In other files these have no meaning, and some writers leave them 0.
        let (first, last, bits) = if self.is_progressive {
            (first.into(), last.into(), bits)
        } else {
            EVERYTHING
        };
        for scanned in components.chunks_exact(2) {
            let identifier = scanned.first()?;
            let component = self
                .components
                .iter_mut()
                .find(|component| component.identifier == *identifier)?;
            component
                .missing_bits
                .get_mut(first..=last)?
                .fill(bits & 0x0F);
        }
        Some(usize::from(count))
    }

    /// Whether the scans have every bit of every coefficient.
    fn is_covered(&self) -> bool {
        let mut components = self.components.iter();
        components.all(|component| component.missing_bits.iter().all(|&missing| missing == 0))
    }

    fn coefficient_bytes(&self) -> usize {
        let most =
            |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        let (horizontal, vertical) = (most(|c| c.horizontal), most(|c| c.vertical));
        let units = |side: usize, most: usize| side.div_ceil(most.saturating_mul(8));
        let units = units(self.width, horizontal).saturating_mul(units(self.height, vertical));
        let blocks: usize = self
            .components
            .iter()
            .map(|c| c.horizontal.saturating_mul(c.vertical))
            .sum();
        units
            .saturating_mul(blocks)
            .saturating_mul(COEFFICIENTS)
            .saturating_mul(2)
    }
}

impl Component {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let &[identifier, sampling, _] = bytes else {
            return None;
        };
        let (horizontal, vertical) = (usize::from(sampling >> 4), usize::from(sampling & 0x0F));
        ((1..=4).contains(&horizontal) && (1..=4).contains(&vertical)).then_some(Self {
            identifier,
            horizontal,
            vertical,
            missing_bits: [MISSING; COEFFICIENTS],
        })
    }
}

/// What application data say about the components' colours, as libjpeg reads them.
#[derive(Debug, Default)]
struct Colour {
    is_jfif: bool,
    adobe_transform: Option<u8>,
}

impl Colour {
    fn learn(&mut self, segment: Segment, content: &[u8]) {
        match segment.marker {
            JFIF_MARKER => self.is_jfif |= content.starts_with(b"JFIF\0") && content.len() >= 14,
            _ if content.starts_with(b"Adobe") => {
                self.adobe_transform = content.get(11).copied().or(self.adobe_transform)
            }
            _ => {}
        }
    }

    /// The start of the stream.
    /// Undefined transforms become those that libjpeg takes them for.
    fn start(&self, components: usize) -> Vec<u8> {
        let mut start = vec![0xFF, START_OF_IMAGE];
        if self.is_jfif {
            start.extend(JFIF_SEGMENT);
        }
        if let Some(transform) = self.adobe_transform {
            start.extend(ADOBE_SEGMENT);
            start.push(match (transform, components) {
                (0, _) => 0,
                (_, 4) => 2,
                _ => 1,
            });
        }
        start
    }
}
