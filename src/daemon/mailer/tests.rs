//! The mailer against a mail server of a few lines, which says what it is told to.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::*;
use crate::config::settings::{AccessSettings, Login, Secret, Security, Settings};
use crate::engine::time::Wall;

/// Nothing here takes longer; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers to commands by their first word, else what a friendly server says. `HANG UP` closes.
type Script = &'static [(&'static str, &'static str)];

/// Serves one connection after the other on the loopback interface; what they sent, line by line.
struct Server {
    port: u16,
    heard: Receiver<String>,
}

impl Server {
    fn start(script: Script) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // The other side may leave at any time.
                let _ = converse(stream.unwrap(), script, &tell);
            }
        });
        Server { port, heard }
    }

    fn settings(&self, login: Option<Login>) -> MailSettings {
        MailSettings {
            from: "pi@home.example".into(),
            host: "127.0.0.1".into(),
            port: self.port,
            security: Security::None,
            login,
        }
    }

    /// All lines of the conversations so far.
    fn heard(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }
}

fn converse(stream: TcpStream, script: Script, tell: &Sender<String>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let say = |verb: &str, usual: &str| {
        let scripted = script.iter().find(|(it, _)| *it == verb).map(|(_, answer)| *answer);
        match scripted.unwrap_or(usual) {
            "HANG UP" => Err(io::ErrorKind::ConnectionAborted.into()),
            answer => (&stream).write_all(format!("{answer}\r\n").as_bytes()),
        }
    };
    say("GREETING", "220 mail.example ESMTP")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split(' ').next().unwrap_or_default().to_owned();
        let _ = tell.send(line);
        match verb.as_str() {
            "EHLO" => {
                say("EHLO", "250-mail.example\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME")?
            }
            "AUTH" => say("AUTH", "235 2.7.0 Accepted")?,
            "DATA" => {
                say("DATA", "354 go on")?;
                if script.iter().all(|(it, _)| *it != "DATA") {
                    let body = lines.by_ref().map_while(Result::ok).take_while(|it| it != ".");
                    body.for_each(|line| drop(tell.send(line)));
                    say(".", "250 2.0.0 OK queued")?;
                }
            }
            "QUIT" => return say("QUIT", "221 2.0.0 bye"),
            other => say(other, "250 2.1.0 OK")?,
        }
    }
    Ok(())
}

fn password() -> Option<Login> {
    Some(Login::Password { user: "pi".into(), password: Secret::new("geheim".into()) })
}

fn token() -> Option<Login> {
    Some(Login::Xoauth2 { user: "pi@gmail.com".into(), token: Secret::new("ya29.x".into()) })
}

fn letter(to: &str) -> Letter {
    Letter {
        to: to.into(),
        subject: "[HealthChecker] Kodi is UNHEALTHY".into(),
        text: "Kodi\n.\n".into(),
        html: "<p>Kodi</p>\n".into(),
        message_id: "m1".into(),
        references: vec![],
    }
}

fn mailer(settings: MailSettings) -> (Mailer, Receiver<Report>) {
    let (tell, reports) = channel();
    let tell = move |report| tell.send(report).unwrap();
    (Mailer::start(settings, Trust::new(&[]), tell).unwrap(), reports)
}

