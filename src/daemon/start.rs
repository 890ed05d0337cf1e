//! From settings to a running daemon: every part is made here, and handed to the loop.

use super::channel::{Sender, channel};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use log::info;
use mio::{Poll, Waker};

use super::api::{Access, Api, Rules, runtime_directory};
use super::check_log::CheckLog;
use super::clock::{self, Clock};
use super::commit_queue::CommitQueue;
use super::descriptors::Shares;
use super::discovery::{Announcement, Discovery};
use super::echo;
use super::event_loop::{EventLoop, GATE, Inbox, SIGNALS, WAKER};
use super::gate::{Gate, bind};
use super::journal::{self, ClaimError, Folder, Journal, OpenError};
use super::lookout::{self, Lookout};
use super::mailer::{self, Mailer};
use super::mute_key::MuteKey;
use super::names::Names;
use super::prober::{CheckReport, Ourselves, Pool, Probe, Prober};
use super::public_url::PublicUrl;
use super::signals::Signals;
use super::standstill::Standstill;
use super::trust::Trust;
use super::watchdog::Watchdog;
use crate::config::in_force::InForce;
use crate::config::settings::Settings;
use crate::engine::core::{Engine, Options};
use crate::engine::outbox::Policy;
use crate::engine::query::present::VERSION;
use crate::engine::recipients::Recipients;
use crate::engine::record::Record;
use crate::engine::surroundings::look::LookReport;

/// Why the daemon could not start, or could not go on.
#[derive(Debug)]
pub enum StartError {
    /// The address and port cannot be served.
    Bind {
        /// What was tried.
        address: SocketAddr,
        /// Where the port was set.
        origin: String,
        /// What the system said.
        why: io::Error,
    },
    /// The folder for the state cannot be used.
    StateDir(ClaimError),
    /// What is on record cannot be read.
    Journal(OpenError),
    /// The system refused something that the daemon cannot do without.
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        why: io::Error,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Bind { address, origin, why } => {
                write!(f, "cannot serve on {address} (port: {origin}): {why}")
            }
            StartError::StateDir(why) => why.fmt(f),
            StartError::Journal(why) => why.fmt(f),
            StartError::System { what, why } => write!(f, "cannot {what}: {why}"),
        }
    }
}

impl std::error::Error for StartError {}

/// For `map_err`: names what was tried.
fn cannot(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |why| StartError::System { what, why }
}

