//! An app that is always well, and notes who asked when.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// One check, as the target saw it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) app: usize,
    pub(crate) at: Instant,
}

pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/health+json\r\n\
    Content-Length: 17\r\nConnection: close\r\n\r\n{\"status\":\"pass\"}";

impl Target {
    pub(crate) fn start() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&arrivals);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, at) = (stream.unwrap(), Instant::now());
                let mut request = [0; 1024];
                let length = stream.read(&mut request).unwrap_or(0);
                let path = String::from_utf8_lossy(&request[..length]).into_owned();
                let app = path.split('/').nth(1).and_then(|app| app.parse().ok()).unwrap_or(0);
                noted.lock().unwrap().push(Arrival { app, at });
                let _ = stream.write_all(ANSWER);
            }
        });
        Target { address, arrivals }
    }

    pub(crate) fn forget(&self) {
        self.arrivals.lock().unwrap().clear();
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }
}
