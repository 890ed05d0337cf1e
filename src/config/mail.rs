//! From the mail options to one way of sending mail, or to none and why.

use super::options::Options;
use super::settings::{Login, MailSettings, Secret, Security};
use super::value::is_email_address;

const GMAIL_HOST: &str = "smtp.gmail.com";

/// Google's access tokens begin so; an app password has letters only.
const ACCESS_TOKEN_PREFIX: &str = "ya29.";

/// How mail is sent, and what the owner should know about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The way; or why there is none.
    pub way: Result<MailSettings, String>,
    /// Things that work, but perhaps not as they were meant.
    pub remarks: Vec<String>,
}

/// Makes one way of sending out of what was set; the secrets are given apart, since they may come
/// from files.
///
/// # Errors
/// If two mail servers are named.
pub fn plan(
    options: &Options,
    token: Option<&Secret>,
    password: Option<&Secret>,
) -> Result<Plan, String> {
    match (token, &options.smtp_host) {
        (Some(_), Some(_)) => {
            Err("gmail_token and smtp_host name two mail servers; keep one of them".to_owned())
        }
        (Some(token), None) => Ok(through_gmail(options, token, password)),
        (None, Some(host)) => Ok(through_server(options, host, password)),
        (None, None) => Ok(off(nothing_set(options, password))),
    }
}

fn off(why: String) -> Plan {
    Plan { way: Err(why), remarks: Vec::new() }
}

fn nothing_set(options: &Options, password: Option<&Secret>) -> String {
    match (options.gmail_user.is_some(), smtp_options(options, password).first()) {
        (true, _) => "gmail_user is set without gmail_token".to_owned(),
        (_, Some(name)) => format!("{name} is set without smtp_host"),
        (_, None) => "neither gmail_token nor smtp_host is set".to_owned(),
    }
}

/// The set options that only make sense with `smtp_host`.
fn smtp_options(options: &Options, password: Option<&Secret>) -> Vec<&'static str> {
    [
        ("smtp_port", options.smtp_port.is_some()),
        ("smtp_security", options.smtp_security.is_some()),
        ("smtp_user", options.smtp_user.is_some()),
        ("smtp_password", password.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, set)| set.then_some(name))
    .collect()
}

fn through_gmail(options: &Options, token: &Secret, password: Option<&Secret>) -> Plan {
    let account =
        options.gmail_user.as_ref().or(options.mail_from.as_ref()).or(options.email.first());
    let Some(user) = account.cloned() else {
        return off(
            "gmail_token is set, but no account: set gmail_user, mail_from or email".to_owned()
        );
    };
    let mut remarks: Vec<String> = smtp_options(options, password)
        .iter()
        .map(|name| format!("{name} is not used: gmail_token sends through {GMAIL_HOST}"))
        .collect();
    let from = options.mail_from.clone().unwrap_or_else(|| user.clone());
    let login = if token.reveal().starts_with(ACCESS_TOKEN_PREFIX) {
        remarks.push(
            "gmail_token is an OAuth2 access token, which lives an hour; an app password lasts"
                .to_owned(),
        );
        Login::Xoauth2 { user, token: token.clone() }
    } else {
        Login::Password { user, password: token.clone() }
    };
    let security = Security::Tls;
    let way = MailSettings {
        from,
        host: GMAIL_HOST.to_owned(),
        port: security.usual_port(),
        security,
        login: Some(login),
        without_clock: options.mail_without_clock,
    };
    Plan { way: Ok(way), remarks }
}

fn through_server(options: &Options, host: &str, password: Option<&Secret>) -> Plan {
    let login = match (&options.smtp_user, password) {
        (Some(user), Some(password)) => {
            Some(Login::Password { user: user.clone(), password: password.clone() })
        }
        (None, None) => None,
        (Some(_), None) => return off(half_a_login("smtp_user", "smtp_password")),
        (None, Some(_)) => return off(half_a_login("smtp_password", "smtp_user")),
    };
    let user_as_address = options.smtp_user.as_ref().filter(|user| is_email_address(user));
    let from = options.mail_from.as_ref().or(user_as_address).or(options.email.first());
    let Some(from) = from.cloned() else {
        return off("smtp_host is set, but no sender: set mail_from or email".to_owned());
    };
    let security = options.smtp_security.unwrap_or_else(|| security_by_port(options.smtp_port));
    let port = options.smtp_port.unwrap_or(security.usual_port());
    let without_clock = options.mail_without_clock;
    let way = MailSettings { from, host: host.to_owned(), port, security, login, without_clock };
    let remarks = server_remarks(options, &way);
    Plan { way: Ok(way), remarks }
}

fn half_a_login(set: &str, missing: &str) -> String {
    format!("{set} is set without {missing}; set both, or neither where no login is wanted")
}

fn security_by_port(port: Option<u16>) -> Security {
    [Security::Tls, Security::None]
        .into_iter()
        .find(|security| port == Some(security.usual_port()))
        .unwrap_or(Security::Starttls)
}

fn server_remarks(options: &Options, way: &MailSettings) -> Vec<String> {
    let mut remarks = Vec::new();
    if options.gmail_user.is_some() {
        remarks.push("gmail_user is not used without gmail_token".to_owned());
    }
    if way.login.is_some() && way.security == Security::None {
        remarks.push(format!(
            "the mail password goes to {} unprotected; set smtp_security to 'tls' or 'starttls'",
            way.host
        ));
    }
    let crossed = match (way.security, way.port) {
        (Security::Tls, 587) => Some(Security::Starttls),
        (Security::Starttls, 465) => Some(Security::Tls),
        _ => None,
    };
    if let Some(usual) = crossed {
        remarks.push(format!(
            "smtp_port {} usually goes with smtp_security='{}', not '{}'",
            way.port,
            usual.word(),
            way.security.word()
        ));
    }
    remarks
}

