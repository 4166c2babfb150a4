//! Where containers can run: the Docker daemon that runs already, or one of our own, which shares
//! nothing with it and ends with this program. Nothing is imported into another daemon, and no
//! other daemon is started or stopped.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use local_stack::{Guarded, GuardedCommand, Python, Toolchain, workspace};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::progress;
use crate::process::search_path;

/// What `sam local invoke` builds on. (Source: the SAM CLI's name for the image of
/// `provided.al2023` on this processor.)
pub const BASE_IMAGE: &str = "public.ecr.aws/lambda/provided:al2023-x86_64";

/// Starts a daemon where no registry is reachable.
const SCRIPT: &str = ".ci/docker-from-packages";
/// A daemon that answers does so at once.
const QUESTION_DEADLINE: Duration = Duration::from_secs(10);
/// Of the script: fetching some 70 MB, starting, and pulling or importing the image.
const OWN_DEADLINE: Duration = Duration::from_secs(600);
/// 50 MB.
const PULL_DEADLINE: Duration = Duration::from_secs(120);

/// A daemon that has the base image.
#[derive(Debug)]
pub struct Docker {
    python: Python,
    /// Where `docker` is looked for.
    search_path: OsString,
    host: String,
    /// This machine, as containers see it.
    pub gateway: IpAddr,
    /// Where the image came from, in words.
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
            search_path: search_path(&[toolchain.sam_directory()])?,
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
        // The address of a daemon in a network of its own, such as a rootless one, is not this
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

    /// A daemon of our own, by `.ci/docker-from-packages`.
    async fn own(toolchain: &Toolchain, directory: &Path) -> Result<Self> {
        ensure!(is_root(), "only root can start one");
        let python = toolchain.python();
        let place = Place::of_this_process();
        // A socket's path may have 107 characters: too few for a directory deep below a checkout.
        let home = std::env::temp_dir().join(&place.bridge);
        let log = directory.join("dockerd.log");
        let errors = std::fs::File::create(&log)?;
        progress("starting a Docker daemon from Debian packages (some minutes the first time)");
        let mut daemon = GuardedCommand::with_last_words(python, python.path())
            .args([workspace::root().join(SCRIPT), workspace::kept_directory()])
            .args([home.as_os_str(), directory.join("docker").as_os_str()])
            .args([
                place.bridge.as_str(),
                &place.address.to_string(),
                BASE_IMAGE,
            ])
            .with(|command| {
                command.stdout(Stdio::piped()).stderr(errors);
            })
            .start()?;
        let ready = daemon.take_stdout().context("no output")?;
        let mut ready = BufReader::new(ready).lines();
        let first = tokio::time::timeout(OWN_DEADLINE, ready.next_line()).await;
        let image_source = match first {
            Ok(Ok(Some(line))) if line == "ready registry" => "from the registry",
            Ok(Ok(Some(_))) => "made from Debian packages, as no registry is reachable",
            _ => {
                daemon.stop().await;
                let printed = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("{}", printed.lines().last().unwrap_or("no answer in time"));
            }
        };
        Ok(Self {
            python: python.clone(),
            search_path: search_path(&[toolchain.sam_directory()])?,
            host: format!("unix://{}/docker.sock", home.display()),
            gateway: place.address,
            image_source,
            own: Some(daemon),
        })
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
    /// In the range for measuring networks (RFC 2544), which is not routed: 16 addresses for each
    /// process number.
    fn of_this_process() -> Self {
        let number = std::process::id();
        let [_, _, third, fourth] = number.wrapping_mul(16).to_be_bytes();
        Self {
            bridge: format!("dv{number}"),
            address: IpAddr::from([198, 18, third, fourth.wrapping_add(1)]),
        }
    }
}

/// Whether this program may make network interfaces and mounts.
fn is_root() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().any(|line| line.starts_with("Uid:\t0\t"))
}
