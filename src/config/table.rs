//! The one table of options: command line, environment, file, help text and `--check_config` all
//! read it.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::access;
use super::quoted::{quoted, quoted_list};
use super::settings::{Secret, Security};
use super::spec::{Role, Spec, Takes};
use super::value;

/// The most checks at once. Each takes a descriptor and a stack; a process has 1,024 descriptors
/// unless somebody raised that, and the clients of the API need some too.
const MAX_WORKERS: u16 = 256;

/// How long things may settle, in seconds: a device that needs longer is broken, and after less a router
/// has not started yet.
const SETTLE: RangeInclusive<u64> = 60..=1800;

/// The most anchors: two of them decide.
const ANCHORS_MAX: usize = 8;

const FLAG: Takes = Takes::Nothing;
const TEXT: Takes = Takes::Value("TEXT");
const NUMBER: Takes = Takes::Value("INTEGER");
const FILE: Takes = Takes::Value("FILE");

/// Every option there is.
pub static OPTIONS: [Spec; 38] = [
    Spec::setting(
        "verbose",
        FLAG,
        &["more log: what every check found"],
        |options, given| value::flag(given).map(|on| options.verbose = on),
        |options| shown_flag(options.verbose),
    )
    .short("v"),
    Spec::setting(
        "test",
        FLAG,
        &["for development: mails go to the log instead of out, nothing is written to disk"],
        |options, given| value::flag(given).map(|on| options.test = on),
        |options| shown_flag(options.test),
    )
    .short("t"),
    Spec::setting(
        "debug",
        FLAG,
        &["debug log: all that there is, and what the libraries say"],
        |options, given| value::flag(given).map(|on| options.debug = on),
        |options| shown_flag(options.debug),
    )
    .short("d")
    .variable("DEBUG"),
    Spec::setting(
        "bind_addr",
        TEXT,
        &["the address to serve on; 0.0.0.0 is all of IPv4, :: serves IPv4 and IPv6"],
        |options, given| value::ip(given).map(|ip| options.bind_addr = ip),
        |options| quoted(&options.bind_addr.to_string()),
    )
    .short("ba")
    .variable("BIND_ADDR"),
    Spec::setting(
        "port",
        NUMBER,
        &[
            "the port to serve on; one that is taken ends the start",
            "0 is any free port, the one that was used last if it is free",
        ],
        |options, given| {
            value::whole(given, 0..=u16::MAX)
                .map(|port| options.port = Some(port).filter(|p| *p > 0))
        },
        |options| options.port.unwrap_or(0).to_string(),
    )
    .short("p")
    .variable("PORT"),
    Spec::setting(
        "announce",
        Takes::Value("BOOL"),
        &["whether the service is announced by Zeroconf, so that apps find it by name"],
        |options, given| value::flag(given).map(|on| options.announce = on),
        |options| shown_flag(options.announce),
    ),
    Spec::setting(
        "public_url",
        TEXT,
        &[
            "the address of the status page for the link in mails",
            "if not set, it is made from this machine's address and the port",
        ],
        |options, given| value::web_address(given).map(|url| options.public_url = url),
        |options| shown_text(options.public_url.as_ref()),
    ),
    Spec::setting(
        "workers",
        NUMBER,
        &["the most checks at the same time, 1 to 256; threads are started when they are needed"],
        |options, given| value::whole(given, 1..=MAX_WORKERS).map(|n| options.workers = n),
        |options| options.workers.to_string(),
    ),
    Spec::setting(
        "settle",
        Takes::Value("SPAN"),
        &[
            "how long apps have to come back after the machine was booted, as after a power cut:",
            "1m to 30m (m: minutes, s: seconds); who is not back then is told in one report",
        ],
        |options, given| value::span(given, SETTLE).map(|span| options.settle = span),
        |options| quoted(&value::shown_span(options.settle)),
    ),
    Spec::setting(
        "anchors",
        Takes::Value("ADDRESS:PORT"),
        &[
            "who is asked whether the internet is there, when an app out there does not answer: up to",
            "8 addresses with ports, several with commas between them, or as a list; they are connected",
            "to, and nothing is sent; None: nobody is asked",
        ],
        |options, given| value::anchors(given, ANCHORS_MAX).map(|list| options.anchors = list),
        |options| match options.anchors.as_slice() {
            [] => not_set(),
            all => quoted_list(&all.iter().map(ToString::to_string).collect::<Vec<_>>()),
        },
    )
    .none_is_a_value(),
    Spec::setting(
        "timezone",
        TEXT,
        &[
            "what mails, pages and the log tell times in: a name in /usr/share/zoneinfo, such as",
            "Europe/Berlin, or a rule such as CET-1CEST,M3.5.0,M10.5.0/3 (as for the variable TZ)",
            "if not set: that of TZ, else of /etc/localtime, else UTC",
        ],
        |options, given| value::text(given).map(|zone| options.timezone = zone),
        |options| shown_text(options.timezone.as_ref()),
    ),
    Spec::setting(
        "state_dir",
        Takes::Value("FOLDER"),
        &[
            "where registrations, states, unsent mails and the health check log are kept",
            "one that exists is used as it is",
            "if not set: $STATE_DIRECTORY, else $XDG_STATE_HOME/healthchecker,",
            "else ~/.local/state/healthchecker",
        ],
        |options, given| value::path(given).map(|path| options.state_dir = path),
        |options| shown_path(options.state_dir.as_ref()),
    ),
    Spec::setting(
        "api_token",
        TEXT,
        &["whoever changes something must send this token (Authorization: Bearer TOKEN)"],
        |options, given| access::bearer_token(given).map(|token| options.api_token = token),
        |options| shown_secret(options.api_token.as_ref()),
    )
    .secret(),
    Spec::setting(
        "api_token_file",
        FILE,
        &["a file that holds the api_token, such as a systemd credential"],
        |options, given| value::path(given).map(|path| options.api_token_file = path),
        |options| shown_path(options.api_token_file.as_ref()),
    ),
    Spec::setting(
        "read_token",
        TEXT,
        &["whoever reads something, /health too, must send this token or the api_token"],
        |options, given| access::bearer_token(given).map(|token| options.read_token = token),
        |options| shown_secret(options.read_token.as_ref()),
    )
    .secret(),
    Spec::setting(
        "read_token_file",
        FILE,
        &["a file that holds the read_token, such as a systemd credential"],
        |options, given| value::path(given).map(|path| options.read_token_file = path),
        |options| shown_path(options.read_token_file.as_ref()),
    ),
    Spec::setting(
        "allow_host",
        TEXT,
        &[
            "names of this machine under which a browser may change something, besides addresses,",
            "names without dots, those that end in .local, .lan, .home.arpa or .internal, the host",
            "name and that of public_url; several with commas between them, or as a list",
            "once it is set, a browser may not even read under any other name",
        ],
        |options, given| access::host_names(given).map(|names| options.allow_host = names),
        |options| quoted_list(&options.allow_host),
    ),
    Spec::setting(
        "email",
        TEXT,
        &["who is told when an app names nobody; several with commas between them, or as a list"],
        |options, given| value::addresses(given).map(|list| options.email = list),
        |options| quoted_list(&options.email),
    ),
    Spec::setting(
        "allow_email",
        TEXT,
        &[
            "who else may be told: addresses, or *@example.org for all of a domain; several with",
            "commas between them, or as a list",
            "if not set: whoever an app names when it registers",
        ],
        |options, given| value::address_patterns(given).map(|list| options.allow_email = list),
        |options| quoted_list(&options.allow_email),
    ),
    Spec::setting(
        "mail_from",
        TEXT,
        &[
            "the sender's address",
            "if not set: the account at the mail server when that is an address, else the first email",
        ],
        |options, given| value::address(given).map(|address| options.mail_from = address),
        |options| shown_text(options.mail_from.as_ref()),
    ),
    Spec::setting(
        "mail_without_clock",
        Takes::Value("BOOL"),
        &[
            "for a machine whose clock nobody sets: mail does not wait for it, and is sent without",
            "a date; until the clock is set, the mail server's certificate may have run out",
        ],
        |options, given| value::flag(given).map(|on| options.mail_without_clock = on),
        |options| shown_flag(options.mail_without_clock),
    ),
    Spec::setting(
        "reminders",
        Takes::Value("BOOL"),
        &["whether people are told again of trouble that lasts: after 1, 6 and 24 hours, then daily"],
        |options, given| value::flag(given).map(|on| options.reminders = on),
        |options| shown_flag(options.reminders),
    ),
    Spec::setting(
        "quiet",
        Takes::Value("TIMES"),
        &[
            "when nobody is told of anything, in local time: 02:30-04:00, or Sa Su 22:00-09:00;",
            "several with commas between them, or as a list; what is broken at the end is told then",
        ],
        |options, given| value::quiet_times(given).map(|times| options.quiet = times),
        |options| quoted_list(&options.quiet.texts()),
    ),
    Spec::setting(
        "gmail_token",
        TEXT,
        &[
            "send through Gmail with this app password (its spaces do not matter),",
            "or with an OAuth2 access token (it begins with ya29. and lives an hour)",
        ],
        |options, given| value::token(given).map(|token| options.gmail_token = token),
        |options| shown_secret(options.gmail_token.as_ref()),
    )
    .short("gt")
    .variable("GMAIL_TOKEN")
    .secret(),
    Spec::setting(
        "gmail_token_file",
        FILE,
        &["a file that holds the gmail_token, such as a systemd credential"],
        |options, given| value::path(given).map(|path| options.gmail_token_file = path),
        |options| shown_path(options.gmail_token_file.as_ref()),
    ),
    Spec::setting(
        "gmail_user",
        TEXT,
        &["the Gmail account; if not set: mail_from, else the first email"],
        |options, given| value::address(given).map(|address| options.gmail_user = address),
        |options| shown_text(options.gmail_user.as_ref()),
    ),
    Spec::setting(
        "smtp_host",
        TEXT,
        &["send through this mail server instead of Gmail"],
        |options, given| value::host(given).map(|host| options.smtp_host = host),
        |options| shown_text(options.smtp_host.as_ref()),
    ),
    Spec::setting(
        "smtp_port",
        NUMBER,
        &["the mail server's port; if not set: 465 for tls, 587 for starttls, 25 for none"],
        |options, given| {
            value::maybe_whole(given, 1..=u16::MAX).map(|port| options.smtp_port = port)
        },
        |options| options.smtp_port.map_or_else(not_set, |port| port.to_string()),
    ),
    Spec::setting(
        "smtp_security",
        TEXT,
        &[
            "how the connection to the mail server is protected: tls, starttls or none",
            "if not set: tls on port 465, none on port 25, else starttls",
        ],
        |options, given| value::security(given).map(|security| options.smtp_security = security),
        |options| options.smtp_security.map_or_else(not_set, |s| quoted(Security::word(s))),
    ),
    Spec::setting(
        "smtp_user",
        TEXT,
        &["the account at the mail server; if not set, there is no login"],
        |options, given| value::text(given).map(|user| options.smtp_user = user),
        |options| shown_text(options.smtp_user.as_ref()),
    ),
    Spec::setting(
        "smtp_password",
        TEXT,
        &["its password"],
        |options, given| value::secret(given).map(|password| options.smtp_password = password),
        |options| shown_secret(options.smtp_password.as_ref()),
    )
    .secret(),
    Spec::setting(
        "smtp_password_file",
        FILE,
        &["a file that holds the smtp_password, such as a systemd credential"],
        |options, given| value::path(given).map(|path| options.smtp_password_file = path),
        |options| shown_path(options.smtp_password_file.as_ref()),
    ),
    Spec::setting(
        "ca_file",
        FILE,
        &[
            "certificates (PEM) of authorities that are believed besides the usual ones",
            "for checks and for mail; those in the system's store are believed anyway",
        ],
        |options, given| value::path(given).map(|path| options.ca_file = path),
        |options| shown_path(options.ca_file.as_ref()),
    ),
    Spec::other("config", FILE, &["the configuration file instead of ./config"], Role::ConfigFile),
    Spec::other(
        "check_config",
        FLAG,
        &["say what is in force and where it comes from, or everything that is wrong, and end"],
        Role::CheckConfig,
    ),
    Spec::other(
        "yes",
        FLAG,
        &["setup asks nothing, keeps mail that does not work, and writes a file that is there anew"],
        Role::Yes,
    ),
    Spec::other("help", FLAG, &["this text"], Role::Help).short("h"),
    Spec::other("version", FLAG, &["the version"], Role::Version).short("V"),
];

