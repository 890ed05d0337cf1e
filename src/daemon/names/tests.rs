use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Names that have IPv4 addresses alone.
fn names(
    look_up: impl Fn(&str) -> Result<Vec<SocketAddr>, Fault> + Send + Sync + 'static,
) -> Names {
    let look_up = move |name: &str, family| match family {
        Family::V4 => look_up(name),
        Family::V6 => Err(Fault::Unknown),
    };
    Names::with_look_up(Arc::new(|_: &str| None), THREADS_MAX, Box::new(look_up))
}

fn address(text: &str) -> SocketAddr {
    SocketAddr::new(text.parse().unwrap(), 0)
}

#[test]
fn addresses_need_no_look_up() {
    let names = names(|_| panic!("nobody is asked"));
    for (host, wanted) in [("192.168.1.7", "192.168.1.7"), ("[fe80::1]", "fe80::1"), ("::1", "::1")]
    {
        let found = names.resolve(host, soon()).unwrap();
        assert_eq!(*found, [address(wanted)]);
    }
}

#[test]
fn impossible_names_are_unknown_and_nobody_is_asked() {
    let names = names(|_| panic!("nobody is asked"));
    let long = "a".repeat(64);
    for host in ["", ".", "a..b", &long, &format!("{long}.local")] {
        assert_eq!(names.resolve(host, soon()), Err(Fault::Unknown), "{host}");
    }
}

#[test]
fn the_system_knows_localhost() {
    let names = Names::new(Arc::new(|_: &str| None), THREADS_MAX);
    let found = names.resolve("LocalHost.", soon()).unwrap();
    assert!(found.iter().all(|address| address.ip().is_loopback()));
}

#[test]
fn callers_of_one_name_share_one_look_up() {
    let asked = Arc::new(AtomicUsize::new(0));
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let count = asked.clone();
    let names = names(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        gate.lock().unwrap().recv().ok();
        Ok(vec![address("10.0.0.1")])
    });
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let names = names.clone();
            thread::spawn(move || names.resolve("nas.lan", soon()))
        })
        .collect();
    go.send(()).unwrap();
    for caller in callers {
        assert_eq!(*caller.join().unwrap().unwrap(), [address("10.0.0.1")]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_look_up_that_hangs_holds_nobody_beyond_the_deadline() {
    let (_hold, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let names = names(move |_| {
        gate.lock().unwrap().recv().ok();
        Err(Fault::Away)
    });
    let started = Instant::now();
    let deadline = started + Duration::from_millis(50);
    assert_eq!(names.resolve("nas.lan", deadline), Err(Fault::Timeout));
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn the_last_good_address_stands_in_for_a_name_service_that_hangs() {
    let (hold, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    hold.send(()).unwrap();
    let names = names(move |_| {
        gate.lock().unwrap().recv().ok();
        Ok(vec![address("10.0.0.1")])
    });
    assert!(names.resolve("nas.lan", soon()).is_ok());
    // As the time goes by.
    names.shared.lock().table.doubt("nas.lan", Instant::now() + Duration::from_secs(5));
    let resolve = || {
        let started = Instant::now();
        let found = names.resolve("nas.lan", started + Duration::from_secs(10));
        assert_eq!(*found.unwrap(), [address("10.0.0.1")]);
        started.elapsed()
    };
    resolve();
    assert!(resolve() < Duration::from_secs(5), "a check needs its time for the app");
}

#[test]
fn names_that_get_no_answer_do_not_starve_those_that_do() {
    /// More than are asked at once and wait together.
    const SLOW_ONES: usize = 300;
    let (_hold, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let names = names(move |name| {
        if name.ends_with(".example") {
            gate.lock().unwrap().recv().ok();
        }
        Ok(vec![address("10.0.0.1")])
    });
    {
        // They were slow before.
        let mut state = names.shared.lock();
        let long_ago = Instant::now() - Duration::from_secs(20);
        for n in 0..SLOW_ONES {
            let name = format!("n{n}.example");
            state.table.ask(&name, long_ago);
            state.table.begin(&name, long_ago);
            let settled = long_ago + Duration::from_secs(10);
            state.table.settle(&name, Err(Fault::Away), settled).unwrap_err();
        }
    }
    let at_once = Instant::now();
    for n in 0..SLOW_ONES {
        let fault = names.resolve(&format!("n{n}.example"), at_once).unwrap_err();
        assert_eq!(fault, Fault::NoTurn, "our own want");
    }
    assert!(names.resolve("nas.lan", soon()).is_ok());
}

#[test]
fn a_bad_answer_for_ipv6_does_not_hide_the_ipv4_address() {
    for bad in [Fault::Unknown, Fault::Away] {
        let look_up = move |_: &str, family| match family {
            Family::V4 => Ok(vec![address("10.0.0.1")]),
            Family::V6 => Err(bad),
        };
        let names = Names::with_look_up(Arc::new(|_: &str| None), THREADS_MAX, Box::new(look_up));
        assert_eq!(*names.resolve("nas.lan", soon()).unwrap(), [address("10.0.0.1")]);
    }
}

#[test]
fn a_name_with_an_ipv6_address_alone_is_found() {
    for v4 in [Err(Fault::Unknown), Err(Fault::Away), Ok(vec![])] {
        let look_up = move |_: &str, family| match family {
            Family::V4 => v4.clone(),
            Family::V6 => Ok(vec![address("fd00::1")]),
        };
        let names = Names::with_look_up(Arc::new(|_: &str| None), THREADS_MAX, Box::new(look_up));
        assert_eq!(*names.resolve("nas.lan", soon()).unwrap(), [address("fd00::1")]);
    }
}

#[test]
fn a_look_up_that_panics_is_a_failed_look_up() {
    let names = names(|_| panic!("on purpose"));
    assert_eq!(names.resolve("nas.lan", soon()), Err(Fault::Away));
    assert_eq!(names.resolve("tv.lan", soon()), Err(Fault::Away));
}

#[test]
fn a_panic_on_the_way_holds_up_nobody() {
    let broken = |_: &str| panic!("on purpose");
    let look_up = |_: &str, _| Ok(vec![address("10.0.0.1")]);
    let names = Names::with_look_up(Arc::new(broken), THREADS_MAX, Box::new(look_up));
    let other = names.clone();
    let first = thread::spawn(move || other.resolve("nas.local", soon()));
    assert!(first.join().is_err());
    let asked = names.shared.lock().table.ask("nas.local", Instant::now());
    assert!(matches!(asked, Reply::Ask { .. }));
}

#[test]
fn without_multicast_a_local_name_goes_to_the_system() {
    let names = names(|name| {
        assert_eq!(name, "nas.local");
        Ok(vec![address("10.0.0.1")])
    });
    assert!(names.resolve("NAS.local", soon()).is_ok());
}
