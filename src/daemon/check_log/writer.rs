//! The thread that writes: asleep until there is a line, then once for all lines of a moment.

use crate::daemon::channel::{Receiver, RecvError, Sender};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Transit;
use super::store::{Opened, Store};
use super::waiting::Waiting;
use crate::engine::check_log::Line;
use crate::engine::text::plain::harmless_json;

/// How long a line waits for others: a change of an app comes with a change of its state, a power
/// cut in the house with that of many, and a sync for each wears the card.
const COMPANY: Duration = Duration::from_secs(2);
/// After a failure the disk is tried again so often, as long as there are lines to write.
const RETRY: Duration = Duration::from_secs(30);

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    Line(Line),
    /// Show all lines there are.
    Look(Sender<Look>),
    /// Write what waits, and end.
    Finish,
}

/// All lines there are.
#[derive(Debug)]
pub(super) struct Look {
    /// Those that are on no disk, after the others.
    pub(super) unwritten: Vec<u8>,
    /// The files, newest first.
    pub(super) files: Vec<Opened>,
}

/// The state of the thread.
pub(super) struct Writer {
    /// `None`: lines stay in memory.
    store: Option<Store>,
    transit: Arc<Transit>,
    tell: Sender<Option<String>>,
    waiting: Waiting,
    /// A line among those that wait should not wait for the system to write it.
    urgent: bool,
    write_at: Option<Instant>,
    trouble: Option<String>,
    /// Lines that the log will never have.
    lost: usize,
}

impl Writer {
    pub(super) fn new(
        store: Option<Store>,
        transit: Arc<Transit>,
        tell: Sender<Option<String>>,
    ) -> Writer {
        Writer {
            store,
            transit,
            tell,
            waiting: Waiting::default(),
            urgent: false,
            write_at: None,
            trouble: None,
            lost: 0,
        }
    }

    /// Works until it is told to finish.
    pub(super) fn work(mut self, inbox: &Receiver<Order>) {
        loop {
            let order = match self.write_at {
                None => inbox.recv(),
                Some(at) => inbox.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match order {
                Ok(Order::Line(line)) => self.take(&line),
                Ok(Order::Look(to)) => {
                    self.write();
                    // Who asked may have gone.
                    let _ = to.send(self.look());
                }
                Err(RecvError::Timeout) => self.write(),
                Ok(Order::Finish) | Err(RecvError::Disconnected) => return self.write(),
            }
        }
    }

    fn take(&mut self, line: &Line) {
        self.transit.weight.fetch_sub(line.weight(), Ordering::Relaxed);
        match serde_json::to_string(line) {
            // The file is read on terminals.
            Ok(json) => self.lost += self.waiting.push(harmless_json(&json).as_bytes()),
            Err(why) => log::error!("cannot write a line of the health check log as JSON: {why}"),
        }
        if self.store.is_none() {
            return;
        }
        self.urgent |= line.is_urgent();
        self.write_at.get_or_insert_with(|| Instant::now() + COMPANY);
        if self.waiting.is_plenty() && self.trouble.is_none() {
            self.write();
        }
    }

    /// Writes what waits.
    fn write(&mut self) {
        let Some(store) = self.store.as_ref().filter(|_| !self.waiting.is_empty()) else { return };
        match store.append(self.waiting.text(), self.urgent) {
            Ok(()) => {
                self.waiting.clear();
                self.urgent = false;
                self.write_at = None;
                self.all_is_well();
            }
            Err(why) => {
                self.write_at = Some(Instant::now() + RETRY);
                self.all_is_not_well(why);
            }
        }
    }

    fn all_is_well(&mut self) {
        if self.trouble.take().is_some() {
            log::info!("the health check log is written again");
            let _ = self.tell.send(None);
        }
        let lost = std::mem::take(&mut self.lost) + self.transit.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            log::warn!("{lost} lines of the health check log were lost while the disk took none");
        }
    }

    fn all_is_not_well(&mut self, why: String) {
        if self.trouble.is_none() {
            log::warn!("{why}; its newest lines wait in memory");
        }
        if self.trouble.as_ref() != Some(&why) {
            let _ = self.tell.send(Some(why.clone()));
            self.trouble = Some(why);
        }
    }

    fn look(&self) -> Look {
        Look {
            unwritten: self.waiting.text().to_vec(),
            files: self.store.as_ref().map(Store::open_all).unwrap_or_default(),
        }
    }
}
