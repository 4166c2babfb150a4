//! First results that the provider's staff will still look at.

use super::*;

fn not_final(overall: Overall) -> CallbackContent {
    CallbackContent {
        is_final: Some(false),
        overall: Some(overall),
        digest: Digest256::of(overall.as_str().as_bytes()),
        ..approved("first", "client")
    }
}

#[tokio::test]
async fn a_result_that_is_not_final_is_waited_for() {
    let flow = Flow::new();
    let result = not_final(Overall::Approved);
    assert_eq!(
        flow.callback(&result).await,
        Accepted::Changed("FirstResultNotFinal")
    );
    let waiting = flow.world.pairing("first");
    assert_eq!(waiting.state.reason(), Some("ResultNotFinal"));
    flow.world.wait(Duration::from_secs(60));
    assert_eq!(
        flow.callback(&result).await,
        Accepted::Ignored("AlreadyHeard")
    );
    assert_eq!(flow.world.pairing("first"), waiting);
}

#[tokio::test]
async fn another_result_that_is_not_final_is_waited_for_anew() {
    let flow = Flow::new();
    flow.callback(&not_final(Overall::Approved)).await;
    let before = flow.world.pairing("first");
    flow.world.wait(Duration::from_secs(60));
    assert_eq!(
        flow.callback(&not_final(Overall::Suspected)).await,
        Accepted::Changed("FirstResultNotFinal")
    );
    let after = flow.world.pairing("first");
    assert_eq!(after.first_overall, Some(Overall::Suspected));
    assert!(after.attention_at() > before.attention_at());
}
