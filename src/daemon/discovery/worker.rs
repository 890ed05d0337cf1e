//! The thread of mDNS: sockets, links and the clock on one side, the pure machines on the other.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::Announcement;
use super::allowance::Listening;
use super::asking::{Asking, QuestionId};
use super::herald::{Herald, News};
use super::links::{self, Outlet, OutletId};
use super::responder::{Responder, Send};
use super::socket::{self, Open};
use super::wire::{MESSAGE_MAX, Message, Name};
use crate::daemon::channel::{Receiver, Sender, channel};
use crate::daemon::clock::Clock;
use crate::engine::time::Moment;

/// Between two looks at the machine's networks.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// As that, while there is none: Wi-Fi comes late.
const LOOK_SOON: Duration = Duration::from_secs(2);
/// After a fault in this room that ended all it was doing.
const AFTER_A_PANIC: Duration = Duration::from_secs(60);
/// Before the goodbye is said again, in case the first was lost on the air.
const GOODBYE_AGAIN: Duration = Duration::from_millis(120);
/// Enough for one message and a few names.
const STACK: usize = 128 * 1024;

/// The token of the waker; those of the sockets are made of link and family.
const WAKE: Token = Token(0);
const EVENTS: usize = 16;

/// What the others want.
pub(super) enum Command {
    /// The addresses of a name.
    Ask { id: QuestionId, name: Name, asker: Sender<Vec<SocketAddr>> },
    /// Not any more.
    Forget { id: QuestionId },
    /// Say goodbye and end.
    Stop { done: Sender<()> },
}

