//! An app with tiny_http that registers and answers its health checks.
//!
//! `cargo run --example app --no-default-features --features client`

use std::error::Error;

use healthchecker::client::{HealthCheckResponse, HealthCheckerServer, HealthStatus};
use healthchecker::client::{Monitor, iputils};
use tiny_http::{Header, Response, Server};

const APP_NAME: &str = "Rust App";

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let port = iputils::find_free_port()?;
    let server = Server::http(("0.0.0.0", port))?;

    // At this port of this machine.
    let health_checker = HealthCheckerServer::new(APP_NAME, format!(":{port}"));
    // Once would be: health_checker.monitor(&how)?
    let how = Monitor::new().email("me@example.org").interval(10).unhealthy(2).healthy(4);
    health_checker.keep_registered(how)?;

    for request in server.incoming_requests() {
        let response = match request.url() {
            "/health" => health()?,
            _ => Response::from_string("Hello"),
        };
        request.respond(response)?;
    }
    Ok(())
}

fn health() -> Result<Response<std::io::Cursor<Vec<u8>>>, String> {
    let answer =
        HealthCheckResponse::new().description(APP_NAME).status(HealthStatus::Pass).build();
    let mut response = Response::from_string(answer.body).with_status_code(answer.code);
    for (name, value) in answer.headers {
        let header = Header::from_bytes(name, value);
        response.add_header(header.map_err(|()| format!("{name} is no header"))?);
    }
    Ok(response)
}
