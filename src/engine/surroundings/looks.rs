//! The look that is under way, and what it shows.

use std::time::Duration;

use super::look::{Look, LookReport, Place, Sight, Witness};
use super::witnesses::Asked;
use crate::engine::registration::address::Host;
use crate::engine::registry::AppId;
use crate::engine::time::Moment;

/// One look in this time, however many are silent.
const EVERY: Duration = Duration::from_secs(5);
/// While we wait for somebody to come back, so often.
pub(super) const AGAIN_EVERY: Duration = Duration::from_secs(30);
/// A look that is not reported by then never will be.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// When others are looked at.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last_id: u64,
    /// When the last began.
    last: Moment,
    under_way: Option<UnderWay>,
}

/// A look that is not over, or just is.
#[derive(Debug)]
pub(super) struct UnderWay {
    id: u64,
    pub(super) began: Moment,
    /// Whose silence tells something, and where they are.
    telling: Vec<(AppId, Host)>,
    /// The gateway is one who answers.
    gateway_tells: bool,
    life: bool,
    /// Of those that tell something: who is silent.
    silent: Vec<Host>,
    gateway_is_silent: bool,
    /// Nothing could be said of one of them.
    open: bool,
    over: bool,
}

impl UnderWay {
    /// Another machine lives.
    pub(super) fn sees_life(&self) -> bool {
        self.life
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// It may be seen yet: of somebody nothing could be said.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Somebody who was well is silent, too, and not on this host.
    pub(super) fn finds_others_silent(&self, host: &Host) -> bool {
        self.gateway_is_silent || self.silent.iter().any(|silent| silent != host)
    }

    /// Whoever is judged: somebody else who was well is silent, too.
    pub(super) fn finds_all_silent(&self) -> bool {
        self.silent.first().map_or(self.gateway_is_silent, |first| self.finds_others_silent(first))
    }

    fn see(&mut self, witness: Witness, sight: Sight) {
        self.life |= matches!(sight, Sight::Answers | Sight::HostOnly);
        match witness {
            Witness::Gateway if self.gateway_tells => {
                self.gateway_is_silent |= sight == Sight::Nothing;
                self.open |= sight == Sight::Undecided;
            }
            Witness::App(id) => {
                let place = self.telling.iter().position(|(telling, _)| *telling == id);
                let Some(place) = place else { return };
                let (_, host) = self.telling.swap_remove(place);
                self.open |= sight == Sight::Undecided;
                if sight == Sight::Nothing {
                    self.silent.push(host);
                }
            }
            Witness::Gateway | Witness::Anchor(_) => {}
        }
    }
}

impl Looks {
    pub(super) fn under_way(&self) -> Option<&UnderWay> {
        self.under_way.as_ref()
    }

    /// When the next may begin: `hurry`, at once, but for the one before.
    pub(super) fn next(&self, hurry: bool) -> Moment {
        match &self.under_way {
            Some(look) => look.began + LOST_AFTER,
            None => self.last + if hurry { EVERY } else { AGAIN_EVERY },
        }
    }

    /// Nobody is looked at before the usual time is over.
    pub(super) fn put_off(&mut self, at: Moment) {
        self.last = self.last.max(at);
    }

    pub(super) fn begin(&mut self, at: Moment, asked: Asked, gateway_tells: bool) -> Look {
        self.last_id += 1;
        self.last = at;
        let id = self.last_id;
        self.under_way = Some(UnderWay {
            id,
            began: at,
            telling: asked.telling,
            gateway_tells,
            life: false,
            silent: Vec::new(),
            gateway_is_silent: false,
            open: false,
            over: false,
        });
        let mut witnesses = asked.witnesses;
        witnesses.push((Witness::Gateway, Place::Gateways));
        Look { id, witnesses }
    }

    /// A piece of what is seen. Whether it is of the look under way.
    pub(super) fn handle_report(&mut self, report: &LookReport) -> bool {
        let Some(look) = self.under_way.as_mut().filter(|look| look.id == report.id) else {
            return false;
        };
        report.seen.iter().for_each(|(witness, sight)| look.see(*witness, *sight));
        look.over |= report.ended;
        true
    }

    /// The look that is over: to be called when all is decided that can be by it.
    pub(super) fn take_over(&mut self) -> Option<UnderWay> {
        self.under_way.take_if(|look| look.over)
    }

    /// What is seen now proves nothing.
    pub(super) fn discard(&mut self) {
        self.under_way = None;
    }

    /// One that was not reported in time is not waited for.
    pub(super) fn give_up(&mut self, at: Moment) {
        self.under_way.take_if(|look| look.began + LOST_AFTER <= at);
    }
}
