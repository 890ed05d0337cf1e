//! The mailer against a mail server of a few lines, which says what it is told to.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

mod server;

use self::server::{SLOWLY, Script, Server};
use super::*;
use crate::config::settings::{AccessSettings, Login, Secret, Security, Settings};
use crate::engine::time::{Now, Wall};

/// Nothing here takes longer; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn password() -> Option<Login> {
    Some(Login::Password { user: "pi".into(), password: Secret::new("geheim".into()) })
}

fn token() -> Option<Login> {
    Some(Login::Xoauth2 { user: "pi@gmail.com".into(), token: Secret::new("ya29.x".into()) })
}

fn letter(to: &str) -> RenderedMail {
    RenderedMail {
        to: to.into(),
        subject: "[HealthChecker] Kodi is UNHEALTHY".into(),
        text: "Kodi\n.\n".into(),
        html: "<p>Kodi</p>\n".into(),
        message_id: "m1".into(),
        references: vec![],
    }
}

/// Without multicast.
fn nobody_asked() -> Names {
    Names::new(Arc::new(|_: &str| None), 1)
}

fn mailer(settings: MailSettings) -> (Mailer, Receiver<MailReport>) {
    let (tell, reports) = channel();
    let tell = move |report| tell.send(report).unwrap();
    (Mailer::start(settings, nobody_asked(), Trust::new(&[]), tell).unwrap(), reports)
}

/// The end of one mail through a server with this script.
fn sent(script: Script, login: Option<Login>) -> (Delivery, Vec<String>) {
    let server = Server::start(script);
    let (mailer, reports) = mailer(server.settings(login));
    mailer.send(7, letter("owner@example.org"));
    match reports.recv_timeout(PATIENCE).unwrap() {
        MailReport::Mail { id: 7, delivery } => (delivery, server.heard()),
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
        Delivery::Settings(why) => ("settings", why),
        Delivery::Unclear(why) => ("unclear", why),
        Delivery::Content(why) => ("content", why),
        Delivery::Rejected(why) => ("rejected", why),
    };
    let table: &[(Script, &str, &str)] = &[
        (&[("GREETING", "421 4.7.0 slowly")], "much later", "421 4.7.0 slowly"),
        (&[("GREETING", "HANG UP")], "later", "hung up"),
        (&[("GREETING", "HTTP/1.1 400 Bad Request")], "later", "does it speak SMTP"),
        (&[("EHLO", "554 go away")], "settings", "our greeting with 554"),
        (
            &[("AUTH", "535-5.7.8 Username and\r\n535 5.7.8 Password not accepted")],
            "settings",
            "the login with 535 5.7.8 Username and Password not accepted; check smtp_user",
        ),
        (&[("EHLO", "250-x\r\n250 AUTH GSSAPI")], "settings", "no login that fits"),
        (&[("EHLO", "250 x")], "settings", "no login that fits"),
        (&[("MAIL", "530 5.7.0 Authentication Required")], "settings", "check mail_from"),
        (
            &[("MAIL", "530 5.7.0 Must issue a STARTTLS command first")],
            "settings",
            "STARTTLS command first; set smtp_security='starttls'",
        ),
        (&[("RCPT", "550 5.1.1 no such user")], "rejected", "the recipient with 550 5.1.1"),
        (&[("RCPT", "550 5.4.5 Daily limit")], "settings", "550 5.4.5 Daily limit"),
        (&[("RCPT", "550 unknown user")], "unclear", "550 unknown user"),
        (&[("RCPT", "553 5.7.1 not owned")], "unclear", "not owned; check mail_from"),
        (&[("RCPT", "450 4.2.1 too quickly")], "much later", "450 4.2.1"),
        (&[("DATA", "451 4.3.0 later")], "later", "the message with 451 4.3.0"),
        (&[("DATA", "250 what?")], "later", "the message with 250 what?"),
        // Nothing of it was there to be judged.
        (&[("DATA", "554 5.7.1 policy")], "settings", "the message with 554 5.7.1 policy"),
        (&[(".", "554 5.6.0 spam")], "content", "the message with 554 5.6.0 spam"),
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
    let script = &[
        ("AUTH", "334 eyJzdGF0dXMiOiI0MDAifQ=="),
        ("", "535-5.7.8 Username and Password\r\n535 5.7.8 not accepted"),
    ];
    let (delivery, heard) = sent(script, token());
    let Delivery::Settings(why) = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("535 5.7.8 Username and Password not accepted"), "{why}");
    assert!(why.contains("an access token lives an hour") && !why.contains("ya29"), "{why}");
    assert!(heard.iter().any(|line| line.starts_with("AUTH XOAUTH2 ")), "{heard:?}");
}

