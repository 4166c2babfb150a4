//! Lets containers reach what listens on this machine's loopback interface only: a relay at the
//! address of their bridge, and nowhere else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

/// A relay of one port. Dropping it ends it and its connections.
#[derive(Debug)]
pub struct Relay(AbortHandle);

impl Relay {
    /// Relays `port` at `address` to the same port of 127.0.0.1.
    ///
    /// # Errors
    /// The address is not this machine's, or the port is taken there.
    pub async fn start(address: IpAddr, port: u16) -> Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(address, port))
            .await
            .with_context(|| {
                format!("cannot listen on {address}, where containers would reach port {port}")
            })?;
        Ok(Self(tokio::spawn(relay(listener, port)).abort_handle()))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn relay(listener: TcpListener, port: u16) {
    // Aborting this task drops the set, and with it every connection.
    let mut connections = JoinSet::new();
    while let Ok((mut inbound, _)) = listener.accept().await {
        connections.spawn(async move {
            if let Ok(mut outbound) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // A connection that breaks is seen by both ends.
                drop(copy_bidirectional(&mut inbound, &mut outbound).await);
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    /// Another address of the loopback interface stands for the bridge's.
    const BRIDGE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

    async fn echo() -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await.unwrap();
            }
        });
        port
    }

    #[tokio::test]
    async fn what_is_sent_to_the_bridge_comes_back() {
        let port = echo().await;
        let relay = Relay::start(BRIDGE, port).await.unwrap();
        let mut stream = TcpStream::connect((BRIDGE, port)).await.unwrap();
        stream.write_all(b"there and back").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer, b"there and back");
        drop(relay);
    }

    #[tokio::test]
    async fn a_relay_that_is_dropped_ends_its_connections() {
        let port = echo().await;
        let relay = Relay::start(BRIDGE, port).await.unwrap();
        let mut stream = TcpStream::connect((BRIDGE, port)).await.unwrap();
        stream.write_all(b"x").await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
        drop(relay);
        let ended = tokio::time::timeout(DEADLINE, stream.read_u8())
            .await
            .unwrap();
        assert!(ended.is_err());
    }
}
