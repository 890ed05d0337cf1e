//! How long it takes from the moment that an app breaks until the mail about it is accepted.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::daemon::{Daemon, Start};
use crate::figures::percentile;
use crate::report::Report;
use crate::target::{Illness, Target};

/// Asked every so many seconds; two checks in a row that fail are an alarm.
const INTERVAL: u64 = 5;
/// So many households of one app; each breaks at another time in its interval.
const TIMES: u32 = 6;
/// Whatever has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(150);

/// Once for an app that answers that it is broken, and once for one that hangs.
pub(crate) fn measure(report: &mut Report) {
    let mut figures = json!({});
    for (name, illness) in [("fails", Illness::Fails), ("hangs", Illness::Hangs)] {
        let households: Vec<_> =
            (0..TIMES).map(|number| thread::spawn(move || seconds(number, illness))).collect();
        let mut all: Vec<f64> = households.into_iter().map(|it| it.join().unwrap()).collect();
        let [median, most] = [50.0, 100.0].map(|percent| percentile(&mut all, percent));
        figures[name] = json!({ "median_s": median, "max_s": most });
        println!(
            "{:<38}{median:.1} s, {most:.1} s at most (of {TIMES}, asked every {INTERVAL} s)",
            format!("from break to accepted mail: {name}")
        );
    }
    report.keep("alarm", figures);
}

fn seconds(number: u32, illness: Illness) -> f64 {
    let target = Target::start();
    let mails = MailServer::start();
    let variables = [
        ("HEALTHCHECKER_SMTP_HOST", mails.address.ip().to_string()),
        ("HEALTHCHECKER_SMTP_PORT", mails.address.port().to_string()),
        ("HEALTHCHECKER_SMTP_SECURITY", "none".to_owned()),
        ("HEALTHCHECKER_MAIL_FROM", "hc@example.org".to_owned()),
        ("HEALTHCHECKER_EMAIL", "me@example.org".to_owned()),
    ];
    let daemon = Daemon::start_as(&Start { variables: &variables, ..Start::default() });
    daemon.watch(target.address, 1, INTERVAL);
    mails.wait_for("watching");
    thread::sleep(Duration::from_secs(INTERVAL) * number / TIMES);
    target.fall_ill(1, illness);
    let broken_at = Instant::now();
    (mails.wait_for("is UNHEALTHY") - broken_at).as_secs_f64()
}

/// One that takes every mail, and notes when.
struct MailServer {
    address: SocketAddr,
    accepted: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl MailServer {
    fn start() -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Arc::<Mutex<Vec<_>>>::default();
        let noted = Arc::clone(&accepted);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || converse(&stream, &noted));
            }
        });
        MailServer { address, accepted }
    }

    /// When a mail was accepted with this in its subject.
    fn wait_for(&self, wanted: &str) -> Instant {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let accepted = self.accepted.lock().unwrap();
            if let Some((at, _)) = accepted.iter().find(|(_, subject)| subject.contains(wanted)) {
                return *at;
            }
            drop(accepted);
            thread::sleep(Duration::from_millis(5));
        }
        panic!("no mail with {wanted:?}: {:?}", self.accepted.lock().unwrap());
    }
}

fn converse(mut stream: &TcpStream, accepted: &Mutex<Vec<(Instant, String)>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut say = |reply: &str| drop(stream.write_all(format!("{reply}\r\n").as_bytes()));
    say("220 localhost ESMTP");
    while let Some(line) = lines.next() {
        match line.get(..4).unwrap_or(&line) {
            "DATA" => {
                say("354 go ahead");
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                let subject = mail.iter().find(|line| line.starts_with("Subject: "));
                accepted
                    .lock()
                    .unwrap()
                    .push((Instant::now(), subject.cloned().unwrap_or_default()));
                say("250 taken");
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 yes"),
        }
    }
}