/// Small and old servers write their answers in their own way: the code decides.
#[test]
fn whatever_a_server_speaks_a_mail_is_handed_over() {
    let table: [(Script, &str); 8] = [
        (&[("EHLO", "250-x\r\n250-auth login\r\n250 8BITMIME")], "AUTH LOGIN"),
        (&[("EHLO", "250-x\r\n250 AUTH=LOGIN")], "AUTH LOGIN"),
        (&[("EHLO", "250-x\r\n250 AUTH=PLAIN LOGIN")], "AUTH PLAIN AHBpAGdlaGVpbQ=="),
        (&[("GREETING", "220"), ("MAIL", "250"), ("RCPT", "250"), (".", "250")], "QUIT"),
        (&[("GREETING", "220-one\r\n220-\r\n220 two")], "QUIT"),
        (&[("MAIL", "250 Exp\u{e9}diteur accept\u{e9}"), (".", "250 accept\u{e9}")], "QUIT"),
        (&[("EHLO", "250-Gr\u{fc}\u{df}e\r\n250 AUTH PLAIN")], "QUIT"),
        (&[("AUTH", "334 "), ("AHBpAGdlaGVpbQ==", "235 2.7.0 ok")], "AHBpAGdlaGVpbQ=="),
    ];
    for (script, said) in table {
        let (delivery, heard) = sent(script, password());
        assert_eq!(delivery, Delivery::Accepted, "{script:?}: {heard:?}");
        assert!(heard.iter().any(|line| line == said), "{script:?}: {said} in {heard:?}");
        if said == "AUTH LOGIN" {
            assert!(heard.iter().any(|line| line == "Z2VoZWlt"), "{heard:?}");
        }
    }
}

#[test]
fn a_server_that_knows_only_helo_gets_the_mail() {
    let (delivery, heard) = sent(&[("EHLO", "502 unknown"), ("HELO", "250 hello")], None);
    assert_eq!(delivery, Delivery::Accepted, "{heard:?}");
    let hello = heard.iter().find_map(|line| line.strip_prefix("HELO ")).unwrap();
    assert!(heard.contains(&format!("EHLO {hello}")), "{heard:?}");
    assert!(hello == "[127.0.0.1]" || hello.contains('.'), "{hello}");
}

#[test]
fn a_login_of_another_kind_is_tried_when_one_is_not_known_after_all() {
    let (delivery, heard) = sent(&[("AUTH", "504 5.5.4 Unrecognized type")], password());
    let Delivery::Settings(why) = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("504 5.5.4"), "{why}");
    assert!(heard.iter().any(|line| line == "AUTH LOGIN"), "{heard:?}");
}

#[test]
fn refusals_in_the_letters_of_old_servers_are_what_their_code_says() {
    let script = &[("RCPT", "550 5.1.1 d\u{e9}sol\u{e9}, inconnu")];
    let (delivery, _) = sent(script, password());
    let Delivery::Rejected(why) = delivery else { panic!("{delivery:?}") };
    assert!(why.ends_with("550 5.1.1 désolé, inconnu"), "{why}");
    let (delivery, _) = sent(&[("AUTH", "535 5.7.8 refus\u{e9}")], password());
    let Delivery::Settings(why) = delivery else { panic!("{delivery:?}") };
    assert!(why.contains("535 5.7.8 refusé; check smtp_user"), "{why}");
}

