//! Questions to all networks for a few seconds: the sockets of a [`Search`], with which the command line looks for a
//! daemon, or of a [`Survey`] of what there is; no thread.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use mio::{Events, Poll};

use super::links;
use super::search::Search;
use super::socket::{self, Open};
use super::survey::{Seen, Survey};
use super::wire::{MESSAGE_MAX, Message, Name};
use crate::client::Error;
use crate::client::discovery::{Browser, Heard, SERVICE_TYPE};
use crate::daemon::clock::Clock;
use crate::daemon::lookout::is_private;
use crate::engine::time::Moment;

/// Between two looks for a network while there is none.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const EVENTS: usize = 16;

/// What is asked, and what becomes of the answers.
pub trait Quest {
    /// When [`Quest::handle_time`] is to be called next.
    fn next_deadline(&self) -> Moment;
    /// The questions that are due, packets for every outlet.
    fn handle_time(&mut self, now: Moment) -> Vec<Vec<u8>>;
    /// A message has come in from somebody, over the interface with this number.
    fn handle_message(&mut self, now: Moment, from: (u32, SocketAddr), message: &Message<'_>);
}

/// The sockets on all networks of this machine.
struct Ears {
    poll: Poll,
    events: Events,
    clock: Clock,
    open: Vec<Open>,
    look_at: Moment,
    buffer: Vec<u8>,
}

struct SearchBrowser {
    ears: Ears,
    search: Search,
}

/// Begins to look for daemons, on all networks of this machine.
///
/// # Errors
/// Nobody can be asked: no network takes multicast, or the system has no socket left.
pub fn browse() -> Result<Box<dyn Browser>, Error> {
    let wanted = Name::dotted(SERVICE_TYPE).ok_or(Error::NotFound)?;
    let ears = Ears::open().map_err(Error::NoMulticast)?;
    let search = Search::new(wanted, ears.clock.now().at);
    Ok(Box::new(SearchBrowser { ears, search }))
}

/// Asks all networks of this machine for so long what announces itself under these types. Blocks.
///
/// # Errors
/// Nobody can be asked, and why.
pub fn survey(services: &[&'static str], within: Duration) -> Result<Vec<Seen>, String> {
    let mut ears = Ears::open()?;
    let now = ears.clock.now().at;
    let (mut survey, until) = (Survey::new(services, now), now + within);
    loop {
        let now = ears.clock.now().at;
        if until <= now {
            let is_near =
                |ip| is_private(ip) || ears.open.iter().any(|open| open.outlet.is_on_link(ip));
            return Ok(survey.seen(&is_near));
        }
        ears.turn(&mut survey, now);
        ears.sleep(&survey, until).map_err(|why| why.to_string())?;
    }
}

impl Ears {
    fn open() -> Result<Ears, String> {
        let cannot = |why: io::Error| why.to_string();
        let clock = Clock::start();
        let now = clock.now().at;
        let mut ears = Ears {
            poll: Poll::new().map_err(cannot)?,
            events: Events::with_capacity(EVENTS),
            clock,
            open: Vec::new(),
            look_at: now,
            buffer: vec![0; MESSAGE_MAX + 1],
        };
        let refused = ears.look(now).map_err(cannot)?;
        match refused.filter(|_| ears.open.is_empty()) {
            Some(why) => Err(why),
            // Without any network too: it may come.
            None => Ok(ears),
        }
    }

    /// Opens the networks that there are; why one of them cannot be used.
    fn look(&mut self, now: Moment) -> io::Result<Option<String>> {
        self.look_at = now + LOOK_AGAIN;
        let outlets = links::searched()?;
        Ok(socket::open_all(&mut self.open, outlets, self.poll.registry()))
    }

    /// Does what is due, and reads one packet of each network.
    fn turn(&mut self, quest: &mut dyn Quest, now: Moment) {
        if self.open.is_empty() && self.look_at <= now {
            // What is refused now was none a moment ago: it is looked for again.
            let _ = self.look(now);
        }
        if !self.open.is_empty() && quest.next_deadline() <= now {
            for packet in quest.handle_time(now) {
                for open in &self.open {
                    // A question that is lost is asked again.
                    let _ = open.send(None, &packet);
                }
            }
        }
        for open in &mut self.open {
            let Some((length, from)) = open.receive(&mut self.buffer) else { continue };
            let packet = self.buffer.get(..length).filter(|packet| packet.len() <= MESSAGE_MAX);
            if let Some(message) = packet.and_then(Message::read) {
                quest.handle_message(now, (open.outlet.id.link, from), &message);
            }
        }
    }

    /// Sleeps until something comes or is due, until `until` at most.
    ///
    /// # Errors
    /// The system no longer tells of packets.
    fn sleep(&mut self, quest: &dyn Quest, until: Moment) -> io::Result<()> {
        if self.open.iter().any(Open::is_readable) {
            return Ok(());
        }
        let due = if self.open.is_empty() { self.look_at } else { quest.next_deadline() };
        let timeout = self.clock.until(due.min(until));
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            for open in &mut self.open {
                open.handle_event(event);
            }
        }
        Ok(())
    }
}

impl Browser for SearchBrowser {
    fn next(&mut self, within: Duration) -> Option<Heard> {
        let until = self.ears.clock.now().at + within;
        loop {
            let now = self.ears.clock.now().at;
            self.ears.turn(&mut self.search, now);
            if let Some(heard) = self.search.poll_heard() {
                return Some(heard);
            }
            if until <= now {
                return None;
            }
            if self.ears.sleep(&self.search, until).is_err() {
                // Deaf: the time that is given for hearing passes all the same.
                thread::sleep(self.ears.clock.until(until));
                return None;
            }
        }
    }
}
