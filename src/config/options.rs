//! The options as they were set, before anything is derived from them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::settings::{Secret, Security};
use crate::engine::registration::QuietTimes;

/// Checks at once, unless told otherwise: of these, 26 may be held by apps that hang. To find 50 of those that are asked
/// every 5 s takes two checks each, of 5 s: so their turns are over after 20 s, where 25 would be just enough.
const DEFAULT_WORKERS: u16 = 36;

/// How long devices have to come back after a power cut, unless told otherwise: a NAS with many disks
/// takes ten minutes.
const DEFAULT_SETTLE: Duration = Duration::from_secs(600);

/// Who is asked whether the internet is there, unless told otherwise: public resolvers of three operators
/// (Quad9, Cloudflare, Google), who invite anybody to ask them. At the port of names over HTTPS, since many a
/// router answers for the whole internet at that of plain names.
const DEFAULT_ANCHORS: [SocketAddr; 3] = [anchor(9, 9), anchor(1, 1), anchor(8, 8)];

/// `9.9.9.9:443`: all three have such addresses.
const fn anchor(high: u8, low: u8) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(high, low, high, low)), 443)
}

/// One field for each option of the table in [`super::table`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The table says what each one means, to the owner too.
pub struct Options {
    pub verbose: bool,
    pub test: bool,
    pub debug: bool,
    pub bind_addr: IpAddr,
    pub port: Option<u16>,
    pub announce: bool,
    pub public_url: Option<String>,
    pub workers: u16,
    pub settle: Duration,
    pub anchors: Vec<SocketAddr>,
    pub timezone: Option<String>,
    pub state_dir: Option<PathBuf>,
    pub api_token: Option<Secret>,
    pub api_token_file: Option<PathBuf>,
    pub read_token: Option<Secret>,
    pub read_token_file: Option<PathBuf>,
    pub allow_host: Vec<String>,
    pub email: Vec<String>,
    pub allow_email: Vec<String>,
    pub mail_from: Option<String>,
    pub mail_without_clock: bool,
    pub reminders: bool,
    pub quiet: QuietTimes,
    pub gmail_token: Option<Secret>,
    pub gmail_token_file: Option<PathBuf>,
    pub gmail_user: Option<String>,
    pub smtp_host: Option<String>,
    pub smtp_port: Option<u16>,
    pub smtp_security: Option<Security>,
    pub smtp_user: Option<String>,
    pub smtp_password: Option<Secret>,
    pub smtp_password_file: Option<PathBuf>,
    pub ca_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            verbose: false,
            test: false,
            debug: false,
            bind_addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: None,
            announce: true,
            public_url: None,
            workers: DEFAULT_WORKERS,
            settle: DEFAULT_SETTLE,
            anchors: DEFAULT_ANCHORS.to_vec(),
            timezone: None,
            state_dir: None,
            api_token: None,
            api_token_file: None,
            read_token: None,
            read_token_file: None,
            allow_host: Vec::new(),
            email: Vec::new(),
            allow_email: Vec::new(),
            mail_from: None,
            mail_without_clock: false,
            reminders: true,
            quiet: QuietTimes::default(),
            gmail_token: None,
            gmail_token_file: None,
            gmail_user: None,
            smtp_host: None,
            smtp_port: None,
            smtp_security: None,
            smtp_user: None,
            smtp_password: None,
            smtp_password_file: None,
            ca_file: None,
        }
    }
}
