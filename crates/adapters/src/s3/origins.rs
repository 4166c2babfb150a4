//! Servers that files may be fetched from.
//!
//! Links come from outside, so even a signed callback's are followed only to origins that the team
//! names. A leaked signing key then opens no way to other servers.

use std::str::FromStr;

use url::{Host, Url};

/// Origins: scheme, host (a leading `*.` for any sub-domain), port, and optionally a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOrigins(Vec<Origin>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: HostPattern,
    port: u16,
    /// Begins and ends with a slash. `/`: any.
    folder: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Exactly(String),
    /// Any sub-domain of this name.
    Below(String),
}

/// Why a text is not a [`FileOrigins`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    #[error("no origin is named")]
    None,
    #[error(
        "'{0}' is not an origin: scheme and host, with an optional leading '*.', \
         an optional port, and an optional folder that ends with a slash"
    )]
    Malformed(String),
    #[error("'{0}' must use https; http is for this machine only")]
    NotEncrypted(String),
}

impl FileOrigins {
    /// Whether `link` leads to one of the origins. Credentials in a link never do.
    pub fn allow(&self, link: &Url) -> bool {
        let (Some(host), Some(port)) = (link.host_str(), link.port_or_known_default()) else {
            return false;
        };
        if !link.username().is_empty() || link.password().is_some() {
            return false;
        }
        self.0.iter().any(|origin| {
            origin.scheme == link.scheme()
                && origin.port == port
                && match &origin.host {
                    HostPattern::Exactly(name) => name == host,
                    HostPattern::Below(name) => host
                        .strip_suffix(name)
                        .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.')),
                }
                && origin.covers(link.path())
        })
    }
}

impl FromStr for FileOrigins {
    type Err = InvalidOrigin;

    /// Reads a list such as `https://*.files.example:8443,https://shared.example/bucket/`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let origins = entries
            .map(Origin::from_str)
            .collect::<Result<Vec<_>, _>>()?;
        if origins.is_empty() {
            Err(InvalidOrigin::None)
        } else {
            Ok(Self(origins))
        }
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || InvalidOrigin::Malformed(text.to_owned());
        let (plain, is_wildcard) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url: Url = plain.parse().map_err(|_| malformed())?;
        let folder = url.path().to_owned();
        let is_bare = folder.ends_with('/')
            && !folder.contains("//")
            && !climbs(&folder)
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let (Some(host), Some(port), true) = (url.host(), url.port_or_known_default(), is_bare)
        else {
            return Err(malformed());
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_this_machine(&host)) {
            return Err(InvalidOrigin::NotEncrypted(text.to_owned()));
        }
        // `*.` before an address, or a single label such as `com`, would allow everything or
        // nothing.
        let labels = |name: &str| name.split('.').filter(|label| !label.is_empty()).count();
        let is_name_below = matches!(&host, Host::Domain(name) if labels(name) > 1);
        let host = host.to_string();
        if host.contains('*') {
            return Err(malformed());
        }
        let host = match (is_wildcard, is_name_below) {
            (false, _) => HostPattern::Exactly(host),
            (true, true) => HostPattern::Below(host),
            (true, false) => return Err(malformed()),
        };
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host,
            port,
            folder,
        })
    }
}

impl Origin {
    /// `path` has no dot segments: a parsed link never has.
    fn covers(&self, path: &str) -> bool {
        self.folder == "/" || (path.starts_with(&self.folder) && !climbs(path))
    }
}

/// Whether a server that decodes a path, once or several times, could find a way out of a folder.
fn climbs(path: &str) -> bool {
    let mut decoded = path.to_ascii_lowercase();
    while decoded.contains("%25") {
        decoded = decoded.replace("%25", "%");
    }
    let decoded = decoded.replace("%2e", ".");
    let decoded = decoded.replace("%2f", "/").replace("%5c", "/");
    decoded.split('/').any(|segment| segment == "..")
}

