//! Files from links into the bucket, from a server whose bytes the test chooses.

use std::sync::Arc;
use std::time::Duration;

use adapters::{FileOrigins, S3Documents, SystemClock};
use harness::{Answer, FileServer, Stack, pictures};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use verification::document::{FileType, PlannedDocument, StoredDocument};
use verification::file_number::FileNumber;
use verification::identifiers::{Digest256, ScanRef, Side, UploadId};
use verification::observation::Observation;
use verification::ports::{CaptureError, Clock, Documents};
use verification::secret::FileLink;

use super::{Notes, new_scan_ref};

struct Bucket {
    stack: Stack,
    documents: S3Documents,
    notes: Arc<Notes>,
    first: ScanRef,
}

impl Bucket {
    /// The stack's bucket, and files from these servers only.
    async fn taking_from(servers: &[&FileServer]) -> Self {
        let stack = Stack::shared().await.unwrap();
        let origins: Vec<&str> = servers
            .iter()
            .map(|server| server.origin.as_str())
            .collect();
        let origins: FileOrigins = origins.join(",").parse().unwrap();
        let notes = Arc::new(Notes::default());
        let documents = S3Documents::new(
            &stack.sdk,
            &stack.description.document_bucket,
            stack.http.clone(),
            origins,
            Arc::new(SystemClock),
            notes.clone(),
        );
        Self {
            stack,
            documents,
            notes,
            first: new_scan_ref(),
        }
    }

    async fn capture(&self, link: &str) -> Result<StoredDocument, CaptureError> {
        self.capture_within(Duration::from_secs(30), link).await
    }

    async fn capture_within(
        &self,
        budget: Duration,
        link: &str,
    ) -> Result<StoredDocument, CaptureError> {
        let planned = PlannedDocument {
            step: "SECOND_DOC".parse().unwrap(),
            file: FileNumber::FIRST,
            side: Some(Side::Front),
        };
        let until = SystemClock.now().plus(budget);
        self.documents
            .capture(
                &self.first,
                &upload(),
                &planned,
                &FileLink::new(link),
                until,
            )
            .await
    }

    async fn objects(&self) -> Vec<String> {
        let objects = self
            .stack
            .objects(&format!("documents/{}/", self.first))
            .await
            .unwrap();
        objects.into_iter().map(|object| object.key).collect()
    }
}

/// What is said of a file that is not captured.
fn why(captured: Result<StoredDocument, CaptureError>) -> &'static str {
    match captured.expect_err("the file is not captured") {
        CaptureError::Refused(reason) => reason.as_str(),
        CaptureError::LinkDead => "dead",
        CaptureError::Truncated => "truncated",
        CaptureError::NotAFile => "not a file",
        CaptureError::Unavailable(_) => "unavailable",
    }
}

async fn why_not(answer: Answer) -> &'static str {
    let server = FileServer::start(answer).await.unwrap();
    let bucket = Bucket::taking_from(&[&server]).await;
    let why = why(bucket.capture(&server.link()).await);
    assert!(
        bucket.objects().await.is_empty(),
        "nothing half-written stays: {why}"
    );
    assert!(
        bucket.notes.0.lock().unwrap().is_empty(),
        "nothing is counted: {why}"
    );
    why
}

fn upload() -> UploadId {
    UploadId::of(&Digest256::of(b"callback"))
}

