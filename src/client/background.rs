//! Threads of the client.

use std::io;
use std::thread;

/// Does this on a thread of its own. Boxed, so that the program has one kind of thread, not one for each
/// caller: 2 KiB each.
///
/// # Errors
/// There is no thread to be had.
pub(super) fn start(name: &str, stack: usize, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(stack);
    thread.spawn(work).map(drop)
}
