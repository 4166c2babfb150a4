//! Where containers can run: the Docker daemon that runs already, or one of our own, which shares
//! nothing with it and ends with this program. Nothing is ever imported into somebody else's
//! daemon, and nobody else's is ever started or stopped.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use local_stack::{Guarded, GuardedCommand, Python, Toolchain, clear_environment};
use tokio::time::Instant;

use super::{packages, progress};
use crate::process::search_path;

/// What `sam local invoke` builds on. (Source: the SAM CLI's name for the image of
/// `provided.al2023` on this processor.)
pub const BASE_IMAGE: &str = "public.ecr.aws/lambda/provided:al2023-x86_64";

const SCRIPT: &str = include_str!("docker.py");
/// A daemon that answers does so at once.
const QUESTION_DEADLINE: Duration = Duration::from_secs(10);
/// It takes a second; the rest is for a machine that is busy compiling.
const START_DEADLINE: Duration = Duration::from_secs(60);
/// 50 MB.
const PULL_DEADLINE: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A daemon that has the base image.
#[derive(Debug)]
pub struct Docker {
    python: Python,
    /// Where `docker` is looked for.
    search_path: OsString,
    host: String,
    /// This machine, as containers see it.
    pub gateway: IpAddr,
    /// Where the image came from, for people.
    pub image_source: &'static str,
    own: Option<Guarded>,
}

impl Docker {
    /// Finds one, or starts one where this program may.
    ///
    /// # Errors
    /// Says in one line why containers cannot run on this machine.
    pub async fn find(
        toolchain: &Toolchain,
        named: Option<&str>,
        directory: &Path,
    ) -> Result<Self> {
        ensure!(
            cfg!(target_os = "linux"),
            "on this system containers do not reach the loopback interface"
        );
        ensure!(
            cfg!(target_arch = "x86_64"),
            "the functions are built for x86_64, and this is another processor"
        );
        let existing = match Self::existing(toolchain, named, directory).await {
            Ok(docker) => return Ok(docker),
            Err(error) => error,
        };
        Self::own(toolchain, directory).await.map_err(|own| {
            own.context(format!(
                "no Docker that runs can be used ({existing:#}), and none can be started"
            ))
        })
    }

    /// The daemon that runs already, if it has the image or can get it.
    async fn existing(
        toolchain: &Toolchain,
        named: Option<&str>,
        directory: &Path,
    ) -> Result<Self> {
        let host = named.unwrap_or("unix:///var/run/docker.sock");
        let socket = host
            .strip_prefix("unix://")
            .context("DOCKER_HOST is not on this machine")?;
        ensure!(Path::new(socket).exists(), "there is no {socket}");
        let mut docker = Self {
            python: toolchain.python().clone(),
            search_path: search_path(&toolchain.sam_directory())?,
            host: host.to_owned(),
            gateway: IpAddr::from([127, 0, 0, 1]),
            image_source: "as it was there",
            own: None,
        };
        let log = directory.join("docker-question.log");
        docker.run(&["version"], &log, QUESTION_DEADLINE).await?;
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let gateway = docker
            .run(
                &["network", "inspect", "bridge", "--format", format],
                &log,
                QUESTION_DEADLINE,
            )
            .await?;
        docker.gateway = gateway
            .trim()
            .parse()
            .context("its bridge has no address")?;
        // A daemon in a network of its own, such as a rootless one, has an address that is not this
        // machine's.
        tokio::net::TcpListener::bind((docker.gateway, 0))
            .await
            .context("its bridge is not on this machine")?;
        if docker
            .run(&["image", "inspect", BASE_IMAGE], &log, QUESTION_DEADLINE)
            .await
            .is_err()
        {
            docker.pull(&log).await?;
        }
        Ok(docker)
    }

    /// A daemon of our own, from the programs that are installed or from Debian's archive.
    async fn own(toolchain: &Toolchain, directory: &Path) -> Result<Self> {
        ensure!(is_root(), "only root can start one");
        let python = toolchain.python();
        let place = Place::of_this_process();
        let (search_path, libraries) = programs(python).await?;
        // A socket's path may have 107 characters, too few for a directory deep below a checkout.
        let home = std::env::temp_dir().join(&place.bridge);
        let log = directory.join("dockerd.log");
        let output = std::fs::File::create(&log)?;
        let errors = output.try_clone()?;
        let daemon = GuardedCommand::with_last_words(python, python.path())
            .args(["-I", "-S", "-c", SCRIPT])
            .args([home.as_os_str(), directory.join("docker").as_os_str()])
            .args([place.bridge.as_str(), &place.address.to_string()])
            .with(|command| {
                clear_environment(command, directory);
                command
                    .env("PATH", &search_path)
                    .stdout(output)
                    .stderr(errors);
                if let Some(libraries) = &libraries {
                    command.env("LD_LIBRARY_PATH", libraries);
                }
            })
            .start()?;
        let mut docker = Self {
            python: python.clone(),
            search_path,
            host: format!("unix://{}/docker.sock", home.display()),
            gateway: place.address,
            image_source: "from the registry",
            own: Some(daemon),
        };
        if let Err(error) = docker.make_ready(directory, &log).await {
            docker.stop().await;
            return Err(error);
        }
        Ok(docker)
    }

