//! The ways through the flow that are stopped anywhere.

use verification::identifiers::Digest256;
use verification::prepared::{PreparationChange, PreparedFile};
use verification::result::{CallbackContent, StepLinks};
use verification::secret::FileLink;
use verification::testing::memory::{Fault, FileBehaviour, World};

/// One way through the flow.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    /// The application opens the session here.
    pub opens_session: bool,
    /// Under an idempotency key.
    /// The application repeats the request until it has the link.
    pub has_key: bool,
    /// The first callback, made of an approved one with two files.
    pub callback: fn(CallbackContent) -> CallbackContent,
    /// Before anything happens.
    pub prepare: fn(&World, &CallbackContent),
    /// After the first round of work on the first callback and its message.
    pub later: fn(&World),
    /// How many rounds the result takes after acceptance: none, or until every lease is over.
    pub result_after: u32,
    /// A person takes the pairing up again when it is parked.
    pub retries: bool,
    /// The customer is to be forgotten when the pairing stands so.
    pub erases_in: Option<&'static str>,
    /// Stopped at every pair of effects as well.
    /// Not if an attempt at Token 2 is lost anyway.
    /// Two more lost ones would use up all three, and the pairing would be parked as it should be.
    pub is_stopped_twice: bool,
}

const FRONT: &str = "SECOND_DOC_FRONT";
const FRONT_LINK: &str = "https://files.example/first/SECOND_DOC_FRONT";

/// `/api/v2/files` answers with these links instead of the callback's.
fn fresh_links(world: &World, content: &CallbackContent, fresh: fn(&str) -> String) {
    let mut links = StepLinks::new();
    for (step, link) in content
        .links
        .iter()
        .filter_map(|(step, links)| Some((step, links.first()?)))
    {
        let link = fresh(link.expose());
        world.file(&link, FileBehaviour::Serves(1_000));
        links.insert(step.clone(), vec![FileLink::new(link)]);
    }
    world.fresh_links(&content.scan_ref, links);
}

pub const STRAIGHT: Scenario = Scenario {
    name: "two files, straight through",
    opens_session: false,
    has_key: false,
    callback: |content| content,
    prepare: |_, _| {},
    later: |_| {},
    result_after: 8,
    retries: false,
    erases_in: None,
    is_stopped_twice: false,
};

pub const SCENARIOS: [Scenario; 17] = [
    Scenario {
        is_stopped_twice: true,
        ..STRAIGHT
    },
    Scenario {
        name: "a result at once",
        result_after: 0,
        ..STRAIGHT
    },
    Scenario {
        name: "one file",
        callback: |mut content| {
            content.steps.retain(|step| step.as_str() == FRONT);
            content
        },
        ..STRAIGHT
    },
    Scenario {
        name: "session opened by the application",
        opens_session: true,
        ..STRAIGHT
    },
    Scenario {
        name: "session opened under an idempotency key, at the second try",
        opens_session: true,
        has_key: true,
        is_stopped_twice: true,
        ..STRAIGHT
    },
    Scenario {
        name: "session opened under an idempotency key, erased when settled",
        opens_session: true,
        has_key: true,
        erases_in: Some("Settled"),
        ..STRAIGHT
    },
    Scenario {
        name: "a file left to the processor",
        prepare: |world, _| world.file(FRONT_LINK, FileBehaviour::Down),
        later: |world| world.file(FRONT_LINK, FileBehaviour::Serves(1_000)),
        ..STRAIGHT
    },
    Scenario {
        name: "dead links, replaced by fresh ones",
        prepare: |world, content| {
            world.file(FRONT_LINK, FileBehaviour::Dead);
            fresh_links(world, content, |link| format!("{link}?Signature=anew"));
        },
        ..STRAIGHT
    },
    Scenario {
        name: "dead links, replaced by fresh ones with other paths",
        prepare: |world, content| {
            world.file(FRONT_LINK, FileBehaviour::Dead);
            fresh_links(world, content, |link| {
                link.replace("files.example", "files.example/api")
            });
        },
        ..STRAIGHT
    },
    Scenario {
        name: "a photo lying on its side",
        is_stopped_twice: true,
        // Two stops during the conversion look like a photo that stops its worker.
        retries: true,
        prepare: |world, content| {
            let upright = PreparedFile {
                bytes: 900,
                sha256: Digest256::of(b"upright"),
                width: 4_000,
                height: 3_000,
                quality: 90,
                changes: vec![PreparationChange::Turned],
            };
            world.prepares(&content.scan_ref, &FRONT.parse().unwrap(), Ok(upright));
        },
        ..STRAIGHT
    },
    Scenario {
        name: "Token 2 created, answer lost",
        prepare: |world, _| world.fault("token", Fault::DoneThenLost),
        ..STRAIGHT
    },
    Scenario {
        name: "Token 2 not created, answer lost",
        prepare: |world, _| world.fault("token", Fault::LostBeforeDone),
        ..STRAIGHT
    },
    Scenario {
        name: "documents accepted, answer lost",
        is_stopped_twice: true,
        prepare: |world, _| world.fault("process", Fault::DoneThenLost),
        ..STRAIGHT
    },
    Scenario {
        name: "documents not accepted, answer lost",
        prepare: |world, _| world.fault("process", Fault::LostBeforeDone),
        ..STRAIGHT
    },
    Scenario {
        name: "documents refused, taken up again by a person",
        prepare: |world, _| world.fault("process", Fault::Refused),
        retries: true,
        ..STRAIGHT
    },
    Scenario {
        name: "erased when settled",
        erases_in: Some("Settled"),
        ..STRAIGHT
    },
    Scenario {
        name: "erased before the result",
        is_stopped_twice: true,
        erases_in: Some("Submitted"),
        ..STRAIGHT
    },
];
