//! What is seen of the household in a look around.

use std::net::{IpAddr, SocketAddr};

use healthchecker::engine::registration::Host;
use healthchecker::engine::surroundings::look::{
    LOOK_TAKES, Look, LookReport, Place, Sight, Witness,
};
use healthchecker::engine::verdict::answer::{CheckEnd, Verdict, Whereabouts};

use super::{Answer, Event, World};

impl World {
    /// Others are looked at: each shows what its apps would answer. Who lives is seen at once.
    pub(super) fn look(&mut self, look: &Look) {
        let router = IpAddr::from([192, 168, 1, 1]);
        let has_spoken = look.routers.contains(&router);
        let sights = look.witnesses.iter().map(|(witness, place)| {
            let sight = self.sight(place);
            let is_known = *witness != Witness::Gateway || has_spoken || !self.link_is_slow;
            let is_doubtful = sight == Sight::Nothing && !is_known;
            (*witness, if is_doubtful { Sight::Undecided } else { sight })
        });
        let (silent, seen): (Vec<_>, Vec<_>) =
            sights.partition(|(_, sight)| *sight == Sight::Nothing);
        let asked = look.witnesses.iter().map(|(_, place)| match place {
            Place::Port { host, .. } | Place::Echo { host } => host.to_string(),
            Place::Gateways => "gateway".to_owned(),
        });
        self.looks.push((self.now.at.as_millis(), asked.collect()));
        let (id, cut_off, gateway) = (look.id, self.cut_off, Some(router));
        let spoke = gateway.filter(|_| seen.contains(&(Witness::Gateway, Sight::Answers)));
        if self.looks_are_lost {
            return;
        }
        let ended = silent.is_empty();
        let first = LookReport { id, seen, cut_off, gateway, spoke, ended };
        self.later(1, Event::Seen(first));
        if !ended {
            let takes = LOOK_TAKES.as_millis() as u64;
            let last = LookReport { id, seen: silent, cut_off, gateway, spoke, ended: true };
            self.later(takes, Event::Seen(last));
        }
    }

    fn answer_at(&self, host: &str, port: u16) -> Option<&Answer> {
        self.answers.get(&format!("{host}:{port}")).or_else(|| self.answers.get(host))
    }

    fn sight(&self, place: &Place) -> Sight {
        match place {
            Place::Port { host, .. } | Place::Echo { host } if is_our_name(&host.to_string()) => {
                Sight::Ourselves
            }
            _ if self.cut_off || self.deaf => Sight::Nothing,
            Place::Gateways => self.gateway,
            Place::Port { host: Host::Address(address), .. }
                if anchors().iter().any(|anchor| anchor.ip() == *address) =>
            {
                if self.offline || self.anchors_are_silent {
                    Sight::Nothing
                } else {
                    Sight::Answers
                }
            }
            Place::Port { host, .. } | Place::Echo { host }
                if self.offline && is_outside(&host.to_string()) =>
            {
                Sight::Nothing
            }
            Place::Echo { host } => self.seen(self.answers.get(&host.to_string())),
            Place::Port { host, port } => self.seen(self.answer_at(&host.to_string(), *port)),
        }
    }

    fn seen(&self, answer: Option<&Answer>) -> Sight {
        match answer {
            Some(Answer::Hang | Answer::Overslept(_)) => Sight::Nothing,
            Some(Answer::Refused) => Sight::HostOnly,
            _ => Sight::Answers,
        }
    }
}

/// Well-known addresses outside.
pub(super) fn anchors() -> Vec<SocketAddr> {
    [1, 2, 3].map(|last| SocketAddr::from(([198, 51, 100, last], 53))).to_vec()
}

/// Whether this is our own machine, by the name that others use.
pub(super) fn is_our_name(host: &str) -> bool {
    host == "our-pi"
}

/// Whether a place, `HOST` or `HOST:PORT`, is.
pub(super) fn is_outside(place: &str) -> bool {
    place.split(':').next().is_some_and(|host| host.ends_with(".example"))
}

/// A check out there says so.
pub(super) fn from_outside(end: CheckEnd) -> CheckEnd {
    match end {
        CheckEnd::Verdict(verdict) => {
            CheckEnd::Verdict(Verdict { whereabouts: Some(Whereabouts::Public), ..verdict })
        }
        other => other,
    }
}