/// One line about how mail is sent, without its secret.
pub fn describe(way: &MailSettings) -> String {
    let login = match &way.login {
        None => "without a login".to_owned(),
        Some(Login::Password { user, .. }) => {
            format!("logged in as {user} with a password (hidden)")
        }
        Some(Login::Xoauth2 { user, .. }) => {
            format!("logged in as {user} with an access token (hidden)")
        }
    };
    let MailSettings { from, host, port, security, .. } = way;
    format!("from {from} through {host}:{port} ({}), {login}", security.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn described(options: &Options, token: Option<&str>, password: Option<&str>) -> String {
        let (token, password) = (token.map(secret), password.map(secret));
        match plan(options, token.as_ref(), password.as_ref()) {
            Err(why) => format!("refused: {why}"),
            Ok(Plan { way: Err(why), remarks }) => format!("off: {why}{remarks:?}"),
            Ok(Plan { way: Ok(way), remarks }) => format!("{}{remarks:?}", describe(&way)),
        }
    }

    #[test]
    fn gmail_takes_its_account_from_where_there_is_one() {
        let mut options = Options::default();
        let gmail = |options: &Options| described(options, Some("abcdefgh"), None);
        assert_eq!(
            gmail(&options),
            "off: gmail_token is set, but no account: set gmail_user, mail_from or email[]"
        );
        options.email = vec!["first@b.c".to_owned(), "second@b.c".to_owned()];
        let way = |from: &str, user: &str| {
            format!(
                "from {from} through smtp.gmail.com:465 (tls), logged in as {user} with a password (hidden)[]"
            )
        };
        assert_eq!(gmail(&options), way("first@b.c", "first@b.c"));
        options.mail_from = some("from@b.c");
        assert_eq!(gmail(&options), way("from@b.c", "from@b.c"));
        options.gmail_user = some("user@b.c");
        assert_eq!(gmail(&options), way("from@b.c", "user@b.c"));
        options.mail_from = None;
        assert_eq!(gmail(&options), way("user@b.c", "user@b.c"));
    }

    #[test]
    fn an_access_token_is_known_by_its_beginning() {
        let options = Options { email: vec!["a@b.c".to_owned()], ..Options::default() };
        let token = secret("ya29.a0Af");
        let plan = plan(&options, Some(&token), None).expect("one server");
        let way = plan.way.expect("a way");
        assert_eq!(way.login, Some(Login::Xoauth2 { user: "a@b.c".to_owned(), token }));
        assert!(plan.remarks[0].contains("lives an hour"));
    }

    #[test]
    fn port_and_security_follow_from_each_other() {
        let relay = |port, security| {
            let options = Options {
                smtp_host: some("relay"),
                smtp_port: port,
                smtp_security: security,
                mail_from: some("a@b.c"),
                ..Options::default()
            };
            described(&options, None, None)
        };
        assert_eq!(relay(None, None), "from a@b.c through relay:587 (starttls), without a login[]");
        assert_eq!(relay(Some(465), None), "from a@b.c through relay:465 (tls), without a login[]");
        assert_eq!(relay(Some(25), None), "from a@b.c through relay:25 (none), without a login[]");
        assert_eq!(
            relay(Some(2525), None),
            "from a@b.c through relay:2525 (starttls), without a login[]"
        );
        assert_eq!(
            relay(None, Some(Security::None)),
            "from a@b.c through relay:25 (none), without a login[]"
        );
        assert_eq!(
            relay(None, Some(Security::Tls)),
            "from a@b.c through relay:465 (tls), without a login[]"
        );
        assert!(
            relay(Some(465), Some(Security::Starttls))
                .contains("usually goes with smtp_security='tls'")
        );
    }

    #[test]
    fn half_a_set_up_is_off_and_says_what_is_missing() {
        let none = Options::default();
        assert_eq!(described(&none, None, None), "off: neither gmail_token nor smtp_host is set[]");
        assert_eq!(
            described(&none, None, Some("p")),
            "off: smtp_password is set without smtp_host[]"
        );
        let user = Options { gmail_user: some("a@b.c"), ..Options::default() };
        assert_eq!(described(&user, None, None), "off: gmail_user is set without gmail_token[]");
        let mut host = Options { smtp_host: some("relay"), ..Options::default() };
        assert_eq!(
            described(&host, None, None),
            "off: smtp_host is set, but no sender: set mail_from or email[]"
        );
        assert_eq!(
            described(&host, None, Some("p")),
            "off: smtp_password is set without smtp_user; set both, or neither where no login is wanted[]"
        );
        host.smtp_user = some("me");
        assert_eq!(
            described(&host, None, None),
            "off: smtp_user is set without smtp_password; set both, or neither where no login is wanted[]"
        );
        assert_eq!(
            described(&host, Some("t"), None),
            "refused: gmail_token and smtp_host name two mail servers; keep one of them"
        );
    }

    #[test]
    fn what_is_odd_is_remarked_on() {
        let options = Options {
            smtp_host: some("relay"),
            smtp_user: some("me@b.c"),
            smtp_security: Some(Security::None),
            gmail_user: some("a@b.c"),
            ..Options::default()
        };
        let said = described(&options, None, Some("p"));
        assert!(
            said.starts_with("from me@b.c through relay:25 (none), logged in as me@b.c"),
            "{said}"
        );
        assert!(said.contains("gmail_user is not used") && said.contains("unprotected"), "{said}");
        let gmail =
            Options { smtp_port: Some(1), email: vec!["a@b.c".to_owned()], ..Options::default() };
        assert!(described(&gmail, Some("t"), None).contains("smtp_port is not used"));
    }
}
