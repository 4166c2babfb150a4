//! The crates in the programs of a bundle, from the list that each program carries.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::PathBuf;

use anyhow::{Context, Result};
use auditable_info::{Limits, audit_info_from_reader};
use cargo_metadata::{Metadata, MetadataCommand};
use local_stack::workspace;
use sha2::{Digest, Sha256};

/// Name and version.
pub(super) type CrateId = (String, String);

/// A crate that is in at least one program.
pub(super) struct Crate {
    /// An SPDX expression.
    pub licence: String,
    pub repository: Option<String>,
    /// Of this workspace, and not of crates.io.
    pub is_ours: bool,
    /// Where its sources are on this machine.
    pub directory: PathBuf,
    pub dependencies: BTreeSet<CrateId>,
}

/// A program of the bundle.
pub(super) struct Program {
    /// The file in the bundle that has it.
    pub file: String,
    pub sha256: String,
    /// The crate that it is the program of.
    pub root: CrateId,
}

/// What the programs are made of.
pub(super) struct Components {
    pub programs: Vec<Program>,
    pub crates: BTreeMap<CrateId, Crate>,
}

impl Components {
    /// Reads the programs. Each is given with the file of the bundle that has it.
    ///
    /// # Errors
    /// A program carries no list, or names a crate that is not in `Cargo.lock`.
    pub fn of(programs: &[(String, Vec<u8>)]) -> Result<Self> {
        let known = Known::read()?;
        let mut components = Self {
            programs: Vec::new(),
            crates: BTreeMap::new(),
        };
        for (file, content) in programs {
            components
                .add(file, content, &known)
                .with_context(|| format!("the list of crates in {file}"))?;
        }
        Ok(components)
    }

    fn add(&mut self, file: &str, content: &[u8], known: &Known) -> Result<()> {
        let info = audit_info_from_reader(&mut Cursor::new(content), Limits::default())?;
        let id = |number: usize| {
            let package = info.packages.get(number)?;
            // What only runs while the program is built is not in it.
            let is_in = package.kind == auditable_serde::DependencyKind::Runtime;
            is_in.then(|| (package.name.clone(), package.version.to_string()))
        };
        let mut root = None;
        for (number, package) in info.packages.iter().enumerate() {
            let Some(name) = id(number) else { continue };
            if package.root {
                root = Some(name.clone());
            }
            let dependencies = package.dependencies.iter().filter_map(|number| id(*number));
            let known = match self.crates.entry(name) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let described = known.describe(entry.key())?;
                    entry.insert(described)
                }
            };
            known.dependencies.extend(dependencies);
        }
        self.programs.push(Program {
            file: file.to_owned(),
            sha256: hex::encode(Sha256::digest(content)),
            root: root.context("it names no root")?,
        });
        Ok(())
    }
}

/// All crates of `Cargo.lock`.
struct Known(Metadata);

impl Known {
    fn read() -> Result<Self> {
        let mut command = MetadataCommand::new();
        command
            .current_dir(workspace::root())
            .other_options(["--locked".to_owned()]);
        Ok(Self(command.exec()?))
    }

    fn describe(&self, (name, version): &CrateId) -> Result<Crate> {
        let is_it = |package: &&cargo_metadata::Package| {
            package.name.as_str() == name && package.version.to_string() == *version
        };
        let package = self.0.packages.iter().find(is_it);
        let package = package.with_context(|| format!("Cargo.lock has no {name} {version}"))?;
        let licence = package
            .license
            .as_ref()
            .with_context(|| format!("{name} {version} names no licence"))?;
        let directory = package.manifest_path.parent().context("no directory")?;
        Ok(Crate {
            // Before SPDX expressions, a slash meant "or".
            licence: licence.replace(" / ", "/").replace('/', " OR "),
            repository: package.repository.clone(),
            is_ours: package.source.is_none(),
            directory: directory.as_std_path().to_path_buf(),
            dependencies: BTreeSet::new(),
        })
    }
}