#[test]
fn an_answer_without_an_end_is_not_read_for_ever() {
    for stage in ["GREETING", "EHLO", "AUTH", "RCPT"] {
        let script: &'static [_] = Box::leak(Box::new([(stage, "NO END")]));
        let (delivery, _) = sent(script, password());
        let Delivery::Later(why) = delivery else { panic!("{stage}: {delivery:?}") };
        assert!(why.contains("its answer has no end"), "{stage}: {why}");
    }
    let lines: &'static str = Box::leak("250-more\r\n".repeat(100_000).into_boxed_str());
    let script: &'static [_] = Box::leak(Box::new([("EHLO", lines)]));
    let (delivery, _) = sent(script, password());
    assert!(matches!(&delivery, Delivery::Later(why) if why.contains("no end")), "{delivery:?}");
}

/// RFC 5321 section 4.5.3.2 gives it five minutes; to wait for half a minute is enough to see that half
/// a minute is not the limit. Meanwhile the next mail has its turn.
#[test]
fn a_server_may_take_its_time_and_nobody_else_waits_for_it() {
    let server = Server::start(&[("RCPT TO:<slow@example.org>", "SLOWLY")]);
    let (mailer, reports) = mailer(server.settings(None));
    mailer.send(1, letter("slow@example.org"));
    mailer.send(2, letter("quick@example.org"));
    let patience = PATIENCE + SLOWLY;
    let ids: Vec<u64> = (0..2)
        .map(|_| match reports.recv_timeout(patience).unwrap() {
            MailReport::Mail { id, delivery: Delivery::Accepted } => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [2, 1]);
    mailer.ping();
    assert_eq!(reports.recv_timeout(PATIENCE), Ok(MailReport::Alive));
}

#[test]
fn nobody_there_is_trouble_of_the_network() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let server = Server { port, heard: channel().1 };
    let (mailer, reports) = mailer(server.settings(None));
    mailer.send(1, letter("owner@example.org"));
    let why = format!("127.0.0.1:{port}: connection refused");
    let delivery = Delivery::Later(why);
    assert_eq!(reports.recv_timeout(PATIENCE), Ok(MailReport::Mail { id: 1, delivery }));
}

#[test]
fn addresses_that_are_none_keep_their_mail_and_never_reach_the_server() {
    let server = Server::start(&[]);
    let (mailer, reports) = mailer(server.settings(None));
    for to in ["nobody", "a@b.example>\r\nRCPT TO:<c@d.example", "käthe@example.org"] {
        mailer.send(2, letter(to));
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let kept = matches!(&report, MailReport::Mail { delivery: Delivery::Unclear(_), .. });
        assert!(kept, "{report:?}");
    }
    assert!(!server.heard().iter().any(|line| line.starts_with("RCPT")));
}

#[test]
fn quoted_and_literal_addresses_get_their_mail() {
    for address in ["root@[127.0.0.1]", "\"home server\"@example.org"] {
        let server = Server::start(&[]);
        let from = address.to_owned();
        let (mailer, reports) = mailer(MailSettings { from, ..server.settings(None) });
        mailer.send(2, letter(address));
        let report = reports.recv_timeout(PATIENCE).unwrap();
        assert_eq!(report, MailReport::Mail { id: 2, delivery: Delivery::Accepted });
        let heard = server.heard();
        for said in [
            format!("MAIL FROM:<{address}>"),
            format!("RCPT TO:<{address}>"),
            format!("To: {address}"),
            format!("From: HealthChecker <{address}>"),
        ] {
            assert!(heard.contains(&said), "{said} in {heard:#?}");
        }
    }
}

