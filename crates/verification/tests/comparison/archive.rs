//! The archive in memory passes the suite of the real one.

use verification::identifiers::Digest256;
use verification::result::CallbackContent;
use verification::secret::FileLink;
use verification::testing::conformance;
use verification::testing::fixtures::approved;
use verification::testing::memory::World;

use crate::named;

#[tokio::test]
async fn the_archive_in_memory_conforms() {
    let (world, digest, subject) = (
        World::new(),
        Digest256::of(b"body"),
        named("ONA", "PETRAITYTE"),
    );
    let (step, link) = ("SECOND_DOC_FRONT", "https://files.example/second");
    let mut content = CallbackContent {
        digest: digest.clone(),
        ..approved("first", "client")
    };
    content
        .links
        .insert(step.parse().unwrap(), vec![FileLink::new(link)]);
    world.serve(&content);
    world.tells(&digest, subject.clone());
    conformance::archive(&world, &content.scan_ref, b"body", (step, link), &subject).await;
}
