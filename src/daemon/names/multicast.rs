//! Waits for the answer to a `NAME.local` over mDNS.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Fault;
use crate::daemon::discovery::Question;

/// How long an answer is waited for: three questions are asked by then, at about 0, 1 and 3 s. Who
/// does not answer in this time is switched off.
const PATIENCE: Duration = Duration::from_millis(3500);

/// How long is waited for the IPv4 address when the IPv6 address came first, in a packet of its own.
const OTHER_FAMILY: Duration = Duration::from_millis(100);

/// The addresses, real interfaces first. [`Fault::Away`] when nobody answers in the time that
/// those who are there need, [`Fault::Timeout`] when `deadline` comes before that.
pub(super) fn answer(
    question: &Question,
    deadline: Option<Instant>,
) -> Result<Vec<SocketAddr>, Fault> {
    let patience = Instant::now() + PATIENCE;
    let deadline = deadline.unwrap_or(patience);
    let Some(mut found) = question.next(deadline.min(patience)) else {
        return Err(if patience <= deadline { Fault::Away } else { Fault::Timeout });
    };
    if !found.iter().any(SocketAddr::is_ipv4) {
        let other = question.next(deadline.min(Instant::now() + OTHER_FAMILY));
        found.extend(other.unwrap_or_default());
    }
    // The one that most small servers listen on goes first, an address that would be our own last.
    found.sort_by_key(|address| (address.ip().is_loopback(), address.is_ipv6()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::Names;
    use super::*;
    use crate::daemon::channel::channel;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_local_name_is_asked_once_for_many_and_remembered() {
        let (there, answers) = channel();
        let once = std::sync::Mutex::new(Some(answers));
        let names = Names::new(
            Arc::new(move |name: &str| {
                assert_eq!(name, "nas.local");
                let answers = once.lock().unwrap().take().expect("asked for only once");
                Some(Question::answered_by(answers))
            }),
            1,
        );
        let deadline = Instant::now() + Duration::from_secs(10);
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let names = names.clone();
                std::thread::spawn(move || names.resolve("NAS.local", deadline))
            })
            .collect();
        there.send(vec![address("10.0.0.5:0")]).unwrap();
        for caller in callers {
            let found = caller.join().unwrap().unwrap();
            assert_eq!(*found, [address("10.0.0.5:0")]);
        }
        let at_once = names.resolve("nas.local", Instant::now());
        assert!(at_once.is_ok(), "remembered");
    }

    #[test]
    fn nobody_answers_for_a_host_that_is_off() {
        let asked = Arc::new(AtomicU32::new(0));
        let (count, (there, answers)) = (Arc::clone(&asked), channel());
        let answers = std::sync::Mutex::new(Some(answers));
        let names = Names::new(
            Arc::new(move |_: &str| {
                count.fetch_add(1, Ordering::Relaxed);
                answers.lock().unwrap().take().map(Question::answered_by)
            }),
            1,
        );
        let soon = Instant::now() + Duration::from_millis(100);
        assert_eq!(names.resolve("no-such-host.local", soon), Err(Fault::Timeout));
        assert!(Instant::now() >= soon);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        drop(there);
    }

    #[test]
    fn the_family_that_comes_a_little_later_is_waited_for() {
        let (there, answers) = channel();
        there.send(vec![address("[fe80::5%3]:0")]).unwrap();
        there.send(vec![address("10.0.0.5:0")]).unwrap();
        let question = Question::answered_by(answers);
        let found = answer(&question, None).unwrap();
        assert_eq!(found, [address("10.0.0.5:0"), address("[fe80::5%3]:0")]);
    }
}
