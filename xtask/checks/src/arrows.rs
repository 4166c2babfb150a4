//! Which crate may depend on which, checked from Cargo's own metadata.
//!
//! The arrows point one way: functions → lambda-support, adapters, verification; adapters →
//! verification, idenfy, document-preparation, the AWS SDK; verification, idenfy and
//! document-preparation → nothing of ours; dvctl → api-client, adapters, idenfy, verification.
//! What ships is in `crates/` and `functions/`, and depends on nothing of the other folders.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// The package's dependencies that are ours, and those whose names begin with a prefix that only
/// some packages may use.
struct Rule {
    package: &'static str,
    ours: &'static [&'static str],
}

const RULES: [Rule; 6] = [
    Rule {
        package: "verification",
        ours: &[],
    },
    Rule {
        package: "idenfy",
        ours: &[],
    },
    Rule {
        package: "document-preparation",
        ours: &[],
    },
    Rule {
        package: "adapters",
        ours: &["document-preparation", "idenfy", "verification"],
    },
    Rule {
        package: "lambda-support",
        ours: &["adapters", "verification"],
    },
    Rule {
        package: OPERATORS_COMMAND,
        ours: &["adapters", "api-client", "idenfy", "verification"],
    },
];

/// Runs on people's machines and not in Lambda, and works on real deployments: it may use the API
/// as an application does, and is otherwise held to what holds for all that ships.
const OPERATORS_COMMAND: &str = "dvctl";

/// What every function may depend on, of ours.
const FUNCTIONS: [&str; 5] = [
    "adapters",
    "document-preparation",
    "idenfy",
    "lambda-support",
    "verification",
];

/// Prefixes of crates that stop at a boundary, and the packages that are the boundary.
const BOUNDARIES: [(&str, &[&str]); 3] = [
    ("aws-sdk-", &["adapters"]),
    ("aws-smithy-", &["adapters"]),
    ("lambda_", &["lambda-support"]),
];

/// The direct dependencies of one package.
#[derive(Debug, Default)]
struct Package {
    /// In `functions/`.
    is_function: bool,
    /// In `crates/` or `functions/`. The operator's command is held to the same.
    ships: bool,
    /// In builds that ship, with the features that are asked for.
    normal: BTreeMap<String, Vec<String>>,
}

/// Checks the workspace.
///
/// # Errors
/// Names every arrow that points the wrong way.
pub fn check() -> Result<()> {
    let mut command = MetadataCommand::new();
    command
        .current_dir(local_stack::workspace::root())
        .other_options(["--locked".to_owned()]);
    let wrong = violations(&packages(&command.exec()?));
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!(
            "dependencies that point the wrong way:\n  {}",
            wrong.join("\n  ")
        )
    }
}

fn packages(metadata: &Metadata) -> BTreeMap<String, Package> {
    let read = |package: &&cargo_metadata::Package| {
        let normal = package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal);
        let folder = package.manifest_path.strip_prefix(&metadata.workspace_root);
        let folder = folder.ok().and_then(|path| path.components().next());
        let is_in = |name| folder.is_some_and(|folder| folder.as_str() == name);
        let is_function = is_in("functions");
        let ships = is_function || is_in("crates") || package.name.as_str() == OPERATORS_COMMAND;
        let normal = normal
            .map(|dependency| (dependency.name.clone(), dependency.features.clone()))
            .collect();
        (
            package.name.to_string(),
            Package {
                is_function,
                ships,
                normal,
            },
        )
    };
    metadata.workspace_packages().iter().map(read).collect()
}

