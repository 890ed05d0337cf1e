//! A place for one word from another thread. A channel would do, and is 10 KiB of program.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Takes the first word of any thread, for one that waits for it.
#[derive(Debug)]
pub(super) struct Slot<T> {
    said: Mutex<Option<T>>,
    changed: Condvar,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Slot<T> {
        Slot { said: Mutex::new(None), changed: Condvar::new() }
    }

    /// Says it, unless another was first.
    pub(super) fn say(&self, word: T) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get_or_insert(word);
        self.changed.notify_all();
    }

    /// Waits for a word and takes it; `None` when none was said within this time.
    pub(super) fn wait(&self, within: Duration) -> Option<T> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(said, within, |said| said.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_first_word_is_heard_once_and_silence_ends() {
        let slot = Slot::new();
        assert_eq!(slot.wait(Duration::ZERO), None);
        thread::scope(|scope| {
            scope.spawn(|| {
                slot.say(1);
                slot.say(2);
            });
        });
        assert_eq!(slot.wait(Duration::from_secs(3600)), Some(1));
        assert_eq!(slot.wait(Duration::ZERO), None);
    }
}
