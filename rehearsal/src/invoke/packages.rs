//! Docker, and a base image, from Debian's archive without installing anything: packages are
//! fetched with `apt-get download`, which checks their signatures, and unpacked below `.local`.
//! Nothing outside is changed, not even the package lists.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use local_stack::{GuardedCommand, Python, workspace};

use super::progress;

/// 70 MB; a slow line needs minutes.
const FETCH_DEADLINE: Duration = Duration::from_secs(300);

/// The daemon, what it runs, and its libraries.
const DOCKER: [&str; 3] = ["docker.io", "containerd", "runc"];
/// A part of the above in some releases, and not known in others.
const DOCKER_ALSO: [&str; 4] = [
    "docker-cli",
    "libdevmapper1.02.1",
    "libseccomp2",
    "libsystemd0",
];
/// What a program for `provided.al2023` needs, and a shell, with which the SAM CLI adds its runtime
/// emulator.
const BASE_IMAGE: [&str; 3] = ["libc6", "libgcc-s1", "busybox-static"];

/// The directory with Docker's programs, fetched the first time.
///
/// # Errors
/// There is no `apt-get`, the archive cannot be reached, or it does not have the packages.
pub async fn docker(python: &Python) -> Result<PathBuf> {
    unpacked(python, "docker", &DOCKER, &DOCKER_ALSO).await
}

/// The directory with the base image's file system, fetched the first time.
///
/// # Errors
/// As [`docker`].
pub async fn base_image(python: &Python) -> Result<PathBuf> {
    let root = unpacked(python, "base-image", &BASE_IMAGE, &[]).await?;
    let programs = root.join("bin");
    for name in ["sh", "mv", "chmod"] {
        let link = programs.join(name);
        if !link.exists() {
            std::os::unix::fs::symlink("busybox", &link)
                .with_context(|| format!("cannot make {}", link.display()))?;
        }
    }
    // Without it the C library asks a name server before it looks into /etc/hosts.
    std::fs::create_dir_all(root.join("etc"))?;
    std::fs::write(root.join("etc/nsswitch.conf"), "hosts: files dns\n")?;
    Ok(root)
}

async fn unpacked(
    python: &Python,
    name: &str,
    needed: &[&str],
    if_known: &[&str],
) -> Result<PathBuf> {
    let target = workspace::kept_directory().join(name);
    if target.is_dir() {
        return Ok(target);
    }
    progress(&format!(
        "fetching {} from Debian's archive (once)",
        needed.join(", ")
    ));
    let parent = workspace::kept_directory();
    std::fs::create_dir_all(&parent)?;
    let work = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(&parent)?;
    let fetched =
        tokio::time::timeout(FETCH_DEADLINE, fetch(python, work.path(), needed, if_known)).await;
    fetched.context("Debian's archive did not answer in time")??;
    // In one step, so that nobody ever sees a half of it. Somebody else's is as good.
    match std::fs::rename(work.path().join("root"), &target) {
        Err(error) if !target.is_dir() => {
            Err(error).with_context(|| format!("cannot make {}", target.display()))
        }
        _ => Ok(target),
    }
}

async fn fetch(python: &Python, work: &Path, needed: &[&str], if_known: &[&str]) -> Result<()> {
    let root = work.join("root");
    for directory in [
        "lists/partial",
        "cache/archives/partial",
        "packages",
        "root",
    ] {
        std::fs::create_dir_all(work.join(directory))?;
    }
    apt(python, work, "apt-get", &["update"]).await?;
    let mut packages: Vec<&str> = needed.to_vec();
    for name in if_known {
        if apt(python, work, "apt-cache", &["show", name])
            .await
            .is_ok()
        {
            packages.push(name);
        }
    }
    apt(
        python,
        work,
        "apt-get",
        &[&["download"], packages.as_slice()].concat(),
    )
    .await?;
    for entry in std::fs::read_dir(work.join("packages"))? {
        let package = entry?.path();
        GuardedCommand::new(python, "dpkg-deb")
            .args(["--extract".as_ref(), package.as_os_str(), root.as_os_str()])
            .run_quietly("dpkg-deb", &work.join("log"))
            .await?;
    }
    for name in needed {
        let documentation = root.join("usr/share/doc").join(name);
        // Often a link into a package that was not fetched.
        ensure!(
            documentation.symlink_metadata().is_ok(),
            "the package {name} was not fetched"
        );
    }
    Ok(())
}

/// Runs apt on package lists of its own, in the directory for packages.
async fn apt(python: &Python, work: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let path = |name: &str| work.join(name).display().to_string();
    let command = GuardedCommand::new(python, program)
        .args(["-o", &format!("Dir::State::lists={}", path("lists"))])
        .args(["-o", &format!("Dir::Cache={}", path("cache"))])
        .args([
            "-o",
            "APT::Sandbox::User=root",
            "-o",
            "Acquire::Retries=2",
            "-o",
            "Acquire::http::Timeout=20",
        ])
        .args(arguments)
        .with(|command| {
            command
                .current_dir(work.join("packages"))
                .env("LC_ALL", "C")
                .stdin(Stdio::null());
        });
    let printed = command.run_quietly(program, &work.join("log")).await?;
    // apt-get update succeeds with whatever lists it could get.
    if arguments == ["update"] && printed.contains("Failed to fetch") {
        bail!("Debian's archive cannot be reached");
    }
    Ok(())
}