#[test]
fn what_a_server_has_against_us_is_known_before_there_is_a_mail() {
    let both = ["owner@example.org".to_owned(), "other@example.org".to_owned()];
    let table: [(Script, &str); 9] = [
        (&[], "Accepted"),
        (&[("AUTH", "535 5.7.8 no")], "Settings(\"the mail server answered the login with 535"),
        (
            &[("RCPT", "504 5.5.2 <pi>: need a whole name")],
            "Unclear(\"the mail server answered the rec",
        ),
        (
            &[("RCPT TO:<other@example.org>", "550 5.1.1 no")],
            "Rejected(\"other@example.org: the mail",
        ),
        (&[("RCPT", "450 4.7.1 greylisted, come again")], "Accepted"),
        (&[("RCPT", "HANG UP")], "Later("),
        (&[("MAIL", "451 4.3.0 no disk")], "Later("),
        // One mailbox says nothing of the other, nor of us.
        (
            &[
                ("RCPT TO:<owner@example.org>", "550 5.1.1 no"),
                ("RCPT TO:<other@example.org>", "554 5.7.1 relay"),
            ],
            "Unclear(",
        ),
        (&[("GREETING", "421 4.3.2 busy")], "Later("),
    ];
    for (script, said) in table {
        let server = Server::start(script);
        let (mailer, reports) = mailer(server.settings(password()));
        mailer.rehearse(both.to_vec());
        let MailReport::Rehearsal(end) = reports.recv_timeout(PATIENCE).unwrap() else { panic!() };
        assert!(format!("{end:?}").starts_with(said), "{script:?}: {end:?}");
        let heard = server.heard();
        assert!(!heard.iter().any(|line| line.starts_with("DATA")), "{heard:?}");
        let asked = heard.iter().filter(|line| line.starts_with("RCPT")).count();
        assert!(asked == 2 || !script.is_empty(), "{heard:?}");
    }
}

#[test]
fn no_starttls_means_no_mail() {
    let server = Server::start(&[]);
    let settings = MailSettings { security: Security::Starttls, ..server.settings(password()) };
    let (mailer, reports) = mailer(settings);
    mailer.send(3, letter("owner@example.org"));
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let MailReport::Mail { delivery: Delivery::Later(why), .. } = report else {
        panic!("{report:?}")
    };
    assert!(why.contains("offers no STARTTLS"), "{why}");
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH")), "the password stays");
}

#[test]
fn what_comes_before_tls_is_not_taken_for_what_comes_over_it() {
    let server = Server::start(&[
        ("EHLO", "250-mail.example\r\n250 starttls"),
        ("STARTTLS", "220 go on\r\n250 AUTH PLAIN"),
    ]);
    let settings = MailSettings { security: Security::Starttls, ..server.settings(password()) };
    let (mailer, reports) = mailer(settings);
    mailer.send(3, letter("owner@example.org"));
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let MailReport::Mail { delivery: Delivery::Later(why), .. } = report else {
        panic!("{report:?}")
    };
    assert!(why.contains("says more than was asked before TLS begins"), "{why}");
    assert!(!server.heard().iter().any(|line| line.starts_with("AUTH")), "the password stays");
}

/// Whatever comes, it is an attempt that failed, and no fault of ours.
#[test]
fn no_server_makes_it_panic() {
    const PIECES: [&[u8]; 16] = [
        b"2",
        b"5",
        b"3",
        b"0",
        b"250",
        b"354 ",
        b"220 x\r\n",
        b"250-",
        b"-",
        b" ",
        b"\r",
        b"\n",
        b"\r\n",
        b"\xff",
        b"334 =\r\n",
        b"\0",
    ];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (seed, stream) in (1_u64..).zip(listener.incoming().flatten()) {
            let mut chance = seed;
            for _ in 0..40 {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let piece = PIECES[usize::try_from(chance >> 60).unwrap()];
                // The other side may have had enough.
                let _ = (&stream).write_all(piece);
            }
        }
    });
    let server = Server { port, heard: channel().1 };
    for _ in 0..60 {
        let (mailer, reports) = mailer(server.settings(password()));
        mailer.send(1, letter("owner@example.org"));
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let said = format!("{report:?}");
        assert!(!said.contains("Accepted") && !said.contains("fault of ours"), "{said}");
    }
}

#[test]
fn tls_to_a_server_without_it_says_what_to_check() {
    let server = Server::start(&[]);
    let (mailer, reports) =
        mailer(MailSettings { security: Security::Tls, ..server.settings(None) });
    mailer.rehearse(Vec::new());
    let report = reports.recv_timeout(PATIENCE).unwrap();
    let MailReport::Rehearsal(Delivery::Later(why)) = report else { panic!("{report:?}") };
    assert!(why.contains("does smtp_security fit port"), "{why}");
}

