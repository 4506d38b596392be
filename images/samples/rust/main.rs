// SPDX-License-Identifier: Apache-2.0
//! Zip function for provided.al2023 with AWS's Rust runtime client: does what the event asks for.

use lambda_runtime::streaming::{channel, Body};
use lambda_runtime::{run, service_fn, Error, FunctionResponse, LambdaEvent, StreamResponse};
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
    lines: u64,
}

/// So many lines, half a second apart.
fn stream(req: Request) -> Body {
    let (mut tx, rx) = channel();
    tokio::spawn(async move {
        for n in 0..req.lines {
            if n > 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let _ = tx.send_data(format!("line {n}\n").into()).await;
        }
    });
    rx
}

async fn handle(event: LambdaEvent<Request>) -> Result<FunctionResponse<Value, Body>, Error> {
    let (req, ctx) = event.into_parts();
    println!("rust says {}", req.text);
    if let Some(words) = req.fail {
        return Err(std::io::Error::other(words).into());
    }
    if let Some(words) = req.panic {
        panic!("{words}");
    }
    if req.lines > 0 {
        return Ok(FunctionResponse::StreamingResponse(StreamResponse::from(stream(req))));
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
    Ok(FunctionResponse::BufferedResponse(answer))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
