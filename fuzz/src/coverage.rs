//! libFuzzer's side. It has `main` and the arguments, so the target's name comes by the variable
//! `FUZZ_TARGET`.

use std::panic::{set_hook, take_hook};
use std::process::{ExitCode, abort, exit};
use std::sync::OnceLock;

use fuzz::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(init: begin(), |input: &[u8]| {
    if let Some(target) = TARGET.get() {
        (target.run)(input);
    }
});

fn begin() {
    if let Some(code) = document_preparation::run_if_asked() {
        let number = (0..=u8::MAX).find(|&number| ExitCode::from(number) == code);
        exit(number.unwrap_or(1).into());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this is no function of the application"
    )]
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let Some(target) = fuzz::find(&name) else {
        exit(64);
    };
    TARGET.get_or_init(|| target);
    // libFuzzer's crate ends the process at any panic, although some are answers.
    drop(take_hook());
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        print(panic);
        if !fuzz::is_panic_expected() {
            abort();
        }
    }));
}
