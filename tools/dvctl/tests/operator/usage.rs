//! The command line itself.

use harness::Stack;

use crate::program::{Dvctl, command, play};

#[tokio::test]
async fn help_is_an_answer_and_wrong_usage_is_not() {
    let help = play(command(&["--help"]), "").await.with_status(0);
    for part in ["redrive", "Exit status:", "Examples:"] {
        assert!(help.answer.contains(part), "{part}: {help:?}");
    }
    for wrong in [
        &["nonsense"][..],
        &["show"],
        &["show", "../x"],
        &["list", "--since", "yesterday"],
        &["replay"],
    ] {
        let ended = play(command(wrong), "").await.with_status(2);
        assert!(
            ended.answer.is_empty() && !ended.notes.is_empty(),
            "{wrong:?}: {ended:?}"
        );
    }
}

#[tokio::test]
async fn completions_are_printed_without_a_stack() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = play(command(&["completions", shell]), "")
            .await
            .with_status(0);
        assert!(ended.answer.contains("redrive"), "{shell}");
    }
}

#[tokio::test]
async fn a_reader_that_has_seen_enough_is_no_failure() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut unread = command(&["completions", "bash"]);
    unread.stdout(writer);
    let ended = play(unread, "").await.with_status(0);
    assert!(ended.notes.is_empty(), "{ended:?}");
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_named_with_what_to_do() {
    let stack = Stack::shared().await.unwrap();
    let arguments = [
        "--stack",
        "nobody",
        "--endpoint",
        &stack.description.endpoint_url,
        "doctor",
    ];
    let ended = play(command(&arguments), "").await.with_status(3);
    assert!(
        ended.notes.contains("no stack nobody") && ended.notes.contains("--region"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_a_failure_with_advice() {
    let ended = play(command(&["--endpoint", "http://127.0.0.1:9", "doctor"]), "")
        .await
        .with_status(1);
    assert!(
        ended.notes.contains("cloudformation was not reached") && ended.notes.contains("do: "),
        "{ended:?}"
    );
}

#[tokio::test]
async fn without_a_region_it_is_said_which_setting_is_missing() {
    // No profile and no metadata service.
    let mut without = command(&["doctor"]);
    without
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    let ended = play(without, "").await.with_status(2);
    assert!(ended.notes.contains("no AWS region"), "{ended:?}");
}

#[tokio::test]
async fn without_credentials_it_is_said_how_to_get_some() {
    let mut without = command(&["--region", "eu-west-1", "doctor"]);
    without
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("HOME", "/nonexistent");
    let ended = play(without, "").await.with_status(1);
    assert!(
        ended.notes.contains("no AWS credentials") && ended.notes.contains("aws sso login"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn watching_ends_well_with_ctrl_c() {
    use tokio::io::AsyncReadExt;
    let stack = Stack::shared().await.unwrap();
    let mut child = Dvctl::of(&stack)
        .command(&["watch", "--newest", "0"])
        .spawn()
        .expect("it starts");
    let mut answer = child.stdout.take().expect("an output");
    let mut seen = [0; 16];
    let read = tokio::time::timeout(harness::DEADLINE, answer.read_exact(&mut seen)).await;
    read.expect("it shows something in time")
        .expect("it shows something");
    let process = child
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(id.try_into().expect("an id")))
        .expect("it runs");
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it is told");
    let ended = tokio::time::timeout(harness::DEADLINE, child.wait()).await;
    assert_eq!(
        ended.expect("it ends in time").expect("a status").code(),
        Some(0)
    );
}