pub(super) struct Worker {
    poll: Poll,
    commands: Receiver<Command>,
    clock: Clock,
    announcement: Option<Announcement>,
    /// Keeps the service announced; none where only questions are asked.
    responder: Option<Responder>,
    asking: Asking<Sender<Vec<SocketAddr>>>,
    open: Vec<Open>,
    listening: Listening,
    /// Until when nothing is read: too much has come.
    deaf_until: Option<Moment>,
    look_at: Moment,
    herald: Herald,
    /// Why an outlet cannot be used.
    refused: Option<String>,
    buffer: Vec<u8>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread or no descriptor is left.
    pub(super) fn start(
        announcement: Option<Announcement>,
    ) -> io::Result<(Sender<Command>, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let (sender, commands) = channel();
        let clock = Clock::start();
        let now = clock.now().at;
        let mut worker = Worker {
            poll,
            commands,
            clock,
            announcement,
            responder: None,
            asking: Asking::new(),
            open: Vec::new(),
            listening: Listening::new(now),
            deaf_until: None,
            look_at: now,
            herald: Herald::new(now),
            refused: None,
            buffer: vec![0; MESSAGE_MAX + 1],
        };
        worker.begin(now);
        let work = move || {
            while catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                log::warn!("zeroconf: begins anew in a minute, after a fault of its own");
                worker.begin(worker.clock.now().at + AFTER_A_PANIC);
            }
        };
        thread::Builder::new().name("zeroconf".to_owned()).stack_size(STACK).spawn(work)?;
        Ok((sender, waker))
    }

    /// Nothing is known and nothing is open until `at`.
    fn begin(&mut self, at: Moment) {
        let seed = RandomState::new().build_hasher().finish();
        self.responder = self.announcement.as_ref().map(|what| Responder::new(what, seed, at));
        self.asking = Asking::new();
        self.open.clear();
        self.look_at = at;
    }

    /// Works until somebody says stop, or nobody is left who could.
    fn run(&mut self) {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            let now = self.clock.now().at;
            let timeout = self.next_deadline(now).map(|at| self.clock.until(at));
            if let Err(why) = self.poll.poll(&mut events, timeout)
                && why.kind() != io::ErrorKind::Interrupted
            {
                log::warn!("zeroconf: the system no longer tells of packets: {why}");
                return;
            }
            for event in &events {
                for open in &mut self.open {
                    open.handle_event(event);
                }
            }
            let now = self.clock.now().at;
            while let Ok(command) = self.commands.try_recv() {
                match command {
                    Command::Ask { id, name, asker } => self.asking.ask(id, name, asker, now),
                    Command::Forget { id } => self.asking.forget(id),
                    Command::Stop { done } => {
                        self.say_goodbye(now);
                        // It may have stopped waiting.
                        let _ = done.send(());
                        return;
                    }
                }
            }
            self.turn(now);
        }
    }

    fn turn(&mut self, now: Moment) {
        if self.look_at <= now {
            self.look(now);
        }
        self.read(now);
        if let Some(responder) = &mut self.responder {
            responder.handle_time(now);
        }
        for packet in self.asking.handle_time(now) {
            for open in &self.open {
                // A question that is lost is asked again.
                let _ = open.send(None, &packet);
            }
        }
        self.flush(now);
        if let Some(news) = self.news() {
            self.herald.handle(now, news);
        }
    }

    fn next_deadline(&self, now: Moment) -> Option<Moment> {
        let herald = self.responder.as_ref().and_then(|_| self.herald.next_deadline(now));
        let deadlines = [
            Some(self.look_at),
            self.deaf_until,
            self.asking.next_deadline(),
            self.responder.as_ref().and_then(Responder::next_deadline),
            herald,
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Looks which networks there are.
    fn look(&mut self, now: Moment) {
        let bind = self.announcement.as_ref().map(|announcement| announcement.bind);
        let outlets = match links::outlets(bind) {
            Ok(outlets) => outlets,
            Err(why) => {
                // No descriptor is left, say: what is open goes on.
                self.refused = Some(format!("the networks cannot be listed: {why}"));
                self.look_at = now + LOOK_AGAIN;
                return;
            }
        };
        self.open.retain(|open| outlets.contains(&open.outlet));
        self.refused = socket::open_all(&mut self.open, outlets, self.poll.registry());
        if let Some(responder) = &mut self.responder {
            let usable: Vec<Outlet> = self.open.iter().map(|open| open.outlet.clone()).collect();
            responder.handle_links(now, &usable);
        }
        self.look_at = now + if self.open.is_empty() { LOOK_SOON } else { LOOK_AGAIN };
    }

    /// Reads what has come, as much of it as is good for us.
    fn read(&mut self, now: Moment) {
        if self.deaf_until.is_some_and(|until| now < until) {
            return;
        }
        self.deaf_until = None;
        for index in 0..self.open.len() {
            while let Some(open) = self.open.get_mut(index).filter(|open| open.is_readable()) {
                if !self.listening.may_read(now) {
                    self.deaf_until = Some(now + Listening::PAUSE);
                    return;
                }
                let id = open.outlet.id;
                if let Some((length, from)) = open.receive(&mut self.buffer) {
                    self.handle_packet(now, id, length, from);
                }
            }
        }
    }

    fn handle_packet(&mut self, now: Moment, id: OutletId, length: usize, from: SocketAddr) {
        if length > MESSAGE_MAX || !self.listening.may_look(from.ip(), now) {
            return;
        }
        let Some(message) = self.buffer.get(..length).and_then(Message::read) else {
            return;
        };
        self.asking.handle_message((id.link, from), &message, |asker, found| {
            // Who asked may have stopped waiting.
            let _ = asker.send(found);
        });
        if let Some(responder) = &mut self.responder {
            responder.handle_message(now, id, from, &message);
            self.flush(now);
        }
    }

    /// Sends what the responder has to say.
    fn flush(&mut self, now: Moment) {
        let Some(responder) = &mut self.responder else {
            return;
        };
        while let Some(Send { outlet, to, packet }) = responder.poll_send() {
            let Some(open) = self.open.iter().find(|open| open.outlet.id == outlet) else {
                continue;
            };
            let sent = open.send(to, &packet);
            if to.is_none() {
                // A full buffer is no fault of the network; what is lost is asked for again.
                let is_full = |why: &io::Error| why.kind() == io::ErrorKind::WouldBlock;
                responder.handle_sent(now, outlet, sent.as_ref().err().is_none_or(is_full));
            }
            if let Err(why) = sent {
                log::debug!("zeroconf: cannot send at {outlet:?}: {why}");
                self.refused = Some(socket::plain(&why));
            }
        }
    }

    fn say_goodbye(&mut self, now: Moment) {
        for pause in [GOODBYE_AGAIN, Duration::ZERO] {
            if let Some(responder) = self.responder.as_mut().filter(|one| one.is_heard()) {
                responder.goodbye();
                self.flush(now);
                thread::sleep(pause);
            }
        }
    }

    fn news(&self) -> Option<News> {
        let responder = self.responder.as_ref()?;
        Some(match &self.refused {
            _ if responder.is_heard() => {
                let (service, host) = responder.names();
                News::Heard { service, host }
            }
            Some(why) => News::Refused(why.clone()),
            None if responder.next_deadline().is_none() => News::NoNetwork,
            None => News::NoName,
        })
    }
}