fn violations(packages: &BTreeMap<String, Package>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, package) in packages {
        let ours: BTreeSet<&str> = package
            .normal
            .keys()
            .map(String::as_str)
            .filter(|dependency| packages.contains_key(*dependency))
            .collect();
        let allowed: Option<&[&str]> = if package.is_function {
            Some(&FUNCTIONS)
        } else {
            RULES
                .iter()
                .find(|rule| rule.package == name)
                .map(|rule| rule.ours)
        };
        if let Some(allowed) = allowed {
            wrong.extend(
                ours.iter()
                    .filter(|dependency| !allowed.contains(dependency))
                    .map(|dependency| format!("{name} → {dependency}")),
            );
        }
        if !package.ships {
            continue;
        }
        wrong.extend(
            ours.iter()
                .filter(|dependency| packages.get(**dependency).is_some_and(|other| !other.ships))
                .filter(|dependency| {
                    (name.as_str(), **dependency) != (OPERATORS_COMMAND, "api-client")
                })
                .map(|dependency| format!("{name} → {dependency}, which does not ship")),
        );
        let testing = package.normal.iter().filter(|(_, features)| {
            features
                .iter()
                .any(|feature| ["testing", "fuzzing"].contains(&feature.as_str()))
        });
        wrong.extend(testing.map(|(dependency, _)| {
            format!("{name} → {dependency} with a feature for tests, which does not ship")
        }));
        for (prefix, boundary) in BOUNDARIES {
            let crosses = package
                .normal
                .keys()
                .filter(|dependency| dependency.starts_with(prefix));
            let may =
                boundary.contains(&name.as_str()) || (prefix == "lambda_" && package.is_function);
            wrong.extend(crosses.filter(|_| !may).map(|dependency| {
                format!(
                    "{name} → {dependency}, which stops at {}",
                    boundary.join(", ")
                )
            }));
        }
    }
    // A rule about a package that is gone checks nothing.
    wrong.extend(
        RULES
            .iter()
            .filter(|rule| !packages.contains_key(rule.package))
            .map(|rule| format!("there is no package {}", rule.package)),
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, whether it is a function, and its dependencies with their features.
    type Described<'a> = (&'a str, bool, &'a [(&'a str, &'a [&'a str])]);

    const IN_OTHER_FOLDERS: [&str; 4] = [
        "api-client",
        "idenfy-sandbox",
        "local-stack",
        "integration-tests",
    ];

    fn workspace(extra: &[Described<'_>]) -> BTreeMap<String, Package> {
        let base: [Described<'_>; 11] = [
            ("verification", false, &[("serde", &[])]),
            ("idenfy", false, &[("reqwest", &[])]),
            ("document-preparation", false, &[("png", &[])]),
            (
                "adapters",
                false,
                &[("verification", &[]), ("idenfy", &[]), ("aws-sdk-s3", &[])],
            ),
            (
                "lambda-support",
                false,
                &[("adapters", &[]), ("verification", &[])],
            ),
            (
                "webhook",
                true,
                &[("lambda-support", &[]), ("lambda_http", &[])],
            ),
            ("api-client", false, &[("reqwest", &[])]),
            (
                "dvctl",
                false,
                &[
                    ("adapters", &[]),
                    ("api-client", &[]),
                    ("verification", &[]),
                ],
            ),
            ("idenfy-sandbox", false, &[("axum", &[])]),
            ("local-stack", false, &[("idenfy-sandbox", &[])]),
            (
                "integration-tests",
                false,
                &[("verification", &["testing"]), ("aws-sdk-s3", &[])],
            ),
        ];
        let own = |(name, is_function, dependencies): &Described<'_>| {
            let features = |features: &[&str]| {
                features
                    .iter()
                    .map(|feature| (*feature).to_owned())
                    .collect()
            };
            let normal = dependencies
                .iter()
                .map(|(dependency, with)| ((*dependency).to_owned(), features(with)))
                .collect();
            (
                (*name).to_owned(),
                Package {
                    is_function: *is_function,
                    ships: !IN_OTHER_FOLDERS.contains(name),
                    normal,
                },
            )
        };
        base.iter().chain(extra).map(own).collect()
    }

    #[test]
    fn the_intended_arrows_are_allowed() {
        assert_eq!(violations(&workspace(&[])), Vec::<String>::new());
    }

    #[test]
    fn every_wrong_arrow_is_named() {
        for (package, is_function, dependency, features) in [
            ("verification", false, "idenfy", &[][..]),
            ("idenfy", false, "verification", &[]),
            ("adapters", false, "lambda-support", &[]),
            ("webhook", true, "idenfy-sandbox", &[]),
            ("webhook", true, "verification", &["testing"]),
            ("lambda-support", false, "aws-sdk-sqs", &[]),
            ("adapters", false, "lambda_runtime", &[]),
            ("dvctl", false, "local-stack", &[]),
            ("dvctl", false, "lambda-support", &[]),
            ("dvctl", false, "aws-sdk-sqs", &[]),
            ("dvctl", false, "verification", &["testing"]),
            ("webhook", true, "dvctl", &[]),
            ("webhook", true, "api-client", &[]),
        ] {
            let wrong = violations(&workspace(&[(
                package,
                is_function,
                &[(dependency, features)],
            )]));
            assert!(
                wrong
                    .iter()
                    .any(|line| line.starts_with(&format!("{package} → {dependency}"))),
                "{package} → {dependency}: {wrong:?}"
            );
        }
    }
}