    async fn make_ready(&mut self, directory: &Path, daemon_log: &Path) -> Result<()> {
        let log = directory.join("docker-question.log");
        let deadline = Instant::now() + START_DEADLINE;
        while self
            .run(&["version"], &log, QUESTION_DEADLINE)
            .await
            .is_err()
        {
            let running = self.own.as_mut().is_some_and(Guarded::is_running);
            if !running {
                let told = std::fs::read_to_string(daemon_log).unwrap_or_default();
                bail!(
                    "dockerd ended at once: {}",
                    told.lines().last().unwrap_or_default()
                );
            }
            ensure!(Instant::now() < deadline, "dockerd does not answer");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        if self.pull(&log).await.is_err() {
            let root = packages::base_image(&self.python).await?;
            let archive = directory.join("base-image.tar");
            GuardedCommand::new(&self.python, "tar")
                .args(["--create".as_ref(), "--file".as_ref(), archive.as_os_str()])
                .args([
                    "--owner=0".as_ref(),
                    "--group=0".as_ref(),
                    "--directory".as_ref(),
                    root.as_os_str(),
                    ".".as_ref(),
                ])
                .run_quietly("tar", &log)
                .await?;
            let archive = archive.display().to_string();
            self.run(&["import", &archive, BASE_IMAGE], &log, PULL_DEADLINE)
                .await?;
            self.image_source = "made from Debian packages, as no registry is reachable";
        }
        Ok(())
    }

    async fn pull(&mut self, log: &Path) -> Result<()> {
        progress(&format!("fetching {BASE_IMAGE}"));
        self.run(&["pull", "--quiet", BASE_IMAGE], log, PULL_DEADLINE)
            .await
            .context("the base image cannot be fetched")?;
        self.image_source = "from the registry";
        Ok(())
    }

    async fn run(&self, arguments: &[&str], log: &Path, deadline: Duration) -> Result<String> {
        let command = GuardedCommand::new(&self.python, "docker")
            .args(arguments)
            .with(|command| self.apply(command));
        match tokio::time::timeout(deadline, command.run_quietly("docker", log)).await {
            Ok(result) => result,
            Err(_) => bail!(
                "docker {} took longer than {} s",
                arguments.first().unwrap_or(&""),
                deadline.as_secs()
            ),
        }
    }

    /// Leads a command to this daemon.
    pub fn apply(&self, command: &mut tokio::process::Command) {
        command
            .env("DOCKER_HOST", &self.host)
            .env("PATH", &self.search_path);
    }

    /// Whether it was started here.
    pub const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Ends it, if it was started here, with everything in it: at most 10 s.
    pub async fn stop(self) {
        if let Some(own) = self.own {
            own.stop().await;
        }
    }
}

/// A bridge and a network that no other run of this program has.
struct Place {
    bridge: String,
    address: IpAddr,
}

impl Place {
    /// In the range that is set aside for measuring networks (RFC 2544), which nobody routes; 16
    /// addresses for each process number.
    fn of_this_process() -> Self {
        let number = std::process::id();
        let [_, _, third, fourth] = number.wrapping_mul(16).to_be_bytes();
        Self {
            bridge: format!("dv{number}"),
            address: IpAddr::from([198, 18, third, fourth.wrapping_add(1)]),
        }
    }
}

/// The search path with `dockerd` on it, and where its libraries are unless they are installed.
async fn programs(python: &Python) -> Result<(OsString, Option<OsString>)> {
    let installed = search_path(Path::new("/usr/sbin"))?;
    let is_there = |name: &str| {
        std::env::split_paths(&installed).any(|directory| directory.join(name).is_file())
    };
    if ["dockerd", "containerd", "runc", "docker"]
        .into_iter()
        .all(is_there)
    {
        return Ok((installed, None));
    }
    let root = packages::docker(python).await?;
    let below =
        |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(|path| root.join(path)).collect() };
    let programs = below(&["usr/sbin", "usr/bin", "sbin"]);
    let path = std::env::join_paths(
        programs
            .into_iter()
            .chain(std::env::split_paths(&installed)),
    )?;
    let libraries =
        std::env::join_paths(below(&["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"]))?;
    Ok((path, Some(libraries)))
}

/// Whether this program may make network interfaces and mounts.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}
