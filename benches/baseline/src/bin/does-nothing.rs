//! The least that a Rust program on Lambda can be: it polls, and answers whatever comes with
//! nothing. Its start is the floor that the functions' starts are measured against, so it runs on
//! the same kind of runtime as they do.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| async {
        Ok::<_, Error>(Value::Null)
    }))
    .await
}
