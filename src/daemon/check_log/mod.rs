//! The health check log on the disk, and back from it.
//!
//! A line of JSON for each event that [`crate::engine::check_log`] thinks worth one, newest last, in
//! `checks.log` of the state folder; when that is full it becomes `checks.log.1`, and that one
//! `checks.log.2`. Losing a line is no misfortune, so nothing waits for it: lines go to a thread,
//! which writes those of a moment together. A disk that takes none is said once, and tried again.
//!
//! - `writer`: the thread, asleep until there is a line;
//! - `waiting`: the lines that are not on the disk yet, within bounds;
//! - `store`: the files;
//! - `reader`: the newest lines of an app, found from the end with `backwards`.

mod backwards;
mod reader;
mod store;
mod waiting;
mod writer;

use crate::daemon::channel::{Receiver, Sender, channel};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use crate::engine::check_log::Line;

pub(crate) use reader::{Found, LogReader, Query};

use store::Store;
use writer::{Order, Writer};

/// The newest lines.
pub const NEWEST: &str = "checks.log";
/// Older ones, newest first. With them 100 quiet apps look back on ten days, ten apps on a season.
pub const OLDER: [&str; 2] = ["checks.log.1", "checks.log.2"];
/// A file grows no larger. A search through all of them takes an ARMv6 a fraction of a second.
pub const FILE_MAX: u64 = 1024 * 1024;

/// Lines on their way to the thread may weigh so much: an hour of 10,000 apps twice. More pile up
/// only behind a disk that hangs.
const IN_TRANSIT_MAX: usize = 4 * 1024 * 1024;
/// The thread formats a line at a time, and calls the system.
const STACK: usize = 64 * 1024;

/// The health check log in the hand of the event loop, which never waits for it. Dropping it writes
/// what still waits.
#[derive(Debug)]
pub struct CheckLog {
    orders: Sender<Order>,
    transit: Arc<Transit>,
    troubles: Receiver<Option<String>>,
    trouble: Option<String>,
    thread: Option<JoinHandle<()>>,
}

/// What is on its way to the thread.
#[derive(Debug, Default)]
struct Transit {
    /// About how many bytes.
    weight: AtomicUsize,
    /// Lines that found no room.
    lost: AtomicUsize,
}

impl CheckLog {
    /// Starts the thread that writes to `folder`; without one (`--test`) the newest lines stay in
    /// memory. A folder that cannot be used is no error: see [`CheckLog::trouble`].
    ///
    /// # Errors
    /// The system has no thread for us.
    pub fn start(folder: Option<&Path>) -> io::Result<CheckLog> {
        let (orders, inbox) = channel();
        let (tell, troubles) = channel();
        let transit = Arc::new(Transit::default());
        let writer = Writer::new(folder.map(Store::new), Arc::clone(&transit), tell);
        let thread = thread::Builder::new().name("check log".to_owned()).stack_size(STACK);
        let thread = Some(thread.spawn(move || writer.work(&inbox))?);
        Ok(CheckLog { orders, transit, troubles, trouble: None, thread })
    }

    /// Has a line written, within seconds.
    pub fn write(&mut self, line: Line) {
        self.hear();
        let weight = line.weight();
        if self.transit.weight.load(Ordering::Relaxed) + weight > IN_TRANSIT_MAX {
            self.transit.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.transit.weight.fetch_add(weight, Ordering::Relaxed);
        if self.orders.send(Order::Line(line)).is_err() {
            self.trouble = Some("the health check log's thread has ended".to_owned());
        }
    }

    /// Why lines do not reach the disk now, in a sentence for `/health`; `None` when all is well.
    pub fn trouble(&mut self) -> Option<&str> {
        self.hear();
        self.trouble.as_deref()
    }

    /// For the API's threads.
    pub fn reader(&self) -> LogReader {
        LogReader::new(self.orders.clone())
    }

    fn hear(&mut self) {
        if let Some(latest) = self.troubles.try_iter().last() {
            self.trouble = latest;
        }
    }
}

impl Drop for CheckLog {
    fn drop(&mut self) {
        // Readers hold the channel open, so its end alone would not do.
        let _ = self.orders.send(Order::Finish);
        if let Some(thread) = self.thread.take() {
            // A panic has been logged by the thread itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
