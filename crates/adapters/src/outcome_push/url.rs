//! The application's address.

use std::str::FromStr;

use url::Url;

/// Where outcomes are posted: https, or http on this machine.
///
/// The deployer chooses it, so it may be a private address. Nobody else can change it. It is not
/// printed: its query may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct PushUrl(Url);

/// The text is no such address. Shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPushUrl {
    #[error("not a URL")]
    NotAUrl,
    #[error("not https; http is for localhost, 127.0.0.1 and host.docker.internal alone")]
    NotHttps,
    #[error("a user name or password is in it")]
    Credentials,
}

/// The hosts of tests and emulators.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "host.docker.internal"];

impl PushUrl {
    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for PushUrl {
    type Err = InvalidPushUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url: Url = text.parse().map_err(|_| InvalidPushUrl::NotAUrl)?;
        let is_local = url.host_str().is_some_and(|host| LOCAL.contains(&host));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(InvalidPushUrl::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidPushUrl::Credentials);
        }
        Ok(Self(url))
    }
}

impl std::fmt::Debug for PushUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PushUrl(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_taken_and_http_on_this_machine() {
        for text in [
            "https://shop.example.com/outcomes",
            "https://10.0.0.7:8443/a?key=hidden",
            "http://127.0.0.1:8080/",
            "http://localhost/outcomes",
        ] {
            let url: PushUrl = text.parse().unwrap();
            assert!(!format!("{url:?}").contains("hidden"));
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for (text, why) in [
            ("", InvalidPushUrl::NotAUrl),
            ("/outcomes", InvalidPushUrl::NotAUrl),
            ("http://shop.example.com/", InvalidPushUrl::NotHttps),
            ("http://127.0.0.1.example.com/", InvalidPushUrl::NotHttps),
            ("ftp://localhost/", InvalidPushUrl::NotHttps),
            ("https://user@example.com/", InvalidPushUrl::Credentials),
            ("https://:word@example.com/", InvalidPushUrl::Credentials),
        ] {
            assert_eq!(text.parse::<PushUrl>().unwrap_err(), why, "{text}");
        }
    }
}
