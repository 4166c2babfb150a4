//! How large a picture may be, and what rights the process has that decodes it.

use std::fs::File;
use std::io::{Error, Read, Result, Seek};

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};

use crate::preparation::Refusal;

/// The largest picture that is decoded, told by its header: room for the 48 to 50 megapixels of
/// today's telephones.
pub const MAXIMUM_PIXELS: usize = 50_000_000;

/// The longest side, in pixels, that libjpeg reads and writes.
const MAXIMUM_SIDE: usize = 65_500;

/// What a picture and its decoder's copies of it may take, in bytes. 50 megapixels take 75 MB, see
/// [`crate::planes`].
pub(crate) const PICTURE_BYTES: usize = 120_000_000;

/// What the child may map beside its program, in bytes. The rest of 160 MB is what it touches of
/// the program itself.
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

/// Takes from this process all that decoding does not need. Files that are open stay open.
///
/// `status` is `/proc/self/status`, `output_bytes` the length that no file may exceed.
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
        // Descriptors below the limit may be opened anew once they are closed: with 0, none.
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

/// The largest amount of memory that this process has had at once, in kB.
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
