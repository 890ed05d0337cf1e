//! How threads send each other messages: a queue, a lock and a condition.
//!
//! It is what `std::sync::mpsc` is to its users, for a sixth of its code: std compiles three kinds
//! of channel for every type of message, 5 KB each on a Pi. Nobody here sends so much that the lock
//! would be felt.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Room for so many messages is kept when all are taken; after a flood the rest is given back.
const ROOM_KEPT: usize = 64;

/// A new channel. Messages come out in the order in which they went in.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { queue: VecDeque::new(), senders: 1, receiver_lives: true, waiting: 0 };
    let shared = Arc::new(Shared { state: Mutex::new(state), arrived: Condvar::new() });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// The end that messages go into. Clones lead to the same receiver.
pub struct Sender<T>(Arc<Shared<T>>);

/// The end that messages come out of.
pub struct Receiver<T>(Arc<Shared<T>>);

/// The receiver is gone; here is your message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvError {
    /// None has come in time.
    Timeout,
    /// None will come: all senders are gone.
    Disconnected,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

struct State<T> {
    queue: VecDeque<T>,
    senders: usize,
    receiver_lives: bool,
    /// So many threads wait for a message. Where nobody does, as with all that the event loop is sent, none
    /// is notified: that is a system call each time.
    waiting: usize,
}

impl<T> Shared<T> {
    /// No code of others runs under the lock, so nothing is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<T> {
        let message = self.queue.pop_front();
        if self.queue.is_empty() && self.queue.capacity() > ROOM_KEPT {
            self.queue = VecDeque::new();
        }
        message
    }
}

impl<T> Sender<T> {
    /// Sends a message. Never waits.
    ///
    /// # Errors
    /// The receiver is gone.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let mut state = self.0.lock();
        if !state.receiver_lives {
            return Err(SendError(message));
        }
        state.queue.push_back(message);
        let somebody_waits = state.waiting > 0;
        drop(state);
        if somebody_waits {
            self.0.arrived.notify_one();
        }
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.0.lock().senders += 1;
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.arrived.notify_one();
    }
}

impl<T> Receiver<T> {
    /// Waits for the next message.
    ///
    /// # Errors
    /// All senders are gone, and so are their messages.
    pub fn recv(&self) -> Result<T, RecvError> {
        self.wait(None)
    }

    /// Waits for the next message, for so long at most.
    ///
    /// # Errors
    /// None has come, or none will.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvError> {
        self.wait(Instant::now().checked_add(timeout))
    }

    /// The next message, if one is there.
    ///
    /// # Errors
    /// None is there, or none will be.
    pub fn try_recv(&self) -> Result<T, RecvError> {
        let mut state = self.0.lock();
        match state.take() {
            Some(message) => Ok(message),
            None if state.senders == 0 => Err(RecvError::Disconnected),
            None => Err(RecvError::Timeout),
        }
    }

    /// All messages, until all senders are gone.
    pub fn iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// The messages that are there.
    pub fn try_iter(&self) -> impl Iterator<Item = T> {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    fn wait(&self, until: Option<Instant>) -> Result<T, RecvError> {
        let mut state = self.0.lock();
        loop {
            if let Some(message) = state.take() {
                return Ok(message);
            }
            if state.senders == 0 {
                return Err(RecvError::Disconnected);
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Err(RecvError::Timeout);
            }
            let arrived = &self.0.arrived;
            state.waiting += 1;
            state = match left {
                None => arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.waiting -= 1;
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.receiver_lives = false;
        let unread = std::mem::take(&mut state.queue);
        drop(state);
        // Messages may hold senders of this very channel.
        drop(unread);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the receiver is gone")
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn messages_come_in_order_and_then_the_end() {
        let (sender, receiver) = channel();
        let other = sender.clone();
        sender.send(1).unwrap();
        other.send(2).unwrap();
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(receiver.try_recv(), Err(RecvError::Timeout));
        sender.send(3).unwrap();
        drop((sender, other));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [3]);
        assert_eq!(receiver.try_recv(), Err(RecvError::Disconnected));
    }

    #[test]
    fn a_message_to_nobody_comes_back() {
        let (sender, receiver) = channel();
        drop(receiver);
        assert_eq!(sender.send("lost"), Err(SendError("lost")));
    }

    #[test]
    fn whoever_waits_is_woken_by_a_message_and_by_the_end() {
        let (sender, receiver) = channel();
        let waiting = thread::spawn(move || receiver.iter().sum::<u64>());
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let sender = sender.clone();
                thread::spawn(move || (1..=1000).for_each(|n| sender.send(n).unwrap()))
            })
            .collect();
        drop(sender);
        for sender in senders {
            sender.join().unwrap();
        }
        assert_eq!(waiting.join().unwrap(), 4 * 500_500);
    }

    #[test]
    fn a_wait_ends_in_time_and_not_before() {
        let (_sender, receiver) = channel::<()>();
        let wait = Duration::from_millis(50);
        let started = Instant::now();
        assert_eq!(receiver.recv_timeout(wait), Err(RecvError::Timeout));
        assert!(started.elapsed() >= wait);
        assert_eq!(receiver.recv_timeout(Duration::ZERO), Err(RecvError::Timeout));
    }

    #[test]
    fn a_channel_that_holds_its_own_sender_ends() {
        #[derive(Debug)]
        struct Message(#[allow(dead_code, reason = "it is held, not read")] Sender<Message>);
        let (sender, receiver) = channel();
        sender.send(Message(sender.clone())).unwrap();
        drop(receiver);
        assert!(sender.send(Message(sender.clone())).is_err());
    }

    #[test]
    fn a_flood_leaves_no_room_behind() {
        let (sender, receiver) = channel();
        (0..10_000).for_each(|n| sender.send(n).unwrap());
        assert_eq!(receiver.try_iter().count(), 10_000);
        assert!(receiver.0.lock().queue.capacity() <= ROOM_KEPT);
    }
}