#[test]
fn in_development_letters_go_to_the_log() {
    let (tell, reports) = channel();
    let mailer = Mailer::to_log(move |report| tell.send(report).unwrap());
    mailer.send(9, letter("owner@example.org"));
    assert_eq!(reports.try_recv(), Ok(MailReport::Mail { id: 9, delivery: Delivery::Accepted }));
    mailer.rehearse(Vec::new());
    assert!(reports.try_recv().is_err(), "there is nobody to ask");
}

fn settings(mail: Result<MailSettings, String>, email: &[&str]) -> Settings {
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
        settle: Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: crate::engine::registration::QuietTimes::default(),
        zone: crate::engine::time::Zone::UTC,
        workers: 1,
        allow_email: Vec::new(),
        access: AccessSettings::default(),
        state_dir: None,
    }
}

#[test]
fn a_test_mail_tells_what_came_of_it() {
    let now = Now { wall: Wall::from_unix_millis(1_795_474_540_000), ..Now::default() };
    let server = Server::start(&[]);
    let port = server.port;
    let told =
        test_mail(&settings(Ok(server.settings(password())), &["a@b.example", "x"]), now, None);
    assert_eq!(
        told.words,
        format!(
            "through 127.0.0.1:{port} (not encrypted) as pi, from pi@home.example\n\
             a@b.example: accepted (250 2.0.0 OK queued)\n\
             x: not to this address, or not with these settings: \"x\" is no mail address"
        )
    );
    assert_eq!(told.exit_code, 1);

    let own = test_mail(&settings(Ok(server.settings(None)), &[]), now, None);
    assert!(own.words.ends_with("pi@home.example: accepted (250 2.0.0 OK queued)"), "{own:?}");
    assert_eq!(own.exit_code, 0);

    let server = Server::start(&[("AUTH", "535 5.7.8 no")]);
    let told =
        test_mail(&settings(Ok(server.settings(password())), &["a@b.c", "d@e.f"]), now, None);
    assert!(told.words.contains("a@b.c: not with these settings: "), "{told:?}");
    assert!(told.words.ends_with("\nd@e.f: not tried"), "{told:?}");
    assert!(!told.words.contains("geheim"));

    let server = Server::start(&[("RCPT TO:<a@b.c>", "552 5.2.2 mailbox full")]);
    let people = ["a@b.c", "käthe@b.c", "d@e.f"];
    let told = test_mail(&settings(Ok(server.settings(None)), &people), now, None);
    assert!(told.words.contains("a@b.c: not to this address, or not with these"), "{told:?}");
    assert!(told.words.ends_with("\nd@e.f: accepted (250 2.0.0 OK queued)"), "{told:?}");
    assert_eq!(told.exit_code, 1);

    let why = "smtp_password is set without smtp_user";
    let off = test_mail(&settings(Err(why.to_owned()), &[]), now, None);
    assert_eq!(off.exit_code, 78);
    assert!(off.words.starts_with(&format!("no mail is sent: {why}\n")), "{off:?}");

    let paper = Settings { test: true, ..settings(Ok(server.settings(None)), &["a@b.c"]) };
    let paper = test_mail(&paper, now, None);
    assert!(paper.words.contains("To: a@b.c\nSubject: [HealthChecker] Test mail\n"), "{paper:?}");
    assert_eq!(paper.exit_code, 0);
}

#[test]
fn whoever_tries_a_server_that_says_nothing_is_told_so_in_time() {
    let now = Now { wall: Wall::from_unix_millis(1_795_474_540_000), ..Now::default() };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let mail = MailSettings { port, ..Server::start(&[]).settings(None) };
    let patience = Some(Duration::from_millis(100));
    let told = test_mail(&settings(Ok(mail), &["a@b.c"]), now, patience);
    assert_eq!(told.exit_code, 1);
    assert!(told.words.contains("a@b.c: not now: "), "{told:?}");
}