/// Emulators and stand-ins on this machine, also seen from a container.
pub(crate) fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            *name == "localhost" || name.ends_with(".localhost") || *name == "host.docker.internal"
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &str, link: &str) -> bool {
        origins
            .parse::<FileOrigins>()
            .unwrap()
            .allow(&link.parse().unwrap())
    }

    #[test]
    fn entries_that_would_allow_everything_are_refused() {
        for entry in [
            "https://*.com",
            "https://*.com.",
            "https://*..",
            "https://:password@files.example",
            "https://user@files.example",
        ] {
            assert!(entry.parse::<FileOrigins>().is_err(), "{entry}");
        }
    }

    #[test]
    fn scheme_host_and_port_must_all_be_right() {
        let origins = "https://files.example, https://other.example:8443";
        assert!(allowed(
            origins,
            "https://files.example/a/b?X-Amz-Signature=1"
        ));
        assert!(allowed(origins, "https://FILES.example:443/a"));
        assert!(allowed(origins, "https://other.example:8443/a"));
        for link in [
            "http://files.example/a",
            "https://files.example:8443/a",
            "https://other.example/a",
            "https://files.example.evil.example/a",
            "https://evilfiles.example/a",
            "https://sub.files.example/a",
            "https://user:password@files.example/a",
            "ftp://files.example/a",
            "file:///etc/passwd",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(!allowed(origins, link), "{link}");
        }
    }

    #[test]
    fn a_wildcard_stands_for_at_least_one_label() {
        let origins = "https://*.files.example";
        assert!(allowed(origins, "https://bucket.files.example/a"));
        assert!(allowed(origins, "https://a.b.files.example/a"));
        for link in [
            "https://files.example/a",
            "https://evilfiles.example/a",
            "https://.files.example/a",
        ] {
            assert!(
                !link
                    .parse::<Url>()
                    .is_ok_and(|link| origins.parse::<FileOrigins>().unwrap().allow(&link)),
                "{link}"
            );
        }
    }

    #[test]
    fn a_folder_is_not_left() {
        let origins = "https://shared.example/bucket/, https://*.other.example/a/b/";
        for link in [
            "https://shared.example/bucket/a.jpg?X-Amz-Signature=1",
            "https://shared.example/bucket/a/../b%2Fc..jpg",
            "https://x.other.example/a/b/c",
        ] {
            assert!(allowed(origins, link), "{link}");
        }
        for link in [
            "https://shared.example/",
            "https://shared.example/bucket",
            "https://shared.example/bucket-of-another/a.jpg",
            "https://shared.example/BUCKET/a.jpg",
            "https://shared.example/bucket/../another/a.jpg",
            "https://shared.example/bucket/%2e%2e/another/a.jpg",
            "https://shared.example/bucket/..%2Fanother/a.jpg",
            "https://shared.example/bucket/..%5canother/a.jpg",
            "https://shared.example/bucket/%252e%252e%252fanother/a.jpg",
            "https://shared.example/bucket/%25252e%25252e%25252fanother/a.jpg",
            "https://x.other.example/a/",
        ] {
            assert!(!allowed(origins, link), "{link}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        assert!(allowed("http://127.0.0.1:9000", "http://127.0.0.1:9000/a"));
        assert!(allowed("http://localhost:9000", "http://localhost:9000/a"));
        let error = |text: &str| text.parse::<FileOrigins>().unwrap_err();
        assert_eq!(
            error("http://files.example"),
            InvalidOrigin::NotEncrypted("http://files.example".to_owned())
        );
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let error = |text: &str| text.parse::<FileOrigins>().unwrap_err();
        assert_eq!(error(" , "), InvalidOrigin::None);
        for bad in [
            "files.example",
            "https://",
            "https://a.example/path",
            "https://a.example/folder//",
            "https://a.example/..%2F/",
            "https://*.com",
            "https://*",
            "https://a.example?x=1",
        ] {
            assert_eq!(
                error(bad),
                InvalidOrigin::Malformed(bad.to_owned()),
                "{bad}"
            );
        }
    }
}
