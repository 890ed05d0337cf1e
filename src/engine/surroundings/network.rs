//! What is between us and the apps: while it is away, who cannot be seen for want of it is not judged.

use super::away::{Away, Part};
use crate::engine::registration::Host;
use crate::engine::registry::{App, AppId};
use crate::engine::time::{Moment, Now, Stamp};

/// Whether we reach anybody, and whom not.
#[derive(Debug, Default)]
pub struct Network {
    /// Our own network is down.
    down: Option<Down>,
    /// When it came back last: a check that began before proves nothing.
    back_at: Moment,
    pub(super) router: Option<Away>,
    pub(super) internet: Option<Away>,
}

#[derive(Debug)]
struct Down {
    /// By what that shows.
    part: Part,
    away: Away,
    /// Somebody has reached us since though nobody answers: the next look tells why.
    is_reached: bool,
}

impl Network {
    /// Whether nothing is away.
    pub(super) fn is_whole(&self) -> bool {
        self.down.is_none() && self.router.is_none() && self.internet.is_none()
    }

    /// Our own network is down, at least since then. What was behind it is not seen either.
    pub(super) fn fall(&mut self, since: Stamp, part: Part) {
        self.router = None;
        let away = self.down.take().map_or_else(|| Away::since(since), |down| down.away);
        self.down = Some(Down { part, away, is_reached: false });
    }

    /// It is back, or was never gone: since when something was away, and whom that has hidden.
    pub(super) fn rise(&mut self, at: Moment) -> Option<Away> {
        let Down { away, .. } = self.down.take()?;
        self.back_at = at;
        Some(away)
    }

    /// Somebody has reached us while it is down.
    pub(super) fn reach(&mut self) {
        self.down.iter_mut().for_each(|down| down.is_reached = true);
    }

    /// Whether somebody has reached us since the last look though it is down.
    pub(super) fn is_reached(&self) -> bool {
        self.down.as_ref().is_some_and(|down| down.is_reached)
    }

    /// A check of an app has failed while it is down.
    pub(super) fn hide(&mut self, now: Now, id: AppId) {
        if let Some(down) = &mut self.down {
            down.away.hide(now, id);
        }
    }

    /// Whether a check that began then could reach anybody all the time.
    pub(super) fn was_well_since(&self, began: Moment) -> bool {
        self.down.is_none() && began >= self.back_at
    }

    /// When it came back last.
    pub(super) fn back_at(&self) -> Moment {
        self.back_at
    }

    /// An app is not hidden. What hides nobody is not waited for.
    pub(super) fn forget(&mut self, id: AppId) {
        self.down.iter_mut().for_each(|down| down.away.forget(id));
        for place in [&mut self.router, &mut self.internet] {
            place.iter_mut().for_each(|away| away.forget(id));
            place.take_if(|away| away.hides_nobody());
        }
    }

    /// Whether our own network is down.
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    /// Since when it is down, and by what that shows.
    pub fn down(&self) -> Option<(Part, Stamp)> {
        self.down.as_ref().map(|down| (down.part, down.away.since))
    }

    /// Whether the router, or the internet, is away.
    pub fn is_away(&self, part: Part) -> bool {
        match part {
            Part::Link | Part::Network => self.is_down(),
            Part::Router => self.router.is_some(),
            Part::Internet => self.internet.is_some(),
        }
    }

    /// For want of what an app cannot be seen, as its last check showed, and since when.
    pub fn hides(&self, id: AppId) -> Option<(Part, Stamp)> {
        if self.is_whole() {
            return None;
        }
        let down = self.down.iter().map(|down| (down.part, &down.away));
        let router = self.router.iter().map(|away| (Part::Router, away));
        let internet = self.internet.iter().map(|away| (Part::Internet, away));
        let mut all = down.chain(router).chain(internet).filter(|(_, away)| away.hides(id));
        all.next().map(|(part, away)| (part, away.since))
    }

    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        let down = self.down.iter_mut().map(|down| &mut down.away);
        let all = down.chain(&mut self.router).chain(&mut self.internet);
        all.for_each(|away| away.for_each_stamp(&mut put_right));
    }
}

/// Whether an app is on another machine, as far as its address tells. One that reports is nowhere.
pub(super) fn is_elsewhere(app: &App) -> bool {
    match app.registration.target.host() {
        Some(Host::Address(address)) => !address.is_loopback(),
        Some(Host::Name(_)) => true,
        None => false,
    }
}
