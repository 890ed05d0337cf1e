//! Its looks around, and the checks that wait for them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use healthchecker::engine::surroundings::look::{LOOK_TAKES, Look, LookReport, Sight, Witness};
use healthchecker::engine::time::Now;

use super::{Daemon, Ended, Event};
use crate::story::{Checked, Ms};
use crate::world::effort::Part;
use crate::world::household::Household;
use crate::world::outside::Outside;

/// The address of the router, for people.
const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 1));

impl Daemon {
    /// As the thread does that looks: who is seen is reported when they are, the rest at the end.
    pub(super) fn look<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, look: &Look) {
        let mut pieces: BTreeMap<Ms, Vec<(Witness, Sight)>> = BTreeMap::new();
        for (witness, place) in &look.witnesses {
            let Outside { effort, house, .. } = outside;
            let seen = effort.spend(Part::House, || house.look(at, place));
            let (after, sight) = seen.unwrap_or((LOOK_TAKES.as_millis() as Ms, Sight::Nothing));
            pieces.entry(after).or_default().push((*witness, sight));
        }
        let last = pieces.last_key_value().map_or(0, |(after, _)| *after);
        for (after, seen) in pieces {
            let (id, cut_off, gateway, ended) = (look.id, false, Some(ROUTER), after == last);
            let spoke = gateway.filter(|_| seen.contains(&(Witness::Gateway, Sight::Answers)));
            let report = LookReport { id, seen, cut_off, gateway, spoke, ended };
            self.later(at + after, Event::Seen(report));
        }
    }

    pub(super) fn seen<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        mut report: LookReport,
    ) {
        report.cut_off = outside.house.is_without_carrier(at);
        let engine = &mut self.engine;
        outside.effort.spend(Part::Engine, || engine.handle_look(now, &report));
    }

    /// The check of this app that has waited longest: its verdict has come.
    pub(super) fn take_waiting<H: Household>(
        &mut self,
        outside: &Outside<H>,
        app: &str,
    ) -> Option<Ended> {
        if self.waiting.is_empty() {
            return None;
        }
        let known = outside.recorder.id_of(app);
        let place = self.waiting.iter().position(|it| it.app.is_some() && it.app == known)?;
        Some(self.waiting.remove(place))
    }

    /// An app is paused or stopped: there is no verdict on what waits.
    pub(super) fn waits_no_longer<H: Household>(&mut self, outside: &mut Outside<H>, app: &str) {
        while let Some(ended) = self.take_waiting(outside, app) {
            outside.checked(ended.app, Checked { outcome: None, ..ended.check });
        }
    }
}
