//! The environment of programs that must not see the caller's: no profile, credential, proxy or setting of the user reaches
//! the emulator, the functions or the SAM CLI.

use std::path::Path;

use tokio::process::Command;

/// Leaves the search path only, and makes `home` the home directory, so that no file of the user's is read either.
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
