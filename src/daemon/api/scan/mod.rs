//! What there is on the network that could be watched: devices that announce themselves, each with what would tell its
//! health ([`devices`]). Nothing is kept of it: the answer has it all, and a person's page brings it back when one of
//! it is to be watched ([`carried`]).

mod carried;
mod devices;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::format::Format;
use super::problem::Problem;
use super::response::Payload;
use super::{ApiContext, Caller};
use crate::daemon::discovery::{self, Seen};
use crate::daemon::page::ScanPage;
use crate::engine::presets::Preset;
pub(super) use carried::Pick;
pub(crate) use carried::{SEEN, WATCH, parts};
#[cfg(test)]
pub(crate) use devices::Proposal;
pub(crate) use devices::{Device, Watched};

/// Devices that sleep answer the second question, which goes out after a second; the third after three.
const SCAN_TAKES: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct ScanView {
    /// By kind and name.
    pub seen: Vec<Device>,
    /// What came of the touch that this answers.
    #[serde(skip)]
    pub picked: Option<Picked>,
}

/// One that was to be watched.
#[derive(Debug)]
pub(crate) struct Picked {
    /// Its place among those seen.
    pub place: usize,
    /// Why it is not.
    pub refused: Option<String>,
}

/// While it lives, no other scan begins: each has sockets of its own on every network.
struct Turn<'a>(&'a AtomicBool);

impl Turn<'_> {
    fn take(under_way: &AtomicBool) -> Result<Turn<'_>, Problem> {
        if under_way.swap(true, Ordering::AcqRel) {
            let why = "somebody else is looking around just now; try again in a few seconds";
            return Err(Problem::unavailable(why.to_owned()));
        }
        Ok(Turn(under_way))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl ApiContext {
    /// Asks the network, and says what answered; or has one of what answered before watched, and says it again.
    pub(super) fn scan(
        &self,
        pick: Option<Pick>,
        caller: Caller,
        format: Format,
    ) -> Result<Payload, Problem> {
        match pick {
            None => Ok(shown(ScanView { seen: self.look_around()?, picked: None }, 200, format)),
            Some(pick) => self.watch_seen(pick, caller, format),
        }
    }

    /// Blocks this thread of the API for as long as it takes.
    fn look_around(&self) -> Result<Vec<Device>, Problem> {
        let turn = Turn::take(&self.scanning)?;
        let seen = discovery::survey(&Preset::services(), SCAN_TAKES).map_err(|why| {
            Problem::unavailable(format!("the network cannot be asked by multicast: {why}"))
        })?;
        drop(turn);
        self.devices(&seen)
    }

    /// A person stays on the list, with what came of it beside what they touched.
    fn watch_seen(
        &self,
        Pick { seen, place }: Pick,
        caller: Caller,
        format: Format,
    ) -> Result<Payload, Problem> {
        let before = self.devices(&seen)?;
        let device = before.get(place).ok_or_else(carried::unreadable)?;
        let refused = device.monitor.as_ref().and_then(|monitor| {
            let done = self.register(&monitor.fields(), false, caller);
            done.and_then(|done| done.map_err(Problem::from)).err()
        });
        let status = refused.as_ref().map_or(200, |problem| problem.status);
        match (refused, format) {
            (Some(problem), Format::Json) => Err(problem),
            (refused, format) => {
                let picked = Picked { place, refused: refused.map(|problem| problem.error) };
                // Of what cannot be asked anew the list is as it was.
                let seen = self.devices(&seen).unwrap_or(before);
                Ok(shown(ScanView { seen, picked: Some(picked) }, status, format))
            }
        }
    }

    fn devices(&self, seen: &[Seen]) -> Result<Vec<Device>, Problem> {
        let watched = self.query_all(|_, _, app, _| Watched::of(&app.registration))?;
        Ok(devices::devices(seen, &watched))
    }
}

fn shown(view: ScanView, status: u16, format: Format) -> Payload {
    match format {
        Format::Html => Payload::Form(status, ScanPage(&view).html()),
        Format::Json => Payload::Scan(view),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let under_way = AtomicBool::new(false);
        let turn = Turn::take(&under_way).ok().unwrap();
        assert_eq!(Turn::take(&under_way).err().unwrap().status, 503);
        drop(turn);
        assert!(Turn::take(&under_way).is_ok());
    }
}
