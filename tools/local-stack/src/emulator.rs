//! The AWS emulator: one process on one port of the loopback interface, with its files in the run's
//! directory. It and its function processes end with this value.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;
use url::Url;

use crate::aws::EmulatorClient;
use crate::guard::{Guarded, GuardedCommand};
use crate::toolchain::Toolchain;
use crate::{REGION, environment};

/// The emulator, with the part of Lambda's Extensions API that it lacks.
const SCRIPT: &str = include_str!("../python/emulator.py");

/// It takes about 1 s; the rest is for busy machines.
const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Another program may take a free port before the emulator binds it; then the next one is tried.
const PORT_ATTEMPTS: u8 = 3;
/// How much of the log is quoted when the emulator fails.
const QUOTED_LOG_LINES: usize = 20;

/// How an emulator is started.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Its port; none takes a free one.
    pub port: Option<u16>,
    /// What functions are told to be its address; none: its own.
    pub functions_endpoint: Option<Url>,
    /// Whether it keeps its state between ends and starts. Then its owner removes its directory,
    /// not the guard; or the next run does, if the owner is killed.
    pub keeps_state: bool,
}

/// A running emulator.
#[derive(Debug)]
pub struct Emulator {
    process: Guarded,
    endpoint: Url,
    log: PathBuf,
}

impl Emulator {
    /// Starts it in `directory` and waits until it answers: at most 60 s.
    ///
    /// # Errors
    /// When the given port is taken, or the emulator ends or does not answer; the message quotes
    /// its log.
    pub async fn start(
        toolchain: &Toolchain,
        directory: &Path,
        settings: &Settings,
    ) -> Result<Self> {
        if let Some(port) = settings.port {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .with_context(|| format!("cannot use port {port} of 127.0.0.1"))?;
            return Self::start_on(toolchain, directory, port, settings).await;
        }
        let mut attempt = 1;
        loop {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port();
            match Self::start_on(toolchain, directory, free, settings).await {
                Err(error)
                    if attempt < PORT_ATTEMPTS && format!("{error:#}").contains("in use") =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn start_on(
        toolchain: &Toolchain,
        directory: &Path,
        port: u16,
        settings: &Settings,
    ) -> Result<Self> {
        let endpoint = Url::parse(&format!("http://{}:{port}/", Ipv4Addr::LOCALHOST))?;
        let log = directory.join("emulator.log");
        let output = std::fs::File::create(&log)?;
        let errors = output.try_clone()?;
        let private = |name: &str| directory.join(name);
        let temporary = private("temporary");
        std::fs::create_dir_all(&temporary)?;

        let functions_endpoint = settings.functions_endpoint.as_ref().unwrap_or(&endpoint);
        let keeps_state = if settings.keeps_state { "1" } else { "0" };
        let command = if settings.keeps_state {
            GuardedCommand::with_last_words(toolchain.python(), toolchain.emulator_python())
        } else {
            GuardedCommand::removing(toolchain.python(), directory, toolchain.emulator_python())
        };
        let process = command
            .args(["-c", SCRIPT])
            .with(|command| {
                // Function processes inherit this environment, and in AWS they would see nothing of
                // the caller's either.
                environment::clear(command, directory);
                command
                    .current_dir(directory)
                    .env("GATEWAY_PORT", port.to_string())
                    .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
                    // The host in the URLs that it hands out. An address, because *.localhost does
                    // not resolve everywhere, and because the SDK addresses buckets by path when
                    // the host is one.
                    .env("MINISTACK_HOST", Ipv4Addr::LOCALHOST.to_string())
                    .env("MINISTACK_REGION", REGION)
                    // It passes this on to the functions, even against the template.
                    .env(
                        "AWS_ENDPOINT_URL",
                        functions_endpoint.as_str().trim_end_matches('/'),
                    )
                    .env("PERSIST_STATE", keeps_state)
                    .env("S3_PERSIST", keeps_state)
                    .env("LAMBDA_EXECUTOR", "local")
                    // What functions get as credentials. In AWS there is always a session, so here
                    // is one, too.
                    .env("AWS_SECRET_ACCESS_KEY", "test")
                    .env("AWS_SESSION_TOKEN", "test")
                    .env("TMPDIR", &temporary)
                    .env("STATE_DIR", private("state"))
                    .env("S3_DATA_DIR", private("s3"))
                    // Listeners on fixed ports that nothing here needs.
                    .env("IOT_MTLS_ENABLED", "0")
                    .env("SFTP_ENABLED", "0")
                    .stdout(output)
                    .stderr(errors);
            })
            .start()?;
        let mut emulator = Self {
            process,
            endpoint,
            log,
        };
        emulator.wait_until_healthy().await?;
        Ok(emulator)
    }

    async fn wait_until_healthy(&mut self) -> Result<()> {
        let client = self.client()?;
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let healthy = client.is_healthy().await;
            // In this order: another program may answer on the port that this one could not get.
            if !self.process.is_running() {
                bail!("the emulator ended at once:\n{}", self.log_tail());
            }
            if healthy {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the emulator did not answer in time:\n{}", self.log_tail());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Where every service answers: `http://127.0.0.1:<port>/`.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// A client of this emulator.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn client(&self) -> Result<EmulatorClient> {
        EmulatorClient::new(self.endpoint.clone())
    }

    /// Returns an error when the emulator ends by itself. May be given up and called again.
    ///
    /// # Errors
    /// Always; the message quotes the log.
    pub async fn failed(&mut self) -> Result<std::convert::Infallible> {
        let status = self.process.wait().await?;
        // The directory, and the log in it, are gone with the process.
        bail!("the emulator ended unexpectedly ({status})");
    }

    /// The end of its log, for messages. Function output is in it.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines
            .get(lines.len().saturating_sub(QUOTED_LOG_LINES)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Ends it and waits until nothing of it is left.
    pub async fn stop(self) {
        self.process.stop().await;
    }
}
