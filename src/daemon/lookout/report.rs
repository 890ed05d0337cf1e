//! Tells what was seen, in pieces, as it comes.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Tell, is_cut_off};
use crate::engine::surroundings::look::{LookReport, Sight, Witness};

/// What is still to be told of a look. Dropped, it tells the rest: of who is left nothing can be said.
pub(super) struct Report {
    id: u64,
    tell: Arc<Tell>,
    cut_off: bool,
    gateway: Option<IpAddr>,
    spoke: Option<IpAddr>,
    /// Who is not decided yet.
    open: Vec<Witness>,
    /// Not told yet.
    seen: Vec<(Witness, Sight)>,
    anybody: bool,
}

impl Report {
    pub(super) fn new(id: u64, open: Vec<Witness>, tell: Arc<Tell>) -> Report {
        let (cut_off, gateway, seen, anybody) = (false, None, Vec::new(), false);
        Report { id, tell, cut_off, gateway, spoke: None, open, seen, anybody }
    }

    /// The look begins, on this or on no network.
    pub(super) fn set_out(&mut self, cut_off: bool) {
        self.cut_off = cut_off;
    }

    /// The router that is asked.
    pub(super) fn set_gateway(&mut self, gateway: Option<IpAddr>) {
        self.gateway = gateway;
    }

    /// This router has answered, and not at the link alone.
    pub(super) fn set_spoke(&mut self, router: IpAddr) {
        self.spoke = Some(router);
    }

    /// This was seen of a witness. What is seen of it later is of no interest.
    pub(super) fn note(&mut self, witness: Witness, sight: Sight) {
        let Some(place) = self.open.iter().position(|open| *open == witness) else { return };
        self.open.swap_remove(place);
        self.seen.push((witness, sight));
        self.anybody |= matches!(sight, Sight::Answers | Sight::HostOnly);
    }

    /// Whether nothing is known of a witness yet.
    pub(super) fn is_open(&self, witness: Witness) -> bool {
        self.open.contains(&witness)
    }

    /// Whether all are decided.
    pub(super) fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// Tells what was seen since this was called last. The rest comes with the end.
    pub(super) fn tell(&mut self) {
        if !self.seen.is_empty() && !self.is_whole() {
            self.pass_on(false);
        }
    }

    fn pass_on(&mut self, ended: bool) {
        let seen = std::mem::take(&mut self.seen);
        let (id, cut_off) = (self.id, self.cut_off);
        let (gateway, spoke) = (self.gateway, self.spoke);
        (self.tell)(LookReport { id, seen, cut_off, gateway, spoke, ended });
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        let rest = self.open.drain(..).map(|witness| (witness, Sight::Undecided));
        self.seen.extend(rest);
        // The cable may have been pulled meanwhile.
        self.cut_off |= !self.anybody && is_cut_off();
        self.pass_on(true);
    }
}
