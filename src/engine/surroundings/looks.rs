//! The look that is under way, and what it shows.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::look::{LookReport, Place, Sight, Witness};
use super::witnesses::Asked;
use crate::engine::registration::Host;
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
    /// When the router, or what is behind it, was seen last.
    router_seen: Moment,
    under_way: Option<UnderWay>,
}

/// A look that is not over, or just is.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    id: u64,
    pub(super) began: Moment,
    /// Apps are asked, not the router and the internet alone.
    pub(super) asks_around: bool,
    /// Whose silence tells something, and where they are.
    telling: Vec<(AppId, Host)>,
    known: Known,
    life: bool,
    /// Of those that tell something: who is silent.
    silent: Vec<Host>,
    /// Nothing could be said of one of them.
    open: bool,
    router: Option<Sight>,
    pub(super) router_address: Option<IpAddr>,
    anchors: Anchors,
    over: bool,
}

/// Who has answered a look before: their silence tells something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    pub(super) router: bool,
    pub(super) anchors: bool,
}

/// Addresses on the internet.
#[derive(Debug, Default)]
struct Anchors {
    asked: usize,
    answer: usize,
    silent: usize,
}

impl Anchors {
    /// Two are enough: one may be away by itself.
    fn needed(&self) -> usize {
        self.asked.min(2)
    }
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
        self.open || self.router_is_undecided()
    }

    /// Somebody who was well is silent, too, and not on this host.
    pub(super) fn finds_others_silent(&self, host: &Host) -> bool {
        self.finds_router_silent() || self.silent.iter().any(|silent| silent != host)
    }

    /// Whoever is judged: somebody else who was well is silent, too.
    pub(super) fn finds_all_silent(&self) -> bool {
        let first = self.silent.first();
        first.map_or(self.finds_router_silent(), |first| self.finds_others_silent(first))
    }

    fn finds_router_silent(&self) -> bool {
        self.known.router && self.router == Some(Sight::Nothing)
    }

    /// Whether the router is away, while others live; `None`: that cannot be told yet.
    pub(super) fn router_is_away(&self) -> Option<bool> {
        if self.finds_router_silent() {
            // Whoever reaches the internet has one.
            return self.over.then_some(self.anchors.answer == 0);
        }
        (!self.known.router || self.router.is_some() || self.over).then_some(false)
    }

    /// It could not be told whether the router is there.
    pub(super) fn router_is_undecided(&self) -> bool {
        self.known.router && self.router == Some(Sight::Undecided)
    }

    /// The router itself answers.
    pub(super) fn router_answers(&self) -> bool {
        matches!(self.router, Some(Sight::Answers | Sight::HostOnly))
    }

    /// The router answers, or what is behind it.
    pub(super) fn router_is_there(&self) -> bool {
        self.router_answers() || self.anchors.answer > 0
    }

    /// Whether the internet is away; `None`: that cannot be told yet.
    pub(super) fn internet_is_away(&self) -> Option<bool> {
        let Anchors { asked, silent, .. } = self.anchors;
        if !self.known.anchors || self.internet_is_there() {
            return Some(false);
        }
        self.over.then_some(silent + self.anchors.needed() > asked)
    }

    /// So many anchors answer that it is.
    pub(super) fn internet_is_there(&self) -> bool {
        self.anchors.answer >= self.anchors.needed()
    }

    /// An anchor answers.
    pub(super) fn sees_anchor(&self) -> bool {
        self.anchors.answer > 0
    }

    fn see(&mut self, witness: Witness, sight: Sight) {
        let lives = matches!(sight, Sight::Answers | Sight::HostOnly);
        self.life |= lives;
        match witness {
            Witness::Gateway => self.router = Some(sight),
            Witness::App(id) => {
                let place = self.telling.iter().position(|(telling, _)| *telling == id);
                let Some(place) = place else { return };
                let (_, host) = self.telling.swap_remove(place);
                self.open |= sight == Sight::Undecided;
                if sight == Sight::Nothing {
                    self.silent.push(host);
                }
            }
            Witness::Anchor(_) => {
                self.anchors.answer += usize::from(lives);
                self.anchors.silent += usize::from(sight == Sight::Nothing);
            }
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

    /// A look begins: which, and who is asked. The anchors are when an app on the internet is silent.
    pub(super) fn begin(
        &mut self,
        at: Moment,
        asked: Asked,
        known: Known,
        anchors: &[SocketAddr],
    ) -> (u64, Vec<(Witness, Place)>) {
        self.last_id += 1;
        self.last = at;
        let id = self.last_id;
        self.under_way = Some(UnderWay {
            id,
            began: at,
            asks_around: !asked.witnesses.is_empty(),
            telling: asked.telling,
            known,
            anchors: Anchors { asked: anchors.len(), ..Anchors::default() },
            ..UnderWay::default()
        });
        let mut witnesses = asked.witnesses;
        witnesses.push((Witness::Gateway, Place::Gateways));
        let anchors = (0u8..).zip(anchors).map(|(number, address)| {
            let (host, port) = (Host::Address(address.ip()), address.port());
            (Witness::Anchor(number), Place::Port { host, port })
        });
        witnesses.extend(anchors);
        (id, witnesses)
    }

    /// Whether the router was seen since then.
    pub(super) fn have_seen_router(&self, since: Moment) -> bool {
        self.router_seen >= since
    }

    /// A piece of what is seen. Whether it is of the look under way.
    pub(super) fn handle_report(&mut self, at: Moment, report: &LookReport) -> bool {
        let Some(look) = self.under_way.as_mut().filter(|look| look.id == report.id) else {
            return false;
        };
        report.seen.iter().for_each(|(witness, sight)| look.see(*witness, *sight));
        look.router_address = report.gateway.or(look.router_address);
        look.over |= report.ended;
        if look.router_is_there() {
            self.router_seen = at;
        }
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
