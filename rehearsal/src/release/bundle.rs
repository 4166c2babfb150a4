//! The archive that is deployed without a compiler and without this repository.
//!
//! Its bytes follow from the programs and the commit alone.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use local_stack::workspace;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zip::{DateTime, ZipArchive};

use super::archive::{self, Entry};
use super::components::Components;
use super::{Architecture, changelog, directory_of, licences, operator, sbom, template};

const NAME: &str = "dual-verification";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Written by `sha256sum` as well, so that `sha256sum --check` reads it.
const CHECKSUMS: &str = "SHA256SUMS";

/// The file of the licences of Rust's standard library, and where `rustc` has it.
const STANDARD_LIBRARY: [&str; 2] = [
    "RUST-STANDARD-LIBRARY-LICENSES.html",
    "share/doc/rust/COPYRIGHT-library.html",
];

/// An archive in memory.
pub struct Bundle {
    /// Of the archive without `.zip`, and of the directory in it.
    pub name: String,
    pub archive: Vec<u8>,
}

impl Bundle {
    /// Packs what the release build has made.
    ///
    /// # Errors
    /// A part is missing, or cannot be read.
    pub fn pack(architecture: Architecture) -> Result<Self> {
        let commit = Commit::read()?;
        let mut entries = documents()?;
        let (programs, packed) = programs(architecture)?;
        entries.extend(packed);

        let components = Components::of(&programs)?;
        let origin = sbom::Origin {
            name: NAME,
            version: VERSION,
            commit: &commit.id,
            time: &commit.time.format(&Rfc3339)?,
        };
        let materials = serde_json::to_string_pretty(&sbom::write(&components, &origin))?;
        entries.push(Entry::file("sbom.cdx.json", materials));
        entries.push(Entry::file(
            "THIRD-PARTY-LICENSES.txt",
            licences::write(&components)?,
        ));
        let [name, path] = STANDARD_LIBRARY;
        entries.push(Entry::file(name, read(&sysroot()?.join(path))?));

        let template = template::derive(&text("template.yaml")?, architecture)?;
        entries.push(Entry::file("template.yaml", template));
        let settings = template::settings(&text("samconfig.toml")?);
        entries.push(Entry::file("samconfig.toml", settings));

        let checksums = checksums(&mut entries);
        entries.push(Entry::file(CHECKSUMS, checksums));
        let name = format!("{NAME}-{VERSION}-{architecture}");
        for entry in &mut entries {
            entry.name = format!("{name}/{}", entry.name);
        }
        let archive = archive::zip(entries, zip_time(commit.time)?)?;
        Ok(Self { name, archive })
    }

    /// Unpacks it below a directory, as `unzip` does.
    ///
    /// # Errors
    /// The files cannot be written.
    pub fn unpack(&self, to: &Path) -> Result<()> {
        ZipArchive::new(Cursor::new(&self.archive))?.extract(to)?;
        Ok(())
    }

