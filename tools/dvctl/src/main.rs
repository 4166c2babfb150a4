//! Starts the runtime, hands over to [`dvctl::run`], and ends with its exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return dvctl::cannot_start(&error),
    };
    let exit = runtime.block_on(async {
        let output = dvctl::Output::standard();
        match dvctl::Environment::new() {
            Ok(environment) => dvctl::run(std::env::args_os(), environment, output).await,
            Err(error) => return dvctl::cannot_start(&error),
        }
        .into()
    });
    // A question may still wait on a blocked thread.
    runtime.shutdown_background();
    exit
}