/// Runs the daemon until a signal ends it.
///
/// # Errors
/// It cannot start, or the system no longer tells it of events.
pub fn run(in_force: &InForce) -> Result<(), StartError> {
    let settings = &in_force.settings;
    let clock = Clock::start();
    let poll = Poll::new().map_err(cannot("wait for events"))?;
    let waker = Waker::new(poll.registry(), WAKER).map_err(cannot("be woken by threads"))?;
    let waker = Arc::new(waker);
    let signals = Signals::catch(poll.registry(), SIGNALS).map_err(cannot("catch signals"))?;
    let wake = move || {
        if let Err(why) = waker.wake() {
            log::error!("cannot wake the event loop: {why}");
        }
    };
    let (requests, requests_in) = channel();
    let (reports, reports_in) = channel();
    let (looks, looks_in) = channel();
    let (mails, mails_in) = channel();

    let (kept, kept_in) = channel();
    let Recovered { journal, records, warnings, lost } =
        open_journal(settings, kept, wake.clone())?;
    for warning in &warnings {
        log::warn!("{warning}");
    }
    let mute_key = mute_key(settings.state_dir.as_deref())?;
    // After the journal, which knows the port that was served last.
    let listener = listen(in_force, last_port(&records))?;
    let serving = listener.local_addr().map_err(cannot("read the address that is served"))?;
    let check_log = CheckLog::start(settings.state_dir.as_deref());
    let check_log = check_log.map_err(cannot("start the health check log"))?;
    let api = Api::start(
        runtime_directory().as_deref(),
        rules(settings, mute_key.clone())?,
        check_log.reader(),
        requests,
        wake.clone(),
    );
    let api = api.map_err(cannot("start the API on a private socket"))?;
    let shares = Shares::of_this_process(usize::from(settings.workers));
    let gate = Gate::new(listener, api.door(), GATE, shares.clients);
    let mut gate = gate.map_err(cannot("serve clients"))?;
    // Whoever comes from here on waits until the loop runs, which knows all that is on record.
    gate.register(poll.registry()).map_err(cannot("wait for clients"))?;
    info!("serving on http://{serving}/healthchecker/");

    let discovery = Discovery::start(announcement(settings, serving));
    let trust = Trust::new(&settings.authorities);
    let asked = discovery.clone();
    let names = Names::new(Arc::new(move |name| asked.ask(name)), shares.look_ups);
    for record in &records {
        if let Record::Name { name, addresses } = record {
            names.remember(name, addresses);
        }
    }
    let mailer = start_mailer(settings, names.clone(), trust.clone(), mails, wake.clone())?;
    let mut engine = Engine::new(Options {
        mail: Policy {
            mailing: mailer.is_some(),
            mail_without_clock: mails_without_clock(settings),
            recipients: recipients(settings),
        },
        workers: shares.checks,
        seed: seed(),
        boot_id: clock::boot_id(),
        settle: settings.settle,
        anchors: settings.anchors.clone(),
        reminders: settings.reminders,
        quiet: settings.quiet.clone(),
        zone: settings.zone.clone(),
    });
    engine.restore(clock.now(), records);
    if lost {
        engine.handle_loss();
    }
    if let Some(trouble) = echo::trouble(engine.view().pinged()) {
        log::warn!("{trouble}");
    }
    let standstill = Standstill::watch(clock.now(), clock.asleep());
    let now = clock.now().at;
    let watchdog = Watchdog::start(serving, mailer.is_some(), now, wake.clone());
    let event_loop = EventLoop {
        started: now,
        standstill,
        watchdog: watchdog.map_err(cannot("start the watchdog"))?,
        engine,
        commits: CommitQueue::new(
            journal,
            serving.port(),
            names.clone(),
            if lost { warnings } else { Vec::new() },
        ),
        lookout: lookout(shares, names.clone(), looks, wake.clone()),
        names: names.clone(),
        pool: pool(shares, trust, names, reports, Arc::new(wake)),
        public_url: PublicUrl::new(settings.public_url.clone(), serving),
        mute_key,
        inbox: Inbox {
            requests: requests_in,
            reports: reports_in,
            looks: looks_in,
            mails: mails_in,
            kept: kept_in,
        },
        poll,
        clock,
        signals,
        check_log,
        gate,
        mailer,
        discovery,
    };
    event_loop.run().map_err(cannot("wait for events"))
}

/// The journal, and what was in it.
struct Recovered {
    journal: Journal<Record>,
    records: Vec<Record>,
    /// For the log.
    warnings: Vec<String>,
    /// Something that was on record is gone.
    lost: bool,
}

fn open_journal(
    settings: &Settings,
    reports: Sender<journal::SyncReport>,
    wake: impl Fn() + Send + 'static,
) -> Result<Recovered, StartError> {
    let tell = move |report| {
        // The loop has ended if nobody listens.
        if reports.send(report).is_ok() {
            wake();
        }
    };
    let Some(state_dir) = &settings.state_dir else {
        let journal = Journal::nowhere(tell);
        return Ok(Recovered { journal, records: Vec::new(), warnings: Vec::new(), lost: false });
    };
    let folder = Folder::claim(state_dir).map_err(StartError::StateDir)?;
    let (journal, opened) = Journal::open(folder, tell).map_err(StartError::Journal)?;
    let records = opened.batches.into_iter().flatten().collect();
    Ok(Recovered { journal, records, warnings: opened.warnings, lost: opened.lost })
}

/// The port that was served last, so that clients still find it.
fn last_port(records: &[Record]) -> Option<u16> {
    records.iter().rev().find_map(|record| match record {
        Record::Port { port } => Some(*port),
        _ => None,
    })
}