#[tokio::test]
async fn a_file_is_stored_as_it_is_and_described_by_its_bytes() {
    for (file, file_type, extension) in [
        (pictures::jpeg(1), None, ""),
        (pictures::jpeg(100_001), Some(FileType::Jpeg), "jpg"),
        (pictures::png(8), Some(FileType::Png), "png"),
        (pictures::pdf(3_000_000), Some(FileType::Pdf), "pdf"),
        (
            pictures::starting_with(b"\n\n%PDF-1.4", 2_000),
            Some(FileType::Pdf),
            "pdf",
        ),
        (
            pictures::starting_with(b"RIFF\x10\0\0\0WEBPVP8 ", 9_000),
            Some(FileType::Webp),
            "webp",
        ),
        (
            pictures::starting_with(b"\0\0\0\x18ftypheic", 9_000),
            Some(FileType::Heic),
            "heic",
        ),
    ] {
        let server = FileServer::start(Answer::file(file.clone())).await.unwrap();
        let bucket = Bucket::taking_from(&[&server]).await;
        let captured = bucket
            .capture(&format!(
                "{}?X-Amz-Date=20261123T080103Z&X-Amz-Expires=3600",
                server.link()
            ))
            .await;
        let Some(file_type) = file_type else {
            assert_eq!(why(captured), "FileTypeNotAccepted");
            continue;
        };
        let stored = captured.unwrap();
        assert_eq!(stored.file_type, file_type);
        assert_eq!(stored.bytes, file.len() as u64);
        assert_eq!(stored.sha256, Digest256::of(&file));
        let key = format!(
            "documents/{}/{}/SECOND_DOC.{extension}",
            bucket.first,
            upload()
        );
        assert_eq!(bucket.objects().await, [key.as_str()]);
        assert_eq!(bucket.stack.object(&key).await.unwrap(), file);
        let notes = bucket.notes.0.lock().unwrap();
        let [
            Observation::FileCaptured {
                bytes,
                link_time_left: Some(_),
                ..
            },
        ] = notes.as_slice()
        else {
            panic!("{notes:?}")
        };
        assert_eq!(*bytes, file.len() as u64);
    }
}

#[tokio::test]
async fn a_second_capture_describes_the_first_and_changes_nothing() {
    let (one, other) = (pictures::jpeg(5_000), pictures::jpeg(6_000));
    let (server, another) = (
        FileServer::start(Answer::file(one.clone())).await.unwrap(),
        FileServer::start(Answer::file(other)).await.unwrap(),
    );
    let bucket = Bucket::taking_from(&[&server, &another]).await;
    let stored = bucket.capture(&server.link()).await.unwrap();
    assert_eq!(bucket.capture(&another.link()).await.unwrap(), stored);
    assert_eq!(stored.sha256, Digest256::of(&one));
    assert_eq!(
        bucket
            .stack
            .object(&bucket.objects().await[0])
            .await
            .unwrap(),
        one
    );
    assert_eq!(
        bucket.notes.0.lock().unwrap().len(),
        1,
        "one file is counted once"
    );
}

/// S3 may refuse a write before it has read the body, and close the connection.
#[tokio::test]
async fn a_copy_that_is_there_is_found_although_the_bucket_hangs_up() {
    let file = pictures::jpeg(14_000_000);
    let server = FileServer::start(Answer::file(file.clone())).await.unwrap();
    let bucket = Bucket::taking_from(&[&server]).await;
    let endpoint = hasty_bucket(file.clone()).await;
    let sdk = bucket.stack.sdk.clone().into_builder();
    let documents = S3Documents::new(
        &sdk.endpoint_url(endpoint).build(),
        &bucket.stack.description.document_bucket,
        bucket.stack.http.clone(),
        server.origin.parse().unwrap(),
        Arc::new(SystemClock),
        bucket.notes.clone(),
    );
    let bucket = Bucket {
        documents,
        ..bucket
    };
    for _ in 0..20 {
        let stored = bucket.capture(&server.link()).await.unwrap();
        assert_eq!(stored.sha256, Digest256::of(&file));
    }
}

/// Has one object, and refuses to overwrite it as soon as it has read a request's head.
async fn hasty_bucket(object: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let object = Arc::new(object);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let object = object.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(connection.read_u8().await?);
                }
                let (status, body): (_, &[u8]) = match head.starts_with(b"PUT ") {
                    true => (
                        "412 Precondition Failed",
                        b"<Error><Code>PreconditionFailed</Code></Error>",
                    ),
                    false => ("200 OK", &object),
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
                );
                connection.write_all(answer.as_bytes()).await?;
                connection.write_all(body).await
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn captures_at_the_same_time_agree_on_what_is_there() {
    let servers = [
        FileServer::start(Answer::file(pictures::png(700_000)))
            .await
            .unwrap(),
        FileServer::start(Answer::file(pictures::png(800_000)))
            .await
            .unwrap(),
    ];
    let bucket = Bucket::taking_from(&[&servers[0], &servers[1]]).await;
    let links = [
        servers[0].link(),
        servers[1].link(),
        servers[0].link(),
        servers[1].link(),
    ];
    let captured =
        futures_util::future::join_all(links.iter().map(|link| bucket.capture(link))).await;
    let there = bucket
        .stack
        .object(&bucket.objects().await[0])
        .await
        .unwrap();
    for stored in captured {
        let stored = stored.unwrap();
        assert_eq!(
            (stored.bytes, stored.sha256),
            (there.len() as u64, Digest256::of(&there))
        );
    }
}

