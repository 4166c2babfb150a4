//! The licences of everything in a bundle's programs, as their packages carry them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::components::{Components, Crate, CrateId};

/// How the names of licence files begin.
const NAMES: [&str; 6] = [
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];

/// The list of all crates with their licences, and then each text once.
///
/// # Errors
/// A package cannot be read.
pub(super) fn write(components: &Components) -> Result<String> {
    let mut list = String::new();
    let mut without = Vec::new();
    let mut texts: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    for (id, known) in components.crates.iter().filter(|(_, known)| !known.is_ours) {
        writeln!(list, "{}", entry(id, known))?;
        let found =
            texts_of(&known.directory).with_context(|| format!("the licences of {}", id.0))?;
        if found.is_empty() {
            without.push(format!("{} {}", id.0, id.1));
        }
        for text in found {
            // The same text with other line breaks is the same text.
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, crates) = texts.entry(words).or_insert_with(|| (text, Vec::new()));
            crates.push(format!("{} {}", id.0, id.1));
        }
    }
    ensure!(!texts.is_empty(), "no package has a licence file");
    let mut written = format!(
        "The programs in this archive contain the crates below, and Rust's standard library with\n\
         its licences in RUST-STANDARD-LIBRARY-LICENSES.html. The processor contains mozjpeg,\n\
         which is based in part on the work of the Independent JPEG Group.\n\n{list}"
    );
    if !without.is_empty() {
        let names = without.join("\n  ");
        writeln!(
            written,
            "\nThe packages of these carry no licence file. Their licence is the one named \
             above:\n\n  {names}"
        )?;
    }
    for (text, mut crates) in texts.into_values() {
        crates.dedup();
        let rule = "-".repeat(80);
        write!(
            written,
            "\n{rule}\n{}\n{rule}\n\n{}\n",
            crates.join(", "),
            text.trim()
        )?;
    }
    Ok(written)
}

fn entry((name, version): &CrateId, known: &Crate) -> String {
    let repository = known.repository.as_deref().unwrap_or_default();
    let (name, licence) = (format!("{name} {version}"), &known.licence);
    format!("{name:<36} {licence:<32} {repository}")
        .trim_end()
        .to_owned()
}

/// Also of what a package contains of others, such as ring's `third_party`.
fn texts_of(directory: &Path) -> Result<Vec<String>> {
    let mut entries: Vec<_> = std::fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            texts.extend(texts_of(&path)?);
        } else if is_licence(&path) {
            texts.push(String::from_utf8_lossy(&std::fs::read(&path)?).into_owned());
        }
    }
    Ok(texts)
}

fn is_licence(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_uppercase();
    NAMES.iter().any(|start| name.starts_with(start)) && !name.ends_with(".RS")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_licence, texts_of};

    #[test]
    fn licence_files_are_known_by_their_names() {
        for name in [
            "LICENSE",
            "LICENSE-MIT",
            "license.txt",
            "COPYING",
            "LICENSE_APACHE",
        ] {
            assert!(is_licence(Path::new(name)), "{name}");
        }
        for name in ["README.md", "licence.rs", "lib.rs"] {
            assert!(!is_licence(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn licences_of_parts_of_a_package_are_found() {
        let package = tempfile::tempdir().unwrap();
        let part = package.path().join("third_party/part");
        std::fs::create_dir_all(&part).unwrap();
        std::fs::write(package.path().join("LICENSE"), "its own").unwrap();
        std::fs::write(part.join("LICENSE"), "its part's").unwrap();
        assert_eq!(texts_of(package.path()).unwrap(), ["its own", "its part's"]);
    }
}
