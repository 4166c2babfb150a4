//! Checks whose servers files may be fetched from.

use std::collections::BTreeSet;

use adapters::{ArchivedCallback, S3CallbackArchive, read_callback};
use url::Url;
use verification::ports::StoreUnavailable;

use super::Check;
use crate::commands::Context;

const NAME: &str = "file origins";

/// Names under which anybody can have a server or a bucket.
const RENTED: [&str; 8] = [
    "amazonaws.com",
    "amazonaws.com.cn",
    "backblazeb2.com",
    "cloudflarestorage.com",
    "cloudfront.net",
    "digitaloceanspaces.com",
    "googleapis.com",
    "windows.net",
];

/// Callbacks whose links are looked at, the newest.
const MOST: usize = 10;

pub async fn check(context: &Context<'_>) -> Check {
    let checked = async {
        let parameter = context.stack.parameter("FileOrigins")?;
        let shared: Vec<&str> = parameter
            .split(',')
            .filter(|entry| is_shared(entry))
            .collect();
        if shared.is_empty() {
            return Ok(Check::ok(NAME, "no server that strangers can rent"));
        }
        // Who may not read the archive gets the advice without a proposal.
        let proposed = proposed(&context.archive()?).await.unwrap_or_default();
        Ok(judge(&shared, &proposed))
    };
    Check::from(NAME, checked.await)
}

fn judge(shared: &[&str], proposed: &BTreeSet<String>) -> Check {
    let found = format!(
        "strangers can put files on {} too: who has a signing key can have those fetched",
        shared.join(", ")
    );
    let proposed: Vec<&str> = proposed.iter().map(String::as_str).collect();
    let advice = match proposed.as_slice() {
        [] => "narrow FileOrigins once a callback shows where iDenfy's links lead".to_owned(),
        proposed => format!(
            "deploy with FileOrigins={}, which is where the newest callbacks' links lead, if that \
             is iDenfy's",
            proposed.join(",")
        ),
    };
    Check::warning(NAME, found, advice)
}

/// Whether an entry of the parameter fits buckets or servers of strangers.
fn is_shared(entry: &str) -> bool {
    let plain = entry.replacen("://*.", "://", 1);
    let Ok(url) = Url::parse(&plain) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let is_rented = RENTED.iter().any(|name| is_at_or_below(host, name));
    is_rented && (plain != entry || (has_bucket_in_path(host) && url.path() == "/"))
}

fn is_at_or_below(host: &str, name: &str) -> bool {
    let labels = host.strip_suffix(name);
    labels.is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
}

/// Whether one host serves all buckets: `s3.<region>.amazonaws.com`, `storage.googleapis.com`.
fn has_bucket_in_path(host: &str) -> bool {
    host.starts_with("s3.") || host.starts_with("s3-") || host == "storage.googleapis.com"
}

/// The narrowest entries that the links of the newest archived callbacks fit.
async fn proposed(archive: &S3CallbackArchive) -> Result<BTreeSet<String>, StoreUnavailable> {
    let mut callbacks = archive.list(None, None).await?.callbacks;
    callbacks.retain(|callback| callback.scan_ref.is_some());
    callbacks.sort_by_key(|callback| std::cmp::Reverse(callback.kept_at));
    let mut proposed = BTreeSet::new();
    for callback in callbacks.iter().take(MOST) {
        proposed.extend(entries_for(archive, callback).await?);
    }
    Ok(proposed)
}

async fn entries_for(
    archive: &S3CallbackArchive,
    callback: &ArchivedCallback,
) -> Result<Vec<String>, StoreUnavailable> {
    let body = archive
        .verified(callback.scan_ref.as_ref(), &callback.digest)
        .await?;
    let content = body.and_then(|body| read_callback(&body).ok());
    let links = content.into_iter().flat_map(|content| content.links);
    let links = links.flat_map(|(_, links)| links);
    Ok(links.filter_map(|link| narrowest(link.expose())).collect())
}

/// Without what follows the bucket: a link opens a document.
fn narrowest(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    let origin = url.origin();
    let bucket = url.path_segments()?.next()?;
    let origin_text = origin.ascii_serialization();
    Some(match url.host_str().is_some_and(has_bucket_in_path) {
        true => format!("{origin_text}/{bucket}/"),
        false => origin_text,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn what_strangers_can_rent_is_shared() {
        for shared in [
            "https://s3.eu-west-1.amazonaws.com",
            "https://s3-eu-west-1.amazonaws.com/",
            "https://*.s3.eu-west-1.amazonaws.com",
            "https://*.amazonaws.com/folder/",
            "https://*.cloudfront.net",
            "https://storage.googleapis.com",
        ] {
            assert!(is_shared(shared), "{shared}");
        }
        for own in [
            "https://s3.eu-west-1.amazonaws.com/their-bucket/",
            "https://their-bucket.s3.eu-west-1.amazonaws.com",
            "https://d111111abcdef8.cloudfront.net",
            "https://*.files.example",
            "https://files.example",
            "https://*.notamazonaws.com",
            "http://127.0.0.1:9000",
        ] {
            assert!(!is_shared(own), "{own}");
        }
    }

    #[test]
    fn a_proposal_names_the_bucket_and_nothing_of_the_document() {
        for (link, entry) in [
            (
                "https://s3.eu-west-1.amazonaws.com/bucket/a/b.jpg?X-Amz-Signature=1",
                "https://s3.eu-west-1.amazonaws.com/bucket/",
            ),
            (
                "https://bucket.s3.eu-west-1.amazonaws.com/a/b.jpg?X-Amz-Signature=1",
                "https://bucket.s3.eu-west-1.amazonaws.com",
            ),
            (
                "https://files.example:8443/a?b",
                "https://files.example:8443",
            ),
        ] {
            assert_eq!(narrowest(link).as_deref(), Some(entry));
        }
        let entry = "https://files.example".to_owned();
        let check = judge(&["https://*.s3.eu-west-1.amazonaws.com"], &[entry].into());
        assert_eq!(check.result, Health::Warning);
        let advice = check.advice.unwrap();
        assert!(
            advice.contains("FileOrigins=https://files.example,"),
            "{advice}"
        );
    }
}