fn not_set() -> String {
    "None".to_owned()
}

fn shown_flag(on: bool) -> String {
    if on { "True" } else { "False" }.to_owned()
}

fn shown_text(text: Option<&String>) -> String {
    text.map_or_else(not_set, |text| quoted(text))
}

fn shown_path(path: Option<&PathBuf>) -> String {
    path.map_or_else(not_set, |path| quoted(&path.to_string_lossy()))
}

fn shown_secret(secret: Option<&Secret>) -> String {
    secret.map_or_else(not_set, |_| "(set, hidden)".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::given::Given;
    use crate::config::options::Options;
    use crate::config::spec::settings;

    #[test]
    fn every_spelling_is_there_once() {
        let mut seen = BTreeSet::new();
        for spec in &OPTIONS {
            assert!(seen.insert(spec.name.to_owned()), "{}", spec.name);
            assert!(seen.insert(spec.own_variable()), "{}", spec.name);
            for other in [spec.short, spec.variable].into_iter().flatten() {
                assert!(seen.insert(other.to_owned()), "{other}");
            }
            assert!(spec.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert!(!spec.help.is_empty());
        }
    }

    /// A value of each option that is not its default.
    const EXAMPLES: [(&str, &str); 33] = [
        ("verbose", "True"),
        ("test", "True"),
        ("debug", "True"),
        ("bind_addr", "'192.0.2.1'"),
        ("port", "9090"),
        ("announce", "False"),
        ("public_url", "'https://pi.local/'"),
        ("workers", "8"),
        ("settle", "'90s'"),
        ("anchors", "['192.0.2.1:53', '192.0.2.2:443']"),
        ("timezone", "'Europe/Berlin'"),
        ("state_dir", "'/var/lib/hc'"),
        ("api_token", "(set, hidden)"),
        ("api_token_file", "'/run/api'"),
        ("read_token", "(set, hidden)"),
        ("read_token_file", "'/run/read'"),
        ("allow_host", "['hc.example.org', 'pi.example.org']"),
        ("email", "['a@b.c', 'd@e.f']"),
        ("allow_email", "['a@b.c', '*@d.e']"),
        ("mail_from", "'hc@b.c'"),
        ("mail_without_clock", "True"),
        ("reminders", "False"),
        ("quiet", "['02:30-04:00', '22:00-06:00']"),
        ("gmail_token", "(set, hidden)"),
        ("gmail_token_file", "'/run/token'"),
        ("gmail_user", "'me@gmail.com'"),
        ("smtp_host", "'mail.example.org'"),
        ("smtp_port", "2525"),
        ("smtp_security", "'none'"),
        ("smtp_user", "'me'"),
        ("smtp_password", "(set, hidden)"),
        ("smtp_password_file", "'/run/password'"),
        ("ca_file", "'/etc/home-ca.pem'"),
    ];

    #[test]
    fn every_setting_sets_what_it_shows_and_nothing_else() {
        let examples: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(examples, settings().map(|spec| spec.name).collect::<Vec<_>>());
        for (spec, (name, shown)) in settings().zip(EXAMPLES) {
            let Role::Setting { set, .. } = spec.role else { panic!("{name}") };
            let plain = shown.replace(['\'', '[', ']', ' '], "").replace("(set,hidden)", "hidden");
            let mut options = Options::default();
            set(&mut options, &Given::Text(plain)).expect(name);
            for other in settings() {
                let Role::Setting { show, .. } = other.role else { panic!("{name}") };
                let expected =
                    if other.name == name { shown.to_owned() } else { show(&Options::default()) };
                assert_eq!(show(&options), expected, "{} after {name} was set", other.name);
            }
        }
    }

    #[test]
    fn no_option_takes_a_list_but_those_with_several_values() {
        let takes_a_list = |spec: &Spec| {
            let Role::Setting { set, .. } = spec.role else { return false };
            ["a@b.c", "pi", "192.0.2.1:53", "02:30-04:00"]
                .into_iter()
                .any(|one| set(&mut Options::default(), &Given::List(vec![one.to_owned()])).is_ok())
        };
        let lists: Vec<&str> =
            settings().filter(|spec| takes_a_list(spec)).map(|spec| spec.name).collect();
        assert_eq!(lists, ["anchors", "allow_host", "email", "allow_email", "quiet"]);
    }
}
