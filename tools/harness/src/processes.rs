//! The processes that the emulator runs functions in: found through `/proc`, and killed with
//! SIGKILL, as by a machine that fails.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Readings of the system's tables before a connection counts as gone. One takes milliseconds.
const READINGS: u32 = 20;

/// A process of one function of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionProcess {
    pid: Pid,
    /// The function's name as it was deployed.
    pub function: String,
}

impl FunctionProcess {
    /// The process at the other end of a connection from `caller` to `callee`, both on this
    /// machine. Reads the system's tables several times: they change meanwhile, and one reading may
    /// miss an entry.
    pub fn behind(caller: SocketAddr, callee: SocketAddr) -> Option<Self> {
        (0..READINGS).find_map(|_| Self::behind_in_one_reading(caller, callee))
    }

    fn behind_in_one_reading(caller: SocketAddr, callee: SocketAddr) -> Option<Self> {
        let inode = socket(caller, callee)?;
        let link = format!("socket:[{inode}]");
        numbers("/proc").find_map(|pid| {
            let mut files = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
            let owns = files.any(|file| {
                fs::read_link(file.path()).is_ok_and(|target| target == Path::new(&link))
            });
            if owns { Self::of(pid, None) } else { None }
        })
    }

    /// Every process of the functions whose services are at this address.
    pub fn all(endpoint_url: &str) -> Vec<Self> {
        numbers("/proc")
            .filter_map(|pid| Self::of(pid, Some(endpoint_url)))
            .collect()
    }

    fn of(pid: i32, endpoint_url: Option<&str>) -> Option<Self> {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let value = |name: &str| {
            let mut variables = environment
                .split('\0')
                .filter_map(|variable| variable.split_once('='));
            variables
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.to_owned())
        };
        if endpoint_url.is_some() && value("AWS_ENDPOINT_URL").as_deref() != endpoint_url {
            return None;
        }
        Some(Self {
            pid: Pid::from_raw(pid)?,
            function: value("AWS_LAMBDA_FUNCTION_NAME")?,
        })
    }

    /// Kills it. `false` if it was gone already.
    pub fn kill(&self) -> bool {
        kill_process(self.pid, Signal::KILL).is_ok()
    }
}

/// The inode of the socket at `local` that is connected to `remote`. The table has addresses as
/// numbers in the machine's byte order.
fn socket(local: SocketAddr, remote: SocketAddr) -> Option<String> {
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let written = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) => Some(format!(
            "{:08X}:{:04X}",
            u32::from_ne_bytes(ip.octets()),
            address.port()
        )),
        IpAddr::V6(_) => None,
    };
    let (local, remote) = (written(local)?, written(remote)?);
    table.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_it =
            columns.get(1) == Some(&local.as_str()) && columns.get(2) == Some(&remote.as_str());
        is_it
            .then(|| columns.get(9).map(|inode| (*inode).to_owned()))
            .flatten()
    })
}

fn numbers(directory: &str) -> impl Iterator<Item = i32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
