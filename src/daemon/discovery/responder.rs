//! One running mdns-sd daemon with our service registered in it, and what it reports.

use std::net::IpAddr;
use std::time::Duration;

use log::{debug, info, warn};
use mdns_sd::{DaemonEvent, IfKind, IfPredicate, Receiver, ServiceDaemon, ServiceInfo};

use super::Announcement;
use super::names::{INSTANCE, SERVICE_TYPE};
use super::reach::{leads_outside, serves};

/// Seconds between two looks at the machine's addresses. mdns-sd's own 5 s are needless wake-ups
/// on a machine whose addresses hardly ever change.
const IP_CHECK_SECS: u32 = 30;

/// The longest wait for the goodbye to leave.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// mdns-sd repeats a goodbye after 120 ms, in case the first was lost on the air: time for that.
const GOODBYE_REPEAT: Duration = Duration::from_millis(150);

/// The longest wait for mdns-sd's thread to end.
const SHUTDOWN_MAX: Duration = Duration::from_millis(300);

/// The service in mdns-sd's hands. The work is done by a thread of mdns-sd.
pub(super) struct Responder {
    daemon: ServiceDaemon,
    events: Receiver<DaemonEvent>,
    /// The full name that was registered; mdns-sd knows the service by it even after a rename.
    registered: String,
    /// The full name on the network: another one after a conflict.
    fullname: String,
    /// Another host name, when ours is taken.
    other_host: Option<String>,
    heard: bool,
}

impl Responder {
    /// Starts mdns-sd's thread and registers the service at `host`. Whether anything reaches the
    /// network is known only later: see [`Responder::is_heard`].
    ///
    /// # Errors
    ///
    /// No descriptors or threads left.
    pub(super) fn start(announcement: &Announcement, host: &str) -> mdns_sd::Result<Responder> {
        let daemon = ServiceDaemon::new()?;
        match register(&daemon, announcement, host) {
            Ok((events, fullname)) => Ok(Responder {
                daemon,
                events,
                registered: fullname.clone(),
                fullname,
                other_host: None,
                heard: false,
            }),
            Err(error) => {
                end_thread(&daemon);
                Err(error)
            }
        }
    }

    /// For looking names up over the same sockets.
    pub(super) fn daemon(&self) -> ServiceDaemon {
        self.daemon.clone()
    }

    /// The full name on the network.
    pub(super) fn fullname(&self) -> &str {
        &self.fullname
    }

    /// Whether mdns-sd's thread has ended.
    pub(super) fn is_dead(&self) -> bool {
        self.events.is_disconnected()
    }

    /// Whether the announcement has left on at least one interface, as far as the events read by
    /// [`Responder::read_events`] tell.
    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    /// A free host name, when the one that was given turned out to be another machine's. mdns-sd
    /// probes for it and announces it, but goes on to answer questions with the old name
    /// (0.21.7): the service must be registered anew with it.
    pub(super) fn take_other_host(&mut self) -> Option<String> {
        self.other_host.take()
    }

    /// Takes in what mdns-sd has reported since the last call. Never blocks.
    pub(super) fn read_events(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.handle_event(event);
        }
    }

    fn handle_event(&mut self, event: DaemonEvent) {
        match event {
            DaemonEvent::Announce(..) | DaemonEvent::Respond(_) => self.heard = true,
            DaemonEvent::NameChange(change) => {
                self.handle_rename(&change.original, change.new_name)
            }
            DaemonEvent::IpAdd(ip) => debug!("zeroconf: address {ip} appeared"),
            DaemonEvent::IpDel(ip) => debug!("zeroconf: address {ip} is gone"),
            DaemonEvent::Error(error) => warn!("zeroconf: {error}"),
            _ => {}
        }
    }

    /// A rename is reported once for each record and interface, and said once.
    fn handle_rename(&mut self, original: &str, new_name: String) {
        if original != self.registered {
            self.other_host = Some(new_name);
        } else if self.fullname != new_name {
            info!("zeroconf: another service has the name {original}; announced as {new_name}");
            self.fullname = new_name;
        }
    }

    /// Says goodbye to the network. Blocks for up to 1.5 s, mostly for 0.15 s.
    pub(super) fn say_goodbye(self) {
        let goodbye = self.daemon.unregister(&self.registered);
        if goodbye.is_ok_and(|done| done.recv_timeout(GOODBYE_MAX).is_ok()) {
            std::thread::sleep(GOODBYE_REPEAT);
        }
        if let Ok(ended) = self.daemon.shutdown() {
            // Nothing is left to do when the thread does not answer: the process ends anyway.
            let _ = ended.recv_timeout(SHUTDOWN_MAX);
        }
    }

    /// Lets the thread end, without waiting for it.
    pub(super) fn abandon(self) {
        end_thread(&self.daemon);
    }
}

/// Everything that mdns-sd is told, in the order in which it must hear it.
fn register(
    daemon: &ServiceDaemon,
    announcement: &Announcement,
    host: &str,
) -> mdns_sd::Result<(Receiver<DaemonEvent>, String)> {
    daemon.set_ip_check_interval(IP_CHECK_SECS)?;
    daemon.disable_interface(IfKind::Predicate(IfPredicate::new(|interface| {
        !leads_outside(&interface.name, interface.ip())
    })))?;
    let events = daemon.monitor()?;
    let service = service(announcement, host)?;
    let fullname = service.get_fullname().to_owned();
    daemon.register(service)?;
    Ok((events, fullname))
}

fn service(announcement: &Announcement, host: &str) -> mdns_sd::Result<ServiceInfo> {
    let properties = [
        ("version", announcement.version),
        ("desc", "health check micro-service"),
        ("path", "/healthchecker/"),
    ];
    let mut service =
        ServiceInfo::new(SERVICE_TYPE, INSTANCE, host, (), announcement.port, &properties[..])?
            .enable_addr_auto();
    service.set_interfaces(vec![served_by(announcement.bind)]);
    Ok(service)
}

fn served_by(bind: IpAddr) -> IfKind {
    IfKind::Predicate(IfPredicate::new(move |interface| serves(bind, interface.ip())))
}

fn end_thread(daemon: &ServiceDaemon) {
    if let Err(error) = daemon.shutdown() {
        debug!("zeroconf: cannot end the thread of mdns-sd: {error}");
    }
}