#[tokio::test]
async fn files_that_are_not_as_promised_are_not_stored() {
    let file = pictures::jpeg(50_000);
    assert_eq!(
        why_not(Answer::promising(50_001, file.clone())).await,
        "truncated"
    );
    assert_eq!(
        why_not(Answer::promising(5_000_000, file.clone())).await,
        "truncated"
    );
    assert_eq!(
        why_not(Answer::promising(50_000, Vec::new())).await,
        "truncated"
    );
    let without_length = Answer {
        head: "HTTP/1.1 200 OK\r\n".to_owned(),
        body: file.clone(),
    };
    assert_eq!(why_not(without_length).await, "not a file");
    let partial = Answer {
        head: "HTTP/1.1 206 Partial Content\r\nContent-Length: 50000\r\n".to_owned(),
        body: file,
    };
    assert_eq!(why_not(partial).await, "not a file");
    assert_eq!(why_not(Answer::empty(204, "")).await, "not a file");
}

/// A body in two chunks, with or without the final one.
fn in_pieces(file: &[u8], ends: bool) -> Answer {
    let mut body = Vec::new();
    for piece in file.chunks(file.len().div_ceil(2)) {
        body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        body.extend_from_slice(piece);
        body.extend_from_slice(b"\r\n");
    }
    if ends {
        body.extend_from_slice(b"0\r\n\r\n");
    }
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n".to_owned();
    Answer { head, body }
}

#[tokio::test]
async fn a_file_without_a_length_is_stored_whole_or_not_at_all() {
    let file = pictures::jpeg(300_000);
    let server = FileServer::start(in_pieces(&file, true)).await.unwrap();
    let bucket = Bucket::taking_from(&[&server]).await;
    let stored = bucket.capture(&server.link()).await.unwrap();
    assert_eq!(
        (stored.bytes, stored.sha256),
        (300_000, Digest256::of(&file))
    );
    assert_eq!(
        bucket
            .stack
            .object(&bucket.objects().await[0])
            .await
            .unwrap(),
        file
    );
    assert_eq!(why_not(in_pieces(&file, false)).await, "truncated");
    assert_eq!(
        why_not(in_pieces(&pictures::jpeg(30_000_001), true)).await,
        "FileTooLarge"
    );
}

#[tokio::test]
async fn files_that_can_never_be_submitted_are_refused() {
    assert_eq!(why_not(Answer::file(Vec::new())).await, "FileEmpty");
    // Known by its length alone; the server has nothing to send.
    assert_eq!(
        why_not(Answer::promising(30_000_001, Vec::new())).await,
        "FileTooLarge"
    );
    // A PDF cannot be made smaller: it must be small from the start.
    assert_eq!(
        why_not(Answer::file(pictures::pdf(14_990_001))).await,
        "FileTooLarge"
    );
    for start in [
        &b"RIFF\x10\0\0\0WAVEfmt "[..],
        b"GIF89a",
        b"<html>",
        b"\0\0\0\x18ftypisom",
    ] {
        assert_eq!(
            why_not(Answer::file(pictures::starting_with(start, 9_000))).await,
            "FileTypeNotAccepted"
        );
    }
    let hidden = [vec![b' '; 1_024], b"%PDF-1.7".to_vec()].concat();
    assert_eq!(why_not(Answer::file(hidden)).await, "FileTypeNotAccepted");
}