    /// Writes the archive, and what its release says about it. Returns the archive's path.
    ///
    /// # Errors
    /// They cannot be written; the changelog does not know the version.
    pub fn write(&self) -> Result<PathBuf> {
        let directory = workspace::root().join("target").join("bundle");
        std::fs::create_dir_all(&directory)?;
        let notes = changelog::part(&text("CHANGELOG.md")?, VERSION)?;
        std::fs::write(directory.join("notes.md"), notes)?;
        let path = directory.join(format!("{}.zip", self.name));
        std::fs::write(&path, &self.archive)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// A file of the archive that has a program, and the program.
type Packed = (String, Vec<u8>);

/// The programs with the files that have them, and those files.
fn programs(architecture: Architecture) -> Result<(Vec<Packed>, Vec<Entry>)> {
    let (mut programs, mut entries) = (Vec::<Packed>::new(), Vec::new());
    for function in template::functions(&text("template.yaml")?)? {
        let file = format!("functions/{}.zip", function.program);
        // Two functions may have one program.
        if programs.iter().any(|(packed, _)| *packed == file) {
            continue;
        }
        let path = directory_of(architecture)
            .join(&function.logical_id)
            .join("bootstrap");
        let content = read(&path)?;
        let bootstrap = Entry::program("bootstrap", content.clone());
        // Always the same time: the file is another one only if the program is. So a deployment
        // makes no new version of an unchanged function.
        let packed = archive::zip(vec![bootstrap], DateTime::DEFAULT)?;
        entries.push(Entry::file(file.clone(), packed));
        programs.push((file, content));
    }
    let content = read(&operator::program(architecture))?;
    entries.push(Entry::program("dvctl", content.clone()));
    programs.push(("dvctl".to_owned(), content));
    Ok((programs, entries))
}

/// What is copied: the licence, the one-page instructions and the documentation that they and the
/// alarms lead to.
fn documents() -> Result<Vec<Entry>> {
    let mut entries = vec![Entry::file("DEPLOY.md", text("docs/bundle/DEPLOY.md")?)];
    let listed = git(&["ls-files", "docs", "CHANGELOG.md", "LICENSE", "README.md"])?;
    for path in listed
        .lines()
        .filter(|path| !path.starts_with("docs/bundle/"))
    {
        entries.push(Entry::file(path, read(&workspace::root().join(path))?));
    }
    Ok(entries)
}

/// Sorts the entries and lists their hashes.
fn checksums(entries: &mut [Entry]) -> String {
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    let line = |entry: &Entry| {
        let digest = hex::encode(Sha256::digest(&entry.content));
        format!("{digest}  {}\n", entry.name)
    };
    entries.iter().map(line).collect()
}

/// The whole hash, with `-dirty` if files differ from it; no tag.
const NAME_OF_COMMIT: [&str; 6] = [
    "describe",
    "--always",
    "--dirty",
    "--abbrev=40",
    "--exclude",
    "*",
];

/// The commit that is checked out.
struct Commit {
    id: String,
    time: OffsetDateTime,
}

impl Commit {
    /// `SOURCE_DATE_EPOCH` overrides the time. (Source: reproducible-builds.org.)
    #[expect(
        clippy::disallowed_methods,
        reason = "a convention of all build tools, read by a program that builds"
    )]
    fn read() -> Result<Self> {
        let time = match std::env::var("SOURCE_DATE_EPOCH") {
            Ok(time) => time,
            Err(_) => git(&["log", "-1", "--format=%ct"])?,
        };
        let seconds = time
            .trim()
            .parse()
            .context("SOURCE_DATE_EPOCH is no number")?;
        Ok(Self {
            id: git(&NAME_OF_COMMIT)?.trim().to_owned(),
            time: OffsetDateTime::from_unix_timestamp(seconds)?,
        })
    }
}

fn zip_time(time: OffsetDateTime) -> Result<DateTime> {
    let year = u16::try_from(time.year())?;
    let time = DateTime::from_date_and_time(
        year,
        time.month().into(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
    );
    time.ok().context("a zip file has no times before 1980")
}

fn git(arguments: &[&str]) -> Result<String> {
    output(Command::new("git").args(arguments))
}

fn sysroot() -> Result<PathBuf> {
    let path = output(Command::new("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(path.trim()))
}

fn output(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let answer = command
        .current_dir(workspace::root())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    let complaint = String::from_utf8_lossy(&answer.stderr);
    ensure!(answer.status.success(), "{program} failed: {complaint}");
    Ok(String::from_utf8(answer.stdout)?)
}

fn text(name: &str) -> Result<String> {
    Ok(String::from_utf8(read(&workspace::root().join(name))?)?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use time::OffsetDateTime;

    use super::{Entry, checksums, text, zip_time};

    /// The commands in a page's blocks, without comments and without `./` before a program.
    fn commands(page: &str) -> BTreeSet<&str> {
        let blocks = page.split("```sh\n").skip(1);
        let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
        lines
            .map(|line| line.split(" #").next().unwrap().trim())
            .map(|command| command.strip_prefix("./").unwrap_or(command))
            .filter(|command| !command.is_empty())
            .collect()
    }

    #[test]
    fn its_instructions_are_those_of_the_documentation() {
        let (bundle, whole) = (text("docs/bundle/DEPLOY.md"), text("docs/DEPLOYING.md"));
        let (bundle, whole) = (bundle.unwrap(), whole.unwrap());
        assert!(commands(&bundle).contains("sam deploy --guided"));
        let unknown: Vec<_> = commands(&bundle)
            .difference(&commands(&whole))
            .copied()
            .collect();
        // The upgrade, which the other page has in a sentence.
        assert_eq!(unknown, ["sam deploy"]);
    }

    #[test]
    fn checksums_are_those_of_sha256sum() {
        let mut entries = [Entry::file("b", ""), Entry::file("a", "abc")];
        assert_eq!(
            checksums(&mut entries),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
        );
    }

    #[test]
    fn times_that_a_zip_file_cannot_have_are_refused() {
        let time = OffsetDateTime::from_unix_timestamp(1_764_250_000).unwrap();
        assert_eq!(zip_time(time).unwrap().year(), 2025);
        assert!(zip_time(OffsetDateTime::UNIX_EPOCH).is_err());
    }
}
