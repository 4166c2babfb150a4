//! How large a picture may be, and the rights of the process that decodes it.

use std::fs::File;
use std::io::{Error, Read, Result, Seek};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use crate::preparation::Refusal;

/// The largest picture that is decoded, by its header.
/// Today's phones have 48 to 50 megapixels.
pub const MAXIMUM_PIXELS: usize = 50_000_000;

/// The longest side, in pixels, that libjpeg reads and writes.
const MAXIMUM_SIDE: usize = 65_500;

/// The bytes of a picture and its decoder's copies. 50 megapixels take 75 MB, see
/// [`crate::planes`].
pub(crate) const PICTURE_BYTES: usize = 120_000_000;

/// What the child may map beside its program, in bytes.
/// The rest of 160 MB is what it uses of the program itself.
const ADDRESS_SPACE_BYTES: u64 = 148_000_000;

/// Time of the processor for one picture, in seconds.
const PROCESSOR_SECONDS: u64 = 30;

/// The width and height, if the picture is not too large.
pub(crate) fn bounded(width: usize, height: usize) -> std::result::Result<(usize, usize), Refusal> {
    match width.checked_mul(height) {
        Some(0) => Err(Refusal::Unreadable),
        Some(pixels) if pixels <= MAXIMUM_PIXELS && width.max(height) <= MAXIMUM_SIDE => {
            Ok((width, height))
        }
        _ => Err(Refusal::TooManyPixels),
    }
}

/// Drops all rights that decoding does not need. Open files stay open.
///
/// `status` is `/proc/self/status`. `output_bytes` is the largest length of a file.
pub(crate) fn confine(status: &mut File, output_bytes: u64) -> Result<()> {
    let program_bytes = kilobytes(status, "VmSize:")?.saturating_mul(1_024);
    let limits = [
        (
            Resource::As,
            program_bytes.saturating_add(ADDRESS_SPACE_BYTES),
        ),
        (Resource::Core, 0),
        (Resource::Cpu, PROCESSOR_SECONDS),
        (Resource::Fsize, output_bytes),
        // Closed descriptors below the limit may be reused. With 0, none.
        (Resource::Nofile, 0),
        (Resource::Nproc, 0),
    ];
    set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    for (resource, limit) in limits {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// The largest memory that this process has used at once, in kB.
pub(crate) fn peak_kilobytes(status: &mut File) -> Result<u64> {
    kilobytes(status, "VmHWM:")
}

fn kilobytes(status: &mut File, name: &str) -> Result<u64> {
    let mut text = String::new();
    status.rewind()?;
    status.read_to_string(&mut text)?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse().ok());
    number.ok_or_else(|| Error::other("no such line in /proc/self/status"))
}
