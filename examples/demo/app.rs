//! A pretend app: answers `/health` as its mood is.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How soon a change of mood shows.
const LOOKS_EVERY: Duration = Duration::from_millis(20);

/// How an app feels, and so what it answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    /// It works, but says that something is wrong.
    Warns(&'static str),
    Fails(&'static str),
    /// It takes connections and never answers.
    Hangs,
    /// Nobody is at its address: connections are refused.
    Gone,
}

/// An app on a port of its own of this machine.
pub(crate) struct PretendApp {
    pub(crate) name: &'static str,
    /// Who is told of it.
    pub(crate) person: &'static str,
    pub(crate) address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
}

impl PretendApp {
    pub(crate) fn start(name: &'static str, person: &'static str) -> Result<Self, String> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.map_err(|why| format!("no port for {name}: {why}"))?;
        let address =
            listener.local_addr().map_err(|why| format!("no address for {name}: {why}"))?;
        let mood = Arc::new(Mutex::new(Mood::Well));
        let its_mood = Arc::clone(&mood);
        thread::spawn(move || serve(address, listener, &its_mood));
        Ok(Self { name, person, address, mood })
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap_or_else(PoisonError::into_inner) = mood;
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn serve(address: SocketAddr, listener: TcpListener, mood: &Mutex<Mood>) {
    let mut listener = Some(listener);
    let mut unanswered = Vec::new();
    loop {
        let mood = *mood.lock().unwrap_or_else(PoisonError::into_inner);
        if mood != Mood::Hangs {
            unanswered.clear();
        }
        listener = match listener {
            Some(_) if mood == Mood::Gone => None,
            None if mood != Mood::Gone => listen(address).ok(),
            as_it_is => as_it_is,
        };
        match listener.as_ref().map(TcpListener::accept) {
            Some(Ok((caller, _))) if mood == Mood::Hangs => unanswered.push(caller),
            // A caller that has gone meanwhile needs no answer.
            Some(Ok((caller, _))) => drop(answer(caller, mood)),
            Some(Err(why)) if why.kind() != ErrorKind::WouldBlock => {}
            _ => thread::sleep(LOOKS_EVERY),
        }
    }
}

fn answer(mut caller: TcpStream, mood: Mood) -> std::io::Result<()> {
    caller.set_nonblocking(false)?;
    caller.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match caller.read(&mut part)? {
            0 => return Ok(()),
            length => request.extend_from_slice(part.get(..length).unwrap_or_default()),
        }
    }
    let (status, body) = match mood {
        Mood::Warns(what) => ("200 OK", format!(r#"{{"status":"warn","output":"{what}"}}"#)),
        Mood::Fails(what) => {
            ("503 Service Unavailable", format!(r#"{{"status":"fail","output":"{what}"}}"#))
        }
        _ => ("200 OK", r#"{"status":"pass"}"#.to_owned()),
    };
    let length = body.len();
    write!(
        caller,
        "HTTP/1.1 {status}\r\nContent-Type: application/health+json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}
