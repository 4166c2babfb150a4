//! The changelog's part about one version, for the page of its release.

use anyhow::{Result, ensure};

/// What stands below the version's heading.
///
/// # Errors
/// The changelog has no such heading, or nothing below it.
pub(super) fn part(changelog: &str, version: &str) -> Result<String> {
    let heading = format!("## {version}");
    let lines = changelog
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1);
    let lines: Vec<_> = lines.take_while(|line| !line.starts_with("## ")).collect();
    let part = lines.join("\n").trim().to_owned();
    ensure!(
        !part.is_empty(),
        "CHANGELOG.md says nothing below a heading \"{heading}\""
    );
    Ok(format!("{part}\n"))
}

#[cfg(test)]
mod tests {
    use local_stack::workspace;

    use super::part;

    #[test]
    fn a_version_has_what_is_below_its_heading() {
        let changelog = "# Changelog\n\n## 0.2.0\n\nNew.\n\n### Do this\n\n## 0.1.0\n\nOld.\n";
        assert_eq!(part(changelog, "0.2.0").unwrap(), "New.\n\n### Do this\n");
        assert_eq!(part(changelog, "0.1.0").unwrap(), "Old.\n");
        assert!(part(changelog, "0.3.0").is_err());
    }

    #[test]
    fn the_changelog_says_what_the_version_changes_for_you() {
        let changelog = std::fs::read_to_string(workspace::root().join("CHANGELOG.md")).unwrap();
        let part = part(&changelog, env!("CARGO_PKG_VERSION")).unwrap();
        assert!(part.contains("What changes for you"), "{part}");
    }
}
