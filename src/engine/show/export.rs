//! Every registration as one document: a backup that people can read, and that `monitor` takes back.

use serde::Serialize;

use crate::engine::app::App;
use crate::engine::registration::Registration;
use crate::engine::time::Wall;

/// The version of the document.
pub const EXPORT_VERSION: u32 = 1;

/// The document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// [`EXPORT_VERSION`].
    pub healthchecker_export: u32,
    /// When it was made.
    pub time: Wall,
    /// Every app, by name.
    pub apps: Vec<ExportedApp>,
}

/// What an app registered: the fields of `monitor`, and whether it is paused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportedApp {
    /// The app's name.
    pub appname: String,
    /// Its base address as given.
    pub url: String,
    /// What is appended to it.
    pub path: String,
    /// Who is told; empty when the app named nobody, and the daemon's `email` option decides.
    pub email: Vec<String>,
    /// Seconds.
    pub timeout: u64,
    /// Seconds.
    pub interval: u64,
    /// Failed checks in a row before UNHEALTHY.
    pub unhealthy: u8,
    /// Passed checks in a row before HEALTHY.
    pub healthy: u8,
    /// The status codes that count as an answer.
    pub expect: String,
    /// Whether it is left alone for now.
    pub paused: bool,
}

/// What one app registered.
pub fn exported(app: &App) -> ExportedApp {
    ExportedApp::new(&app.registration, app.paused())
}

impl ExportedApp {
    /// An app that registered so.
    pub fn new(registration: &Registration, paused: bool) -> ExportedApp {
        let email =
            if registration.email_is_default { Vec::new() } else { registration.email.clone() };
        ExportedApp {
            appname: registration.name.clone(),
            url: registration.url.clone(),
            path: registration.path.clone(),
            email,
            timeout: registration.timeout.as_secs(),
            interval: registration.interval.as_secs(),
            unhealthy: registration.unhealthy,
            healthy: registration.healthy,
            expect: registration.expect.to_string(),
            paused,
        }
    }
}