/// The end of one mail through a server with this script.
fn sent(script: Script, login: Option<Login>) -> (Delivery, Vec<String>) {
    let server = Server::start(script);
    let (mailer, reports) = mailer(server.settings(login));
    mailer.send(7, letter("owner@example.org"));
    match reports.recv_timeout(PATIENCE).unwrap() {
        Report::Mail { id: 7, delivery } => (delivery, server.heard()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_letter_is_handed_over() {
    let (delivery, heard) = sent(&[], password());
    assert_eq!(delivery, Delivery::Accepted);
    let said = |it: &str| assert!(heard.iter().any(|line| line == it), "{it} in {heard:#?}");
    said("AUTH PLAIN AHBpAGdlaGVpbQ==");
    said("MAIL FROM:<pi@home.example>");
    said("RCPT TO:<owner@example.org>");
    said("Subject: [HealthChecker] Kodi is UNHEALTHY");
    said("..");
    said("QUIT");
}

#[test]
fn what_the_server_says_decides() {
    let kind = |script: Script| match sent(script, password()).0 {
        Delivery::Accepted => ("accepted", String::new()),
        Delivery::Later(why) => ("later", why),
        Delivery::MuchLater(why) => ("much later", why),
        Delivery::Credentials(why) => ("credentials", why),
        Delivery::Rejected(why) => ("rejected", why),
    };
    let table: &[(Script, &str, &str)] = &[
        (&[("GREETING", "421 4.7.0 slowly")], "much later", "421 4.7.0 slowly"),
        (&[("GREETING", "HANG UP")], "later", "hung up"),
        (&[("EHLO", "554 go away")], "later", "our greeting with 554"),
        (
            &[("AUTH", "535-5.7.8 Username and\r\n535 5.7.8 Password not accepted")],
            "credentials",
            "the login with 535 5.7.8 Username and Password not accepted; check smtp_user",
        ),
        (&[("EHLO", "250-x\r\n250 AUTH GSSAPI")], "credentials", "no login that fits"),
        (&[("MAIL", "530 5.7.0 Authentication Required")], "credentials", "check mail_from"),
        (&[("RCPT", "550 5.1.1 no such user")], "rejected", "the recipient with 550 5.1.1"),
        (&[("RCPT", "550 5.4.5 Daily limit")], "credentials", "550 5.4.5"),
        (&[("RCPT", "450 4.2.1 too quickly")], "much later", "450 4.2.1"),
        (&[("DATA", "451 4.3.0 later")], "later", "the message with 451 4.3.0"),
        (&[(".", "554 5.6.0 spam")], "rejected", "the message with 554 5.6.0 spam"),
        (&[(".", "HANG UP")], "later", "hung up"),
        (&[("QUIT", "HANG UP")], "accepted", ""),
    ];
    for (script, meant, words) in table {
        let (end, why) = kind(script);
        assert_eq!(end, *meant, "{script:?}: {why}");
        assert!(why.contains(words), "{script:?}: {why}");
    }
}

#[test]
fn a_refused_token_is_said_as_what_it_is() {
    let (delivery, heard) = sent(&[("AUTH", "334 eyJzdGF0dXMiOiI0MDAifQ==")], token());
    let Delivery::Credentials(why) = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("refused the access token; an access token lives an hour"), "{why}");
    assert!(!why.contains("ya29"), "{why}");
    assert!(heard.iter().any(|line| line.starts_with("AUTH XOAUTH2 ")), "{heard:?}");
}

#[test]
fn nobody_there_is_trouble_of_the_network() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let server = Server { port, heard: channel().1 };
    let (mailer, reports) = mailer(server.settings(None));
    mailer.send(1, letter("owner@example.org"));
    let why = format!("127.0.0.1:{port}: connection refused");
    let delivery = Delivery::Later(why);
    assert_eq!(reports.recv_timeout(PATIENCE), Ok(Report::Mail { id: 1, delivery }));
}

#[test]
fn addresses_that_are_none_are_refused_before_they_are_sent() {
    let server = Server::start(&[]);
    let (mailer, reports) = mailer(server.settings(None));
    for to in ["nobody", "a@b.example>\r\nRCPT TO:<c@d.example", "käthe@example.org"] {
        mailer.send(2, letter(to));
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let refused = matches!(&report, Report::Mail { delivery: Delivery::Rejected(_), .. });
        assert!(refused, "{report:?}");
    }
    assert!(!server.heard().iter().any(|line| line.starts_with("RCPT")));
}

#[test]
fn the_login_is_tried_without_a_mail() {
    for (script, accepted) in [(&[] as Script, true), (&[("AUTH", "535 5.7.8 no")], false)] {
        let server = Server::start(script);
        let (mailer, reports) = mailer(server.settings(password()));
        mailer.probe_login();
        let Report::Login(end) = reports.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert_eq!(end == Delivery::Accepted, accepted, "{end:?}");
        assert!(!server.heard().iter().any(|line| line.starts_with("MAIL")));
    }
}

#[test]
fn no_starttls_means_no_mail() {
    let server = Server::start(&[]);
    let settings = MailSettings { security: Security::Starttls, ..server.settings(password()) };
    let (mailer, reports) = mailer(settings);
    mailer.send(3, letter("owner@example.org"));
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let Report::Mail { delivery: Delivery::Later(why), .. } = report else { panic!("{report:?}") };
    assert!(why.contains("offers no STARTTLS"), "{why}");
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH")), "the password stays");
}

#[test]
fn tls_to_a_server_without_it_says_what_to_check() {
    let server = Server::start(&[]);
    let (mailer, reports) =
        mailer(MailSettings { security: Security::Tls, ..server.settings(None) });
    mailer.probe_login();
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let Report::Login(Delivery::Later(why)) = report else { panic!("{report:?}") };
    assert!(why.contains("does smtp_security fit port"), "{why}");
}

#[test]
fn in_development_letters_go_to_the_log() {
    let (tell, reports) = channel();
    let mailer = Mailer::to_log(move |report| tell.send(report).unwrap());
    mailer.send(9, letter("owner@example.org"));
    assert_eq!(reports.try_recv(), Ok(Report::Mail { id: 9, delivery: Delivery::Accepted }));
    mailer.probe_login();
    assert!(reports.try_recv().is_err(), "there is nobody to log in to");
}

fn settings(mail: Option<MailSettings>, email: &[&str]) -> Settings {
    Settings {
        verbose: false,
        test: false,
        debug: false,
        bind_addr: Ipv4Addr::LOCALHOST.into(),
        port: None,
        email: email.iter().map(ToString::to_string).collect(),
        mail,
        public_url: None,
        authorities: Vec::new(),
        announce: false,
        workers: 1,
        allow_email: Vec::new(),
        access: AccessSettings::default(),
        state_dir: None,
    }
}

#[test]
fn a_test_mail_tells_what_came_of_it() {
    let now = Wall::from_unix_millis(1_795_474_540_000);
    let server = Server::start(&[]);
    let port = server.port;
    let told = test_mail(&settings(Some(server.settings(password())), &["a@b.example", "x"]), now);
    assert_eq!(
        told.words,
        format!(
            "through 127.0.0.1:{port} (not encrypted) as pi, from pi@home.example\n\
             a@b.example: accepted (250 2.0.0 OK queued)\n\
             x: refused: \"x\" is no mail address"
        )
    );
    assert_eq!(told.exit_code, 1);

    let own = test_mail(&settings(Some(server.settings(None)), &[]), now);
    assert!(own.words.ends_with("pi@home.example: accepted (250 2.0.0 OK queued)"), "{own:?}");
    assert_eq!(own.exit_code, 0);

    let server = Server::start(&[("AUTH", "535 5.7.8 no")]);
    let told = test_mail(&settings(Some(server.settings(password())), &["a@b.c", "d@e.f"]), now);
    assert!(told.words.contains("a@b.c: not with these settings: "), "{told:?}");
    assert!(told.words.ends_with("\nd@e.f: not tried"), "{told:?}");
    assert!(!told.words.contains("geheim"));

    let off = test_mail(&settings(None, &[]), now);
    assert_eq!(off.exit_code, 78);
    assert!(off.words.contains("set gmail_token"), "{off:?}");

    let paper = Settings { test: true, ..settings(Some(server.settings(None)), &["a@b.c"]) };
    let paper = test_mail(&paper, now);
    assert!(paper.words.contains("To: a@b.c\nSubject: [HealthChecker] Test mail\n"), "{paper:?}");
    assert_eq!(paper.exit_code, 0);
}
