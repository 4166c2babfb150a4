//! Where files may be fetched from.

use url::Url;

use self::included::FileOrigins;

/// Included as it is: its crate needs the whole AWS SDK.
#[rustfmt::skip]
#[path = "../../crates/adapters/src/s3/origins.rs"]
mod included;

/// The first line is the list, the second a link.
pub(crate) fn origins(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (list, link) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(origins) = list.parse::<FileOrigins>() else {
        return;
    };
    let entries: Vec<Entry> = list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(Entry::read)
        .collect();
    assert!(!entries.is_empty());
    let Ok(link) = link.parse::<Url>() else {
        return;
    };
    let place = Place::of(link.as_str());
    let is_listed = place
        .as_ref()
        .is_some_and(|place| entries.iter().any(|entry| entry.has(place, link.path())));
    assert_eq!(origins.allow(&link), is_listed, "{list:?} {link}");
    if is_listed {
        let place = place.unwrap();
        assert!(
            place.scheme == "https" || is_this_machine(&place.host),
            "{place:?}"
        );
    }
}

/// What stands before a link's path.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    scheme: String,
    host: String,
    port: u16,
}

impl Place {
    /// Of a link as it is sent: lower case, no default port, no white space.
    fn of(link: &str) -> Option<Self> {
        let (scheme, rest) = link.split_once("://")?;
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        if authority.contains('@') {
            return None;
        }
        let default = match scheme {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, default),
        };
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
        })
    }
}

/// One entry of the list.
struct Entry {
    place: Place,
    is_wildcard: bool,
    folder: String,
}

impl Entry {
    fn read(entry: &str) -> Self {
        let is_wildcard = entry.contains("://*.");
        let plain = entry.replacen("://*.", "://", 1);
        let url: Url = plain.parse().expect("what was taken is an address");
        assert!(url.password().is_none(), "{entry:?} has a password");
        let place = Place::of(url.as_str()).expect("what was taken has a host and no user");
        assert!(place.scheme == "https" || is_this_machine(&place.host));
        assert!(!place.host.is_empty() && !place.host.contains('*'));
        assert!(
            url.path().ends_with('/') && url.query().is_none() && url.fragment().is_none(),
            "{entry:?}"
        );
        if is_wildcard {
            // A full stop at the end is not one between labels.
            let name = place.host.trim_end_matches('.');
            assert!(name.contains('.'), "{entry:?} allows too much");
            let last = place.host.trim_end_matches('.').rsplit('.').next().unwrap();
            let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
            let is_address = is_number || last.ends_with(']');
            assert!(!is_address, "{entry:?} is no name");
        }
        Self {
            place,
            is_wildcard,
            folder: url.path().to_owned(),
        }
    }

    fn has(&self, place: &Place, path: &str) -> bool {
        let is_host = if self.is_wildcard {
            place.host.ends_with(&format!(".{}", self.place.host))
                && place.host.len() > self.place.host.len() + 1
        } else {
            place.host == self.place.host
        };
        let is_in_folder = self.folder == "/"
            || (path.starts_with(&self.folder) && !has_parent_segment(path.as_bytes()));
        is_host
            && is_in_folder
            && place.scheme == self.place.scheme
            && place.port == self.place.port
    }
}

/// Whether `..` stands between slashes, once everything is decoded that can be.
fn has_parent_segment(path: &[u8]) -> bool {
    let mut bytes = path.to_vec();
    // The last escape first: what it becomes may complete one before it.
    for at in (0..bytes.len()).rev() {
        while let Some([b'%', high, low]) = bytes.get(at..at + 3) {
            let byte = match (high, low.to_ascii_lowercase()) {
                (b'2', b'5') => b'%',
                (b'2', b'e') => b'.',
                (b'2', b'f') => b'/',
                (b'5', b'c') => b'/',
                _ => break,
            };
            bytes.splice(at..at + 3, [byte]);
        }
    }
    bytes.split(|byte| *byte == b'/').any(|part| part == b"..")
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "host.docker.internal"
        || host.starts_with("127.")
        || host == "[::1]"
}
