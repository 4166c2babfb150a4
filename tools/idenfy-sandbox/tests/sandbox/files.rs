//! Links to files: what they lead to, and for how long.

use serde_json::json;

use crate::fixture::{Fixture, Opened, PDF, PNG, read};

async fn finished(fixture: &mut Fixture) -> (Opened, serde_json::Value) {
    let session = fixture.session("client").await;
    fixture
        .put_file(&session, "SECOND_DOC_FRONT", "image/png", PNG)
        .await;
    fixture
        .put_file(&session, "SECOND_DOC_BACK", "application/pdf", PDF)
        .await;
    fixture.finish(&session, json!({})).await;
    (session, fixture.receiver.next().await.body())
}

#[tokio::test]
async fn links_lead_to_the_files_with_their_type_and_length() {
    let mut fixture = Fixture::start().await;
    let (_, body) = finished(&mut fixture).await;
    for (link, content_type, bytes) in [
        (&body["fileUrls"]["SECOND_DOC_FRONT"], "image/png", PNG),
        (
            &body["additionalStepPdfUrls"]["SECOND_DOC_BACK"],
            "application/pdf",
            PDF,
        ),
    ] {
        let link = link.as_str().unwrap();
        assert!(
            link.contains("X-Amz-Date=")
                && link.contains("X-Amz-Expires=3600")
                && link.contains("X-Amz-Signature=")
        );
        let response = fixture.client.get(link).send().await.unwrap();
        assert_eq!(
            response.headers()["content-length"],
            bytes.len().to_string().as_str()
        );
        let answer = read(response).await;
        assert_eq!(
            (
                answer.status,
                answer.content_type.as_str(),
                answer.raw.as_slice()
            ),
            (200, content_type, bytes)
        );
    }
    let keys: Vec<_> = body["fileUrls"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["BACK", "FACE", "FRONT", "SECOND_DOC_FRONT"]);
    let generated = read(
        fixture
            .client
            .get(body["fileUrls"]["FACE"].as_str().unwrap())
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert!(generated.raw.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[tokio::test]
async fn further_files_of_a_step_are_listed_with_its_first() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    for (key, content_type, bytes) in [
        ("SECOND_DOC_FRONT", "image/png", PNG),
        ("SECOND_DOC_FRONT.2", "image/png", PNG),
        ("SECOND_DOC_FRONT.3", "application/pdf", PDF),
    ] {
        fixture.put_file(&session, key, content_type, bytes).await;
    }
    fixture.finish(&session, json!({})).await;
    let body = fixture.receiver.next().await.body();
    let links = body["fileUrls"]["SECOND_DOC_FRONT"].as_array().unwrap();
    assert_eq!(links.len(), 2);
    for (link, bytes) in [
        (&links[0], PNG),
        (&links[1], PNG),
        (&body["additionalStepPdfUrls"]["SECOND_DOC_FRONT"], PDF),
    ] {
        let answer = read(
            fixture
                .client
                .get(link.as_str().unwrap())
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(answer.raw, bytes);
    }
    let steps: Vec<_> = body["additionalSteps"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(steps, ["SECOND_DOC_FRONT"]);
}

#[tokio::test]
async fn links_expire_and_can_be_renewed() {
    let mut fixture = Fixture::start().await;
    fixture.settings(json!({"fileLinkSeconds": 0})).await;
    let (session, body) = finished(&mut fixture).await;
    let link = body["fileUrls"]["SECOND_DOC_FRONT"].as_str().unwrap();
    let expired = read(fixture.client.get(link).send().await.unwrap()).await;
    assert_eq!(
        (expired.status, expired.content_type.as_str()),
        (403, "application/xml")
    );
    assert!(
        expired.text().contains("<Code>AccessDenied</Code>") && expired.text().contains("expired")
    );

    fixture.settings(json!({"fileLinkSeconds": 60})).await;
    let renewed = fixture
        .post("/api/v2/files", json!({"scanRef": session.scan_ref}))
        .await
        .json();
    let renewed_link = renewed["SECOND_DOC_FRONT"].as_str().unwrap();
    assert_eq!(
        read(fixture.client.get(renewed_link).send().await.unwrap())
            .await
            .raw,
        PNG
    );
    assert!(renewed["SECOND_DOC_BACK"].is_string());

    fixture
        .settings(json!({"filesShape": "nested", "pdfLinks": "array"}))
        .await;
    let nested = fixture
        .post("/api/v2/files", json!({"scanRef": session.scan_ref}))
        .await
        .json();
    assert!(nested["fileUrls"]["SECOND_DOC_FRONT"].is_string());
    assert!(nested["additionalStepPdfUrls"]["SECOND_DOC_BACK"][0].is_string());
}

#[tokio::test]
async fn altered_links_and_unknown_files_are_refused() {
    let mut fixture = Fixture::start().await;
    let (session, body) = finished(&mut fixture).await;
    let link = body["fileUrls"]["SECOND_DOC_FRONT"].as_str().unwrap();
    for altered in [
        link.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200"),
        link.replace("SECOND_DOC_FRONT", "FACE"),
        link.split('?').next().unwrap().to_owned(),
    ] {
        let answer = read(fixture.client.get(&altered).send().await.unwrap()).await;
        assert_eq!(answer.status, 403, "{altered}");
        assert!(answer.text().contains("SignatureDoesNotMatch"));
    }

    assert_eq!(
        fixture
            .post("/api/v2/delete", json!({"scanRef": session.scan_ref}))
            .await
            .status,
        200
    );
    let gone = read(fixture.client.get(link).send().await.unwrap()).await;
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("NoSuchKey"));
}
