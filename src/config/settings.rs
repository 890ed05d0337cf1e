//! The settings in force, checked: what the rest of the house may rely on.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rustls::pki_types::CertificateDer;

use crate::engine::registration::QuietTimes;
pub use crate::engine::text::secret::Secret;
use crate::engine::time::Zone;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// More log.
    pub verbose: bool,
    /// Development: mails go to the log, nothing is written to disk.
    pub test: bool,
    /// Debug log.
    pub debug: bool,
    /// The address to serve on; `::` serves both families.
    pub bind_addr: IpAddr,
    /// The port to serve on; `None` for any free one.
    pub port: Option<u16>,
    /// Who is told when a registration names nobody.
    pub email: Vec<String>,
    /// Who else may be told: addresses, or `*@` and a domain; empty: everybody.
    pub allow_email: Vec<String>,
    /// How mail is sent, or why not: what is missing, in words for the owner.
    pub mail: Result<MailSettings, String>,
    /// The address of the status page in mails; `None`: made from the address of the default route.
    pub public_url: Option<String>,
    /// The certificates of `ca_file`: authorities that are believed besides the built-in ones.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Whether the service is announced by Zeroconf.
    pub announce: bool,
    /// The most checks at once (threads).
    pub workers: u16,
    /// How long apps have to come back after the machine was booted.
    pub settle: Duration,
    /// Well-known addresses on the internet, by which it is seen whether that is there; none: it is not
    /// looked for.
    pub anchors: Vec<SocketAddr>,
    /// Whether people are told again of trouble that lasts.
    pub reminders: bool,
    /// When nobody is told of apps that say nothing of it themselves.
    pub quiet: QuietTimes,
    /// What people are told times in.
    pub zone: Zone,
    /// Who may do what over HTTP.
    pub access: AccessSettings,
    /// The folder of the state; `None` with `test`, when nothing is written to disk.
    pub state_dir: Option<PathBuf>,
}

/// Who may do what over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// Whoever sends it may change and read; `None`: everybody may change.
    pub api_token: Option<Secret>,
    /// Whoever sends it may read; `None`: everybody may.
    pub read_token: Option<Secret>,
    /// Names in small letters under which a browser may come, besides those of any household.
    pub allow_host: Vec<String>,
    /// The address that mails link to: its name is one of these.
    pub public_url: Option<String>,
}

/// How mail is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// The sender's address.
    pub from: String,
    /// The server's name or address.
    pub host: String,
    /// The server's port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who we are to the server; `None`: no login.
    pub login: Option<Login>,
    /// Whether mail is sent while our clock is plainly wrong.
    pub without_clock: bool,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after STARTTLS, never without (port 587).
    Starttls,
    /// None (port 25): for a relay on the LAN.
    None,
}

impl Security {
    /// As the option `smtp_security` says it.
    pub fn word(self) -> &'static str {
        match self {
            Security::Tls => "tls",
            Security::Starttls => "starttls",
            Security::None => "none",
        }
    }

    /// The port that such a mail server listens on (RFC 8314, RFC 6409, RFC 5321).
    pub fn usual_port(self) -> u16 {
        match self {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        }
    }
}

/// A login at the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// PLAIN or LOGIN, as the server offers.
    Password {
        /// The account.
        user: String,
        /// Its password (for Gmail an app password, spaces taken out).
        password: Secret,
    },
    /// An OAuth2 access token, which lives an hour.
    Xoauth2 {
        /// The account.
        user: String,
        /// The access token.
        token: Secret,
    },
}