#[tokio::test]
async fn an_answer_tells_a_dead_link_from_a_busy_server() {
    for status in [400, 401, 403, 404, 410] {
        assert_eq!(why_not(Answer::empty(status, "")).await, "dead", "{status}");
    }
    for status in [408, 429, 500, 502, 503, 504] {
        assert_eq!(
            why_not(Answer::empty(status, "")).await,
            "unavailable",
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_followed_to_allowed_origins_only() {
    let file = pictures::jpeg(10_000);
    let target = FileServer::start(Answer::file(file.clone())).await.unwrap();
    let redirecting = FileServer::start(Answer::empty(
        307,
        &format!("Location: {}\r\n", target.link()),
    ))
    .await
    .unwrap();

    let trusting = Bucket::taking_from(&[&redirecting, &target]).await;
    assert_eq!(
        trusting.capture(&redirecting.link()).await.unwrap().sha256,
        Digest256::of(&file)
    );
    assert_eq!(target.heard(), 1);

    let wary = Bucket::taking_from(&[&redirecting]).await;
    assert_eq!(
        why(wary.capture(&redirecting.link()).await),
        "LinkOriginNotAllowed"
    );
    assert_eq!(target.heard(), 1, "it was not asked");
    assert!(wary.objects().await.is_empty());
}

#[tokio::test]
async fn redirects_without_end_or_aim_are_refused() {
    let circle = FileServer::start(Answer::empty(302, "Location: /again\r\n"))
        .await
        .unwrap();
    let bucket = Bucket::taking_from(&[&circle]).await;
    assert_eq!(why(bucket.capture(&circle.link()).await), "LinkUnusable");
    assert_eq!(circle.heard(), 4, "the link and three redirects");
    for status in [301, 302, 304] {
        assert_eq!(
            why_not(Answer::empty(status, "")).await,
            "LinkUnusable",
            "{status}"
        );
    }
    assert_eq!(
        why_not(Answer::empty(302, "Location: file:///etc/passwd\r\n")).await,
        "LinkOriginNotAllowed"
    );
}

#[tokio::test]
async fn a_server_that_is_silent_is_given_up_in_time() {
    // It promises more than it sends and then keeps the connection open.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = FileServer::start(Answer::empty(200, "")).await.unwrap();
    let redirecting = FileServer::start(Answer::empty(
        302,
        &format!("Location: {origin}/silent\r\n"),
    ))
    .await
    .unwrap();
    let stack = Stack::shared().await.unwrap();
    let documents = S3Documents::new(
        &stack.sdk,
        &stack.description.document_bucket,
        stack.http.clone(),
        format!("{},{origin}", redirecting.origin).parse().unwrap(),
        Arc::new(SystemClock),
        Arc::new(Notes::default()),
    );
    let bucket = Bucket {
        documents,
        ..Bucket::taking_from(&[&server]).await
    };
    let started = SystemClock.now();
    let captured = bucket
        .capture_within(Duration::from_millis(500), &redirecting.link())
        .await;
    assert_eq!(why(captured), "unavailable");
    let took = SystemClock.now().since(started);
    assert!(
        (Duration::from_millis(500)..Duration::from_secs(3)).contains(&took),
        "{took:?}"
    );
    assert!(bucket.objects().await.is_empty());
}

#[tokio::test]
async fn no_error_shows_the_link() {
    let gone = {
        let server = FileServer::start(Answer::empty(200, "")).await.unwrap();
        server.origin.clone()
    };
    let stack = Stack::shared().await.unwrap();
    let documents = S3Documents::new(
        &stack.sdk,
        &stack.description.document_bucket,
        stack.http.clone(),
        gone.parse().unwrap(),
        Arc::new(SystemClock),
        Arc::new(Notes::default()),
    );
    let planned = PlannedDocument {
        step: "SECOND_DOC".parse().unwrap(),
        file: FileNumber::FIRST,
        side: Some(Side::Front),
    };
    let link = FileLink::new(format!("{gone}/name?X-Amz-Signature=hidden"));
    let until = SystemClock.now().plus(Duration::from_secs(10));
    let error = documents
        .capture(&new_scan_ref(), &upload(), &planned, &link, until)
        .await
        .unwrap_err();
    let told = format!("{error} {error:?} {link:?} {documents:?}");
    assert!(
        !told.contains("hidden") && !told.contains("/name"),
        "{told}"
    );
}
