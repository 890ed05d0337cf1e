//! Every registration as one document: a backup that people can read, and that `monitor` takes back.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::engine::registration::Registration;
use crate::engine::registration::values::Values;
use crate::engine::registry::App;
use crate::engine::time::Wall;

/// The version of the document.
pub const EXPORT_VERSION: u32 = 1;

/// The document, which goes on with `apps`, an [`ExportedApp`] of each by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// [`EXPORT_VERSION`].
    pub healthchecker_export: u32,
    /// When it was made.
    pub time: Wall,
}

/// What an app registered: the fields of `monitor`, and whether it is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedApp {
    /// The fields of `monitor`.
    pub registered: Values,
    /// Whether it is left alone for now.
    pub paused: bool,
}

impl Serialize for ExportedApp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(None)?;
        self.registered.write(&mut object)?;
        object.serialize_entry("paused", &self.paused)?;
        object.end()
    }
}

/// What one app registered.
pub fn exported(app: &App) -> ExportedApp {
    ExportedApp::new(&app.registration, app.paused)
}

impl ExportedApp {
    /// An app that registered so.
    pub fn new(registration: &Registration, paused: bool) -> ExportedApp {
        ExportedApp { registered: Values::registered(registration), paused }
    }
}
