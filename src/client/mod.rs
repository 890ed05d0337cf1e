//! For those who register: apps in Rust, and the command line.
//!
//! ```no_run
//! use healthchecker::client::{HealthCheckerServer, Monitor};
//!
//! // At port 8080 of this machine.
//! let server = HealthCheckerServer::new("NAS", ":8080");
//! server.monitor(&Monitor::new().email("me@example.org"))?;
//! # Ok::<(), healthchecker::client::Error>(())
//! ```
//!
//! - [`HealthCheckerServer`] is an app's way to the daemon, which it finds by Zeroconf ([`discovery`]).
//! - [`HealthCheckResponse`] is what an app answers at `/health`.
//! - [`iputils`] has what an app needs to know about its own machine.
//! - [`connection`] makes single calls, for programs that act for other apps.
//!
//! A server that is dropped leaves the app registered: a crash has to be noticed.

mod background;
mod browser;
#[cfg(feature = "daemon")]
pub mod cli;
pub mod connection;
pub mod discovery;
mod error;
pub mod health;
pub mod iputils;
mod lookup;
mod monitor;
mod reach;
mod registrar;
mod server;
mod server_url;
mod slot;
#[cfg(test)]
mod stub;
mod token;

pub use error::Error;
pub use health::{HealthCheckResponse, HealthStatus};
pub use monitor::Monitor;
pub use server::HealthCheckerServer;
pub use server_url::ServerUrl;

/// The variable that the token is taken from unless one is given.
///
/// ```
/// assert_eq!(healthchecker::client::TOKEN_VARIABLE, "HEALTHCHECKER_API_TOKEN");
/// ```
pub const TOKEN_VARIABLE: &str = "HEALTHCHECKER_API_TOKEN";

/// The variable that names the server unless one is given.
///
/// ```
/// assert_eq!(healthchecker::client::SERVER_VARIABLE, "HEALTHCHECKER_SERVER");
/// ```
pub const SERVER_VARIABLE: &str = "HEALTHCHECKER_SERVER";