/// Opens the public listener: on the port that is set, else on the last one if it is free, else on
/// any.
fn listen(in_force: &InForce, last: Option<u16>) -> Result<std::net::TcpListener, StartError> {
    let settings = &in_force.settings;
    if settings.port.is_none()
        && let Some(listener) = last.and_then(|port| bind(settings.bind_addr, port).ok())
    {
        return Ok(listener);
    }
    let port = settings.port.unwrap_or(0);
    bind(settings.bind_addr, port).map_err(|why| StartError::Bind {
        address: SocketAddr::new(settings.bind_addr, port),
        origin: in_force.origin("port").to_string(),
        why,
    })
}

/// What the network is told, if it is to be told anything.
fn announcement(settings: &Settings, serving: SocketAddr) -> Option<Announcement> {
    // A fall back to IPv4 is seen in what is served, not in what was asked for.
    let bind: IpAddr = serving.ip();
    settings.announce.then(|| Announcement {
        bind,
        port: serving.port(),
        version: VERSION,
        hostname: hostname(),
    })
}

fn rules(settings: &Settings, mute_key: Arc<MuteKey>) -> Result<Rules, StartError> {
    let access = Access::new(&settings.access, &hostname());
    let access = access.map_err(|why| cannot("make the tokens ready")(io::Error::other(why)))?;
    Ok(Rules {
        recipients: recipients(settings),
        access,
        mute_key,
        public_url: settings.public_url.clone(),
    })
}

/// What signs the links in mails. If the disk has or takes none, they are good until the next start.
fn mute_key(state_dir: Option<&Path>) -> Result<Arc<MuteKey>, StartError> {
    let key = MuteKey::load(state_dir).or_else(|why| {
        log::warn!("links in mails are good until the next start only, for want of a key: {why}");
        MuteKey::random()
    });
    key.map(Arc::new).map_err(cannot("make the key of links in mails"))
}

fn recipients(settings: &Settings) -> Recipients {
    Recipients::new(settings.email.clone(), &settings.allow_email)
}

fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

fn pool(
    shares: Shares,
    trust: Trust,
    names: Names,
    reports: Sender<CheckReport>,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> Pool {
    let ourselves = Ourselves {
        clock_is_right: clock::is_synchronised,
        is_cut_off: lookout::is_cut_off,
        whereabouts: lookout::whereabouts,
    };
    let prober = Prober::new(names, trust, ourselves);
    let check = move |probe: &Probe| prober.check(probe);
    Pool::new(shares.checks, Arc::new(check), reports, wake)
}

fn lookout(
    shares: Shares,
    names: Names,
    reports: Sender<LookReport>,
    wake: impl Fn() + Send + Sync + 'static,
) -> Lookout {
    let tell = move |report| {
        // The loop has ended if nobody listens.
        if reports.send(report).is_ok() {
            wake();
        }
    };
    Lookout::new(names, shares.looks, Arc::new(tell))
}

/// The log of a development run needs neither date nor certificate.
fn mails_without_clock(settings: &Settings) -> bool {
    settings.test || settings.mail.as_ref().is_ok_and(|mail| mail.without_clock)
}

/// The mailer, if mail is sent at all. What can be asked of the mail server without a mail is asked at
/// once: wrong settings are to be known before the first alert.
fn start_mailer(
    settings: &Settings,
    names: Names,
    trust: Trust,
    reports: Sender<mailer::MailReport>,
    wake: impl Fn() + Send + Sync + 'static,
) -> Result<Option<Mailer>, StartError> {
    let tell = move |report| {
        // The loop has ended if nobody listens: the outbox keeps the mail.
        if reports.send(report).is_ok() {
            wake();
        }
    };
    let mailer = match &settings.mail {
        _ if settings.test => Mailer::to_log(tell),
        Ok(mail) => {
            Mailer::start(mail.clone(), names, trust, tell).map_err(cannot("start the mailer"))?
        }
        Err(_) => return Ok(None),
    };
    mailer.rehearse(settings.email.clone());
    Ok(Some(mailer))
}

/// Differs from run to run and from daemon to daemon; nothing secret hangs on it.
fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
