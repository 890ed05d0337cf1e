//! Apps on one port, which are well unless told otherwise: who asked when is noted.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

const CERTIFICATE: &[u8] = include_bytes!("../tls/good.der");
const KEY: &[u8] = include_bytes!("../tls/server.key.der");

/// One check, as the target saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) app: usize,
    pub(crate) at: Instant,
}

/// What an app does that is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Illness {
    /// It answers that it is broken.
    Fails,
    /// It accepts, and says nothing.
    Hangs,
}

#[derive(Default)]
struct State {
    arrivals: Vec<Arrival>,
    /// The first so many apps are ill.
    ill: Option<(usize, Illness)>,
    /// Connections that resumed the session of one before.
    resumed: usize,
}

pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/health+json\r\n\
    Content-Length: 17\r\nConnection: close\r\n\r\n{\"status\":\"pass\"}";
const BROKEN: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\
    Connection: close\r\n\r\n";

impl Target {
    pub(crate) fn start() -> Target {
        let mut kept = Vec::new();
        Target::serving(move |mut stream, state| {
            // Connections are kept open that nobody answers.
            if let Err(Hangs) = answer(&mut stream, state) {
                kept.push(stream);
            }
        })
    }

    /// The same over TLS, by a certificate that is the app's own; whether it lets a later connection resume the
    /// session of one before.
    pub(crate) fn start_tls(resumes: bool) -> Target {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(KEY));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
            .unwrap();
        if !resumes {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        let config = Arc::new(config);
        Target::serving(move |stream, state| {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(tls, stream);
            let _ = answer(&mut stream, state);
            stream.conn.send_close_notify();
            let _ = stream.flush();
            let is_resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
            state.lock().unwrap().resumed += usize::from(is_resumed);
        })
    }

    fn serving(mut serve: impl FnMut(TcpStream, &Mutex<State>) + Send + 'static) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let target = Target { address, state: Arc::clone(&state) };
        thread::spawn(move || listener.incoming().flatten().for_each(|it| serve(it, &state)));
        target
    }

    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.arrivals.clear();
        state.resumed = 0;
    }

    /// How many of the connections did without a handshake in full.
    pub(crate) fn resumed(&self) -> usize {
        self.state().resumed
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.clone()
    }

    /// The first so many apps are ill from now on.
    pub(crate) fn fall_ill(&self, apps: usize, illness: Illness) {
        self.state().ill = Some((apps, illness));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// It gets no answer.
struct Hangs;

fn answer(stream: &mut (impl Read + Write), state: &Mutex<State>) -> Result<(), Hangs> {
    let at = Instant::now();
    let mut request = [0; 1024];
    let length = stream.read(&mut request).unwrap_or(0);
    let path = String::from_utf8_lossy(&request[..length]).into_owned();
    let app = path.split('/').nth(1).and_then(|app| app.parse().ok()).unwrap_or(0);
    let illness = {
        let mut state = state.lock().unwrap();
        state.arrivals.push(Arrival { app, at });
        state.ill.filter(|(apps, _)| app < *apps).map(|(_, illness)| illness)
    };
    match illness {
        Some(Illness::Hangs) => return Err(Hangs),
        Some(Illness::Fails) => drop(stream.write_all(BROKEN)),
        None => drop(stream.write_all(WELL)),
    }
    Ok(())
}
