//! The rules between the places: who goes before whom, and what is said when something is wrong.

use std::path::Path;

use super::settings::{Login, Secret};
use super::zone::tests::file as zone_file;
use super::*;
use crate::engine::time::Zone;

/// The shipped file.
const SHIPPED: &str = include_str!("../../config");

/// Overridden by a later one.
const HOME: (&str, &str) = ("HOME", "/home/me");

fn run(
    args: &[&str],
    variables: &[(&str, &str)],
    file: Option<&str>,
) -> Result<InForce, Vec<String>> {
    let read_file = |path: &Path| match (path.to_str(), file) {
        (Some("./config" | "named"), Some(file)) => Ok(file.as_bytes().to_vec()),
        (Some("/etc/localtime"), _) => Ok(zone_file(0)),
        (Some("/usr/share/zoneinfo/Europe/Berlin"), _) => Ok(zone_file(1)),
        (Some("token"), _) => Ok(b"abcd efgh\n".to_vec()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let args = args.iter().map(OsString::from);
    let variables = [HOME].iter().chain(variables);
    let variables = variables.map(|(name, value)| (name.into(), value.into()));
    match parse(args, variables, &read_file) {
        Ok(
            Command::Run(in_force) | Command::CheckConfig(in_force) | Command::TestMail(in_force),
        ) => Ok(*in_force),
        Ok(other) => panic!("{other:?}"),
        Err(problems) => Err(problems.0.iter().map(ToString::to_string).collect()),
    }
}

fn problems(args: &[&str], variables: &[(&str, &str)], file: Option<&str>) -> Vec<String> {
    run(args, variables, file).expect_err("problems")
}

#[test]
fn each_option_comes_from_the_place_that_goes_first() {
    let file = "port=1\nworkers=1\nverbose=True\nemail='f@b.c'\n";
    let variables = [
        ("HEALTHCHECKER_PORT", "2"),
        ("PORT", "3"),
        ("BIND_ADDR", "::1"),
        ("HEALTHCHECKER_WORKERS", "4"),
    ];
    let in_force = run(&["-p", "5"], &variables, Some(file)).expect("in order");
    let from = |name: &str| in_force.origin(name).to_string();
    assert_eq!((in_force.settings.port, from("port")), (Some(5), "command line -p".to_owned()));
    assert_eq!(
        (in_force.settings.workers, from("workers")),
        (4, "environment HEALTHCHECKER_WORKERS".to_owned())
    );
    assert_eq!(from("bind_addr"), "environment BIND_ADDR");
    assert_eq!((in_force.settings.verbose, from("verbose")), (true, "./config:3".to_owned()));
    assert_eq!(from("debug"), "default");
    assert_eq!(run(&[], &variables, Some(file)).expect("in order").settings.port, Some(2));
    assert_eq!(run(&[], &[("PORT", "3")], Some(file)).expect("in order").settings.port, Some(3));
    assert_eq!(run(&[], &[], Some(file)).expect("in order").settings.port, Some(1));
}

#[test]
fn none_turns_the_anchors_off_and_leaves_all_else_at_its_default() {
    let anchors = |args: &[&str], file| {
        let in_force = run(args, &[], Some(file)).expect("in order");
        (in_force.settings.anchors.len(), in_force.origin("anchors").to_string())
    };
    assert_eq!(anchors(&[], "smtp_host=None\n"), (3, "default".to_owned()));
    assert_eq!(anchors(&[], "anchors=None\n"), (0, "./config:1".to_owned()));
    assert_eq!(anchors(&["--anchors=None"], "").0, 0);
    assert_eq!(anchors(&[], "anchors=['192.0.2.1:53']\n"), (1, "./config:1".to_owned()));
    let why = problems(&[], &[], Some("anchors='1.1.1.1'"));
    assert!(why[0].starts_with("./config:1: anchors: '1.1.1.1' is not an address with a port"));
}

#[test]
fn an_odd_debug_is_a_warning_and_an_odd_port_is_not() {
    let in_force = run(&[], &[("DEBUG", "app:*")], None).expect("in order");
    assert!(!in_force.settings.debug);
    assert!(
        in_force.warnings[0].starts_with("environment DEBUG leaves debug as it is"),
        "{:?}",
        in_force.warnings
    );
    assert!(run(&[], &[("DEBUG", "1")], None).expect("in order").settings.debug);
    assert_eq!(
        problems(&[], &[("PORT", "http")], None),
        ["PORT: 'http' is not a whole number from 0 to 65535"]
    );
    assert!(
        run(&["-p", "1"], &[("PORT", "http"), ("DEBUG", "*")], None).is_ok(),
        "overridden, so not for us"
    );
    assert!(
        problems(&[], &[("HEALTHCHECKER_DEBUG", "*")], None)[0]
            .starts_with("HEALTHCHECKER_DEBUG: ")
    );
}

#[test]
fn everything_wrong_is_said_at_once_in_order() {
    let file = "prot=1\nworkers=0\n\nworkers=5\ndebug=Treu\nemail=['a@b.c'\nhelp=True\nport=1\nflavour='/x'\nport 2";
    assert_eq!(
        problems(
            &["--workers", "999", "--colour"],
            &[("HEALTHCHECKER_ANNOUNCE", "maybe")],
            Some(file)
        ),
        [
            "--colour: unknown option",
            "--workers: 999 is out of range, it takes a whole number from 1 to 256",
            "HEALTHCHECKER_ANNOUNCE: 'maybe' is neither True nor False",
            "./config:1: prot: unknown option; did you mean port?",
            "./config:2: workers: 0 is out of range, it takes a whole number from 1 to 256",
            "./config:4: workers is set twice, first on line 2; keep one",
            "./config:5: debug: 'Treu' is neither True nor False",
            "./config:6: email: a list ends with ] and has commas between its items",
            "./config:7: help: has no place in the file, only on the command line",
            "./config:9: flavour: unknown option",
            "./config:10: is not of the form name=value; a comment begins with #",
        ]
    );
}

#[test]
fn the_default_file_may_be_missing_and_a_named_one_may_not() {
    assert!(run(&[], &[], None).is_ok());
    for (args, variables) in
        [(&["--config", "gone"][..], &[][..]), (&[], &[("HEALTHCHECKER_CONFIG", "gone")])]
    {
        let problems = problems(args, variables, None);
        assert!(
            problems[0].contains("the configuration file 'gone' cannot be read"),
            "{problems:?}"
        );
    }
    let in_force = run(&["--config=named"], &[("HEALTHCHECKER_CONFIG", "gone")], Some("port=7"))
        .expect("in order");
    assert_eq!(in_force.origin("port").to_string(), "named:1");
}

#[test]
fn secrets_are_shown_nowhere() {
    let file = "email='a@b.c'\ngmail_token='hunter2'\n";
    let shown = run(&[], &[], Some(file)).expect("in order");
    assert!(!format!("{shown} {shown:?}").contains("hunter2"));
    let twice =
        "gmail_token='hunter2\\n\\x00'\nsmtp_password='hunter2\nsmtp_password = hunter2 'x\n";
    assert!(!problems(&["-gt", "a", "hunter2"], &[], Some(twice)).concat().contains("hunter2"));
}

#[test]
fn a_secret_on_the_command_line_is_warned_of() {
    let in_force = run(&["-gt", "abcd efgh", "--email=a@b.c"], &[], None).expect("in order");
    assert!(in_force.warnings[0].starts_with("-gt on the command line can be seen"));
    let login = in_force.settings.mail.expect("a way").login;
    let password = Secret::new("abcdefgh".to_owned());
    assert_eq!(login, Some(Login::Password { user: "a@b.c".to_owned(), password }));
}

#[test]
fn a_secret_comes_from_a_file_of_its_own() {
    let file = "gmail_token_file='token'\nemail='a@b.c'";
    assert!(run(&[], &[], Some(file)).expect("in order").settings.mail.is_ok());
    assert!(
        run(&["-gt="], &[], Some(file)).expect("in order").settings.mail.is_err(),
        "switched off"
    );
    let gone = problems(&[], &[], Some("gmail_token_file='x'\nsmtp_password_file='y'"));
    assert_eq!(gone.len(), 2, "{gone:?}");
}

#[test]
fn no_mail_is_a_warning_and_two_servers_are_a_problem() {
    let in_force = run(&[], &[], None).expect("in order");
    assert_eq!(in_force.warnings, ["no mail is sent: neither gmail_token nor smtp_host is set"]);
    let problems = problems(&[], &[], Some("gmail_token='x'\nsmtp_host='y'"));
    assert_eq!(
        problems,
        ["mail: gmail_token and smtp_host name two mail servers; keep one of them"]
    );
}

#[test]
fn state_has_a_folder_unless_nothing_is_written() {
    let in_force = run(&[], &[], None).expect("in order");
    let home = Path::new("/home/me/.local/state/healthchecker");
    assert_eq!(in_force.settings.state_dir.as_deref(), Some(home));
    assert!(in_force.to_string().contains("\nstate: /home/me/.local/state/healthchecker\n"));
    let homeless = [("HOME", "not/absolute")];
    let problems = problems(&[], &homeless, None);
    assert!(problems[0].starts_with("state_dir: no folder for the state"), "{problems:?}");
    assert!(run(&["--state_dir", "here"], &homeless, None).is_ok());
    let test = run(&["--test", "--state_dir", "here"], &[], None).expect("in order");
    assert!(test.settings.state_dir.is_none(), "nothing is written");
    assert!(run(&["--test"], &homeless, None).is_ok());
}

#[test]
fn the_shipped_file_names_every_option_with_its_default() {
    let in_force = run(&[], &[], Some(SHIPPED)).expect("in order");
    assert!(in_force.origins.is_empty());
    let opened: String = SHIPPED.lines().map(uncommented).collect();
    let in_force = run(&[], &[], Some(&opened)).expect("in order");
    assert_eq!(in_force.options, options::Options::default());
    let lines: Vec<&str> = SHIPPED.lines().filter_map(|line| line.strip_prefix('#')).collect();
    for spec in spec::settings() {
        let spec::Role::Setting { show, .. } = spec.role else { panic!("{}", spec.name) };
        let line = format!("{}={}", spec.name, show(&in_force.options));
        assert!(lines.contains(&line.as_str()), "{line}");
    }
}

fn uncommented(line: &str) -> String {
    let setting =
        line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    format!("{}\n", setting.unwrap_or(line))
}

#[test]
fn questions_and_commands() {
    let asked = |args: &[&str]| {
        let read_file = |_: &Path| Err(io::Error::from(io::ErrorKind::NotFound));
        let home = [HOME].map(|(name, value)| (name.into(), value.into()));
        parse(args.iter().map(OsString::from), home, &read_file)
    };
    assert!(matches!(asked(&["--help", "--nonsense"]), Ok(Command::Help)));
    assert!(matches!(asked(&["-V"]), Ok(Command::Version)));
    assert!(matches!(asked(&["test-mail", "-v"]), Ok(Command::TestMail(_))));
    assert!(matches!(asked(&["test-mail", "--check_config"]), Ok(Command::CheckConfig(_))));
    assert!(matches!(asked(&[]), Ok(Command::Run(_))));
}

#[test]
fn a_file_is_read_up_to_a_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large");
    std::fs::write(&path, vec![b'#'; 1024 * 1024]).expect("written");
    assert!(read_file(&path).is_ok());
    std::fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).expect("written");
    assert!(read_file(&path).is_err());
    assert_eq!(read_file(folder.path()).map_err(|e| e.kind()), Err(io::ErrorKind::IsADirectory));
}

