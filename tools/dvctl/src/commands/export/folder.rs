//! The directory of an export: nothing in it looks complete before it is.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use crate::failure::Failure;

/// A new directory for its owner alone. Dropped before [`finish`](Self::finish), it is removed.
#[derive(Debug)]
pub struct Folder {
    place: PathBuf,
    /// Where it is until then.
    incomplete: PathBuf,
    is_finished: bool,
}

impl Folder {
    /// # Errors
    /// Something has the name, or the directory cannot be made.
    pub fn begin(place: &Path) -> Result<Self, Failure> {
        // Without a slash at the end, behind which the suffix would be another name.
        let place: &Path = &place.components().collect::<PathBuf>();
        if place.symlink_metadata().is_ok() {
            return Err(
                Failure::usage(format!("{} is there already", place.display()))
                    .advise("an export never overwrites: name another directory with --to"),
            );
        }
        let mut incomplete = place.as_os_str().to_owned();
        incomplete.push(".incomplete");
        let incomplete = PathBuf::from(incomplete);
        DirBuilder::new()
            .mode(0o700)
            .create(&incomplete)
            .map_err(|error| {
                let failure = Failure::usage(format!("{} cannot be made", incomplete.display()));
                let is_left = error.kind() == io::ErrorKind::AlreadyExists;
                failure.because(error).advise(if is_left {
                    "an export is running or was broken off there: remove it if none runs"
                } else {
                    "name a directory that you may write with --to"
                })
            })?;
        Ok(Self {
            place: place.to_owned(),
            incomplete,
            is_finished: false,
        })
    }

    /// Writes one file, and has it on the disk.
    ///
    /// Blocks, so that no write outlives the directory.
    ///
    /// # Errors
    /// The name leads out of the directory, or the disk refuses.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let is_inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(is_inside) {
            return Err(Failure::new(
                "a kept file has a name that cannot be a file's",
            ));
        }
        write(&self.incomplete.join(name), bytes).map_err(|error| {
            Failure::new("the export cannot be written; nothing was kept of it")
                .because(error)
                .advise("look at the disk, and run the same command again")
        })
    }

    /// Gives the directory its name.
    ///
    /// # Errors
    /// The disk refuses, or something has taken the name meanwhile.
    pub fn finish(mut self) -> Result<(), Failure> {
        std::fs::rename(&self.incomplete, &self.place).map_err(|error| {
            Failure::new(format!("{} cannot be named", self.place.display()))
                .because(error)
                .advise("name another directory with --to")
        })?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be removed still has the name of something incomplete.
            drop(std::fs::remove_dir_all(&self.incomplete));
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_finished_folder_is_its_owner_s_alone() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().join("export");
        let folder = Folder::begin(&place).unwrap();
        folder.write("callbacks/a/b.json", b"{}").unwrap();
        assert!(!place.exists(), "it has its name once it is complete");
        folder.finish().unwrap();
        assert_eq!(mode(&place), 0o700);
        assert_eq!(mode(&place.join("callbacks/a")), 0o700);
        assert_eq!(mode(&place.join("callbacks/a/b.json")), 0o600);
    }

    #[test]
    fn an_unfinished_folder_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let place = parent.path().join("export");
        let folder = Folder::begin(&place).unwrap();
        folder.write("records.json", b"{}").unwrap();
        assert!(Folder::begin(&place).is_err(), "two do not write into one");
        drop(folder);
        assert_eq!(parent.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_leads_out() {
        let parent = tempfile::tempdir().unwrap();
        assert!(Folder::begin(parent.path()).is_err());
        let folder = Folder::begin(&parent.path().join("export")).unwrap();
        folder.write("a", b"").unwrap();
        for name in ["a", "../b", "/tmp/b", "x/../../b"] {
            assert!(folder.write(name, b"").is_err(), "{name}");
        }
    }
}
