//! The environment of child processes. No profile, credential, proxy or setting of the user reaches
//! the emulator, the functions or the SAM CLI.

use std::path::Path;

use tokio::process::Command;

/// Leaves only the search path. `home` becomes the home directory: no file of the user's is read.
pub fn clear(command: &mut Command, home: &Path) {
    #[expect(
        clippy::disallowed_methods,
        reason = "not configuration: the search path is handed on to a child process"
    )]
    let search_path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", search_path)
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .env("PYTHONUTF8", "1");
}

/// Removes the variables that `cargo run` has set about this package (The Cargo Book, "Environment
/// variables Cargo sets for crates"). Build scripts may run again when they change; ring's does.
/// Then builds from a terminal and from here would undo each other, at a minute each.
pub fn forget_own_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let is_about_package = name
            .to_str()
            .is_some_and(|name| ABOUT_PACKAGE.iter().any(|prefix| name.starts_with(prefix)));
        if is_about_package {
            command.env_remove(name);
        }
    }
}

const ABOUT_PACKAGE: [&str; 4] = [
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_forgets_only_the_package_that_cargo_runs() {
        // Cargo runs this test, too, and has set the variables.
        let mut command = Command::new("cargo");
        forget_own_package(&mut command);
        let changes: Vec<_> = command.as_std().get_envs().collect();
        assert!(changes.contains(&("CARGO_PKG_NAME".as_ref(), None)));
        assert!(changes.contains(&("CARGO_MANIFEST_DIR".as_ref(), None)));
        assert!(
            !changes
                .iter()
                .any(|(name, _)| *name == "PATH" || *name == "CARGO_HOME")
        );
    }
}