#[test]
fn times_are_told_in_the_zone_that_is_set_else_in_that_of_the_machine() {
    let berlin = Zone::from_tzif(&zone_file(1)).unwrap();
    let local = |variables: &[(&str, &str)], file| {
        let in_force = run(&[], variables, file).expect("in order");
        (in_force.settings.zone.clone(), in_force.local_time.clone(), in_force)
    };
    let (zone, origin, in_force) = local(&[("TZ", "Mars")], Some("timezone='Europe/Berlin'"));
    assert_eq!((zone, origin.as_str()), (berlin.clone(), "Europe/Berlin"));
    assert!(in_force.to_string().contains("\nlocal time: Europe/Berlin\n"));
    let (zone, origin, in_force) = local(&[("TZ", ":Europe/Berlin")], None);
    assert_eq!((zone, origin.as_str()), (berlin, "TZ=:Europe/Berlin"));
    assert_eq!(in_force.origin("timezone").to_string(), "default");
    let (zone, origin, in_force) = local(&[("TZ", "Mars")], None);
    assert_eq!((zone, origin.as_str()), (Zone::UTC, "as in /etc/localtime"));
    let warned = in_force.warnings.iter().any(|warning| warning.contains("TZ is not followed"));
    assert!(warned, "{:?}", in_force.warnings);
    let wrong = problems(&[], &[], Some("port=9090\ntimezone='Europe/Berlni'"));
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("./config:2: timezone: 'Europe/Berlni' is no time zone"),
        "{wrong:?}"
    );
}
