// SPDX-License-Identifier: Apache-2.0
//! Zip function for provided.al2023 with AWS's Rust runtime client: does what the event asks for.

use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde::Deserialize;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Request {
    text: String,
    fail: Option<String>,
    panic: Option<String>,
    sleep: u64,
    env: bool,
}

async fn handle(event: LambdaEvent<Request>) -> Result<Value, Error> {
    let (req, ctx) = event.into_parts();
    println!("rust says {}", req.text);
    if let Some(words) = req.fail {
        return Err(std::io::Error::other(words).into());
    }
    if let Some(words) = req.panic {
        panic!("{words}");
    }
    tokio::time::sleep(Duration::from_secs(req.sleep)).await;
    let remaining = ctx.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let mut answer = json!({
        "hello": "from Rust", "text": req.text, "requestId": ctx.request_id,
        "arn": ctx.invoked_function_arn, "remaining": remaining.as_millis() as u64,
    });
    if req.env {
        answer["env"] = json!(std::env::vars().collect::<HashMap<_, _>>());
    }
    Ok(answer)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
