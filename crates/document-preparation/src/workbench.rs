//! The parent's side.
//! Starts a child for each picture, and checks all that it reports.

use std::fs::File;
use std::io::{Error, Read, Result, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::child::{UNAVAILABLE, argument};
use crate::preparation::{Change, Format, Refusal};
use crate::report::{Facts, Outcome, REPORT_BYTES, Report, Usage};

/// Decodes pictures in children of this process, one for each.
#[derive(Clone, Debug)]
pub struct Workbench {
    program: PathBuf,
}

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The file can never be submitted.
    /// With the resources used, if a child has reported them.
    #[error("{0}")]
    Refused(Refusal, Option<Usage>),
    /// The child could not be started, or there was no room for its output.
    /// Safe to retry.
    #[error("the picture could not be worked on")]
    Unavailable(#[from] Error),
}

/// The copy to submit: the picture alone, without EXIF and other data about the customer.
pub struct Derived {
    /// Has no name and vanishes when closed.
    /// Positioned at the JPEG's first byte.
    /// Ends with its last.
    pub jpeg: File,
    pub bytes: u64,
    pub sha256: [u8; 32],
    pub width: u16,
    pub height: u16,
    /// On the scale of the Independent JPEG Group.
    pub quality: u8,
    pub changes: Vec<Change>,
    pub usage: Usage,
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Derived")
            .field("bytes", &self.bytes)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("quality", &self.quality)
            .field("changes", &self.changes)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

impl Workbench {
    /// The program must call [`run_if_asked`](crate::run_if_asked) first of all.
    pub const fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// This program itself.
    pub fn of_this_program() -> Self {
        Self::new(PathBuf::from("/proc/self/exe"))
    }

    /// Makes the copy to submit, of at most `limit_bytes`.
    /// `None`: the file may go as it is.
    ///
    /// Deterministic: the same file and limit give the same bytes.
    /// Dropping the future kills the child.
    /// The child also dies with the thread that first polled this.
    /// That thread must outlive the wait.
    ///
    /// # Errors
    /// [`PrepareError::Refused`]: the file can never be submitted.
    /// Any unforeseen end of the child makes it [`Refusal::Unreadable`].
    pub async fn prepare(
        &self,
        format: Format,
        original: File,
        limit_bytes: u64,
    ) -> std::result::Result<Option<Derived>, PrepareError> {
        let is_too_large = original.metadata()?.len() > limit_bytes;
        match format {
            Format::Heic => return Err(PrepareError::Refused(Refusal::FormatNotConvertible, None)),
            Format::Pdf if is_too_large => {
                return Err(PrepareError::Refused(Refusal::TooLarge, None));
            }
            Format::Pdf | Format::Png if !is_too_large => return Ok(None),
            Format::Jpeg | Format::Png | Format::Webp | Format::Pdf => {}
        }
        let output = tempfile::tempfile()?;
        let mut child = Command::new(&self.program)
            .arg(argument(format, limit_bytes))
            .env_clear()
            .current_dir("/")
            .stdin(original)
            .stdout(output.try_clone()?)
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let status = child.wait().await?;
        if status.code() == Some(UNAVAILABLE.into()) {
            return Err(Error::other("the child could not read, write or confine itself").into());
        }
        if !status.success() {
            return Err(PrepareError::Refused(Refusal::Unreadable, None));
        }
        let read = tokio::task::spawn_blocking(move || read_output(output, limit_bytes)).await;
        let Some((jpeg, report, sha256)) = read.map_err(Error::other)?? else {
            return Err(PrepareError::Refused(Refusal::Unreadable, None));
        };
        match report.outcome {
            Outcome::Nothing => Ok(None),
            Outcome::Refused(refusal) => Err(PrepareError::Refused(refusal, Some(report.usage))),
            Outcome::Derived(Facts {
                bytes,
                width,
                height,
                quality,
                changes,
            }) => Ok(Some(Derived {
                jpeg,
                bytes,
                sha256,
                width,
                height,
                quality,
                changes,
                usage: report.usage,
            })),
        }
    }
}

/// The child's output: a JPEG and its report, or a report alone.
/// `None`: neither.
fn read_output(mut output: File, limit_bytes: u64) -> Result<Option<(File, Report, [u8; 32])>> {
    let Some(jpeg_bytes) = output.metadata()?.len().checked_sub(REPORT_BYTES) else {
        return Ok(None);
    };
    output.seek(SeekFrom::Start(jpeg_bytes))?;
    let mut line = [0; REPORT_BYTES as usize];
    output.read_exact(&mut line)?;
    let Some(report) = Report::parse(&line, limit_bytes) else {
        return Ok(None);
    };
    let promised = match &report.outcome {
        Outcome::Derived(facts) => facts.bytes,
        Outcome::Nothing | Outcome::Refused(_) => 0,
    };
    if jpeg_bytes != promised {
        return Ok(None);
    }
    output.set_len(jpeg_bytes)?;
    output.rewind()?;
    let sha256 = if jpeg_bytes == 0 {
        Some([0; 32])
    } else {
        digest_of_jpeg(&output)?
    };
    output.rewind()?;
    Ok(sha256.map(|sha256| (output, report, sha256)))
}

/// The digest, if the file starts and ends as a JPEG does.
fn digest_of_jpeg(mut file: &File) -> Result<Option<[u8; 32]>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut digest = Sha256::new();
    let mut start = Vec::new();
    let mut end = [0; 2];
    loop {
        let read = file.read(&mut buffer)?;
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        if start.is_empty() {
            start = bytes.iter().take(2).copied().collect();
        }
        for &byte in bytes.iter().skip(read.saturating_sub(2)) {
            end = [end[1], byte];
        }
    }
    let is_jpeg = start == [0xFF, 0xD8] && end == [0xFF, 0xD9];
    Ok(is_jpeg.then(|| digest.finalize().into()))
}
