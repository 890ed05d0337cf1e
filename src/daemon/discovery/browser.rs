//! The browser of the command line, which looks for a daemon once and for a few seconds: the sockets of a
//! [`Search`], and no thread.

use std::io;
use std::thread;
use std::time::Duration;

use mio::{Events, Poll};

use super::links;
use super::search::Search;
use super::socket::{self, Open};
use super::wire::{MESSAGE_MAX, Message, Name};
use crate::client::Error;
use crate::client::discovery::{Browser, Heard, SERVICE_TYPE};
use crate::daemon::clock::Clock;
use crate::engine::time::Moment;

/// Between two looks for a network while there is none.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const EVENTS: usize = 16;

struct SearchBrowser {
    poll: Poll,
    events: Events,
    clock: Clock,
    open: Vec<Open>,
    look_at: Moment,
    search: Search,
    buffer: Vec<u8>,
}

/// Begins to look for daemons, on all networks of this machine.
///
/// # Errors
/// Nobody can be asked: no network takes multicast, or the system has no socket left.
pub fn browse() -> Result<Box<dyn Browser>, Error> {
    let cannot = |why: io::Error| Error::NoMulticast(why.to_string());
    let wanted = Name::dotted(SERVICE_TYPE).ok_or(Error::NotFound)?;
    let clock = Clock::start();
    let now = clock.now().at;
    let mut browser = SearchBrowser {
        poll: Poll::new().map_err(cannot)?,
        events: Events::with_capacity(EVENTS),
        clock,
        open: Vec::new(),
        look_at: now,
        search: Search::new(wanted, now),
        buffer: vec![0; MESSAGE_MAX + 1],
    };
    let refused = browser.look(now).map_err(cannot)?;
    match refused.filter(|_| browser.open.is_empty()) {
        Some(why) => Err(Error::NoMulticast(why)),
        // Without any network too: it may come.
        None => Ok(Box::new(browser)),
    }
}

impl SearchBrowser {
    /// Opens the networks that there are; why one of them cannot be used.
    fn look(&mut self, now: Moment) -> io::Result<Option<String>> {
        self.look_at = now + LOOK_AGAIN;
        let outlets = links::searched()?;
        Ok(socket::open_all(&mut self.open, outlets, self.poll.registry()))
    }

    /// Does what is due, and reads one packet of each network.
    fn turn(&mut self, now: Moment) {
        if self.open.is_empty() && self.look_at <= now {
            // What is refused now was none a moment ago: it is looked for again.
            let _ = self.look(now);
        }
        if !self.open.is_empty()
            && let Some(packet) = self.search.handle_time(now)
        {
            for open in &self.open {
                // A question that is lost is asked again.
                let _ = open.send(None, &packet);
            }
        }
        for open in &mut self.open {
            let Some((length, from)) = open.receive(&mut self.buffer) else { continue };
            let packet = self.buffer.get(..length).filter(|packet| packet.len() <= MESSAGE_MAX);
            if let Some(message) = packet.and_then(Message::read) {
                self.search.handle_message(now, (open.outlet.id.link, from), &message);
            }
        }
    }

    /// Sleeps until something comes or is due, until `until` at most.
    ///
    /// # Errors
    /// The system no longer tells of packets.
    fn sleep(&mut self, until: Moment) -> io::Result<()> {
        if self.open.iter().any(Open::is_readable) {
            return Ok(());
        }
        let due = if self.open.is_empty() { self.look_at } else { self.search.next_deadline() };
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
        let until = self.clock.now().at + within;
        loop {
            let now = self.clock.now().at;
            self.turn(now);
            if let Some(heard) = self.search.poll_heard() {
                return Some(heard);
            }
            if until <= now {
                return None;
            }
            if self.sleep(until).is_err() {
                // Deaf: the time that is given for hearing passes all the same.
                thread::sleep(self.clock.until(until));
                return None;
            }
        }
    }
}
