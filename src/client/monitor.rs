//! What an app asks for when it registers.

use std::fmt;

use super::connection::Parameter;

/// How an app is to be watched. (An address such as `tcp://nas:22` has its port asked for a connection, one such as `ping://nas` is pinged.) What is
/// not said is the daemon's default: an interval of 30 s,
/// 5 s for an answer, 2 failed checks in a row before UNHEALTHY, 10 passed ones before HEALTHY,
/// asked at `/health`, expecting a 200, mails to the daemon's own `email`.
///
/// ```
/// use healthchecker::client::Monitor;
///
/// let how = Monitor::new().email("me@example.org").interval(60).expect("200-299,401");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Monitor {
    fields: Vec<(String, String)>,
}

/// Without what it says, which may be a secret.
impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields.iter().map(|(name, _)| name)).finish()
    }
}

impl Monitor {
    /// All as the daemon does it by default.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// assert_eq!(Monitor::new().parameters("NAS", ":8080"), [("appname", "NAS"), ("url", ":8080")]);
    /// ```
    pub fn new() -> Monitor {
        Monitor::default()
    }

    /// Who is told; several separated by commas.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().email("me@example.org,you@example.org");
    /// ```
    #[must_use]
    pub fn email(self, addresses: &str) -> Monitor {
        self.with("email", addresses)
    }

    /// Seconds to wait for an answer, all of it: 2 to 60.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().timeout(10);
    /// ```
    #[must_use]
    pub fn timeout(self, seconds: u64) -> Monitor {
        self.with("timeout", &seconds.to_string())
    }

    /// Seconds between two checks: 5 to 300; between two beats up to 3024000.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().interval(60);
    /// ```
    #[must_use]
    pub fn interval(self, seconds: u64) -> Monitor {
        self.with("interval", &seconds.to_string())
    }

    /// Failed checks in a row before UNHEALTHY: 2 to 10.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().unhealthy(3);
    /// ```
    #[must_use]
    pub fn unhealthy(self, checks: u64) -> Monitor {
        self.with("unhealthy", &checks.to_string())
    }

    /// Passed checks in a row before HEALTHY: 2 to 10.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().healthy(4);
    /// ```
    #[must_use]
    pub fn healthy(self, checks: u64) -> Monitor {
        self.with("healthy", &checks.to_string())
    }

    /// Where to ask instead of `/health`.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().path("/actuator/health");
    /// ```
    #[must_use]
    pub fn path(self, path: &str) -> Monitor {
        self.with("path", path)
    }

    /// The status codes that count as an answer, such as `200-299,401`.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().expect("200-299,401");
    /// ```
    #[must_use]
    pub fn expect(self, statuses: &str) -> Monitor {
        self.with("expect", statuses)
    }

    /// What must be in the answer's body, in just these letters; nothing when empty. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().path("/").contains("Welcome home");
    /// ```
    #[must_use]
    pub fn contains(self, text: &str) -> Monitor {
        self.with("contains", text)
    }

    /// After how many milliseconds a pass is a warning. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().slow(500);
    /// ```
    #[must_use]
    pub fn slow(self, milliseconds: u64) -> Monitor {
        self.with("slow", &milliseconds.to_string())
    }

    /// The login or the token that the app wants: `USER:PASSWORD` or `Bearer TOKEN`; none when empty. The daemon shows
    /// it to nobody but the app. Not said, it stays as it is, as long as scheme, host and port of the app do.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().path("/").auth("admin:secret");
    /// assert!(!format!("{how:?}").contains("secret"));
    /// ```
    #[must_use]
    pub fn auth(self, login: &str) -> Monitor {
        self.with("auth", login)
    }

    /// Which certificate the app must show: `verify`, `off`, `pin` (the one that is seen first) or `pin:` and the 64
    /// hex digits of its SHA-256. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().tls("pin");
    /// ```
    #[must_use]
    pub fn tls(self, mode: &str) -> Monitor {
        self.with("tls", mode)
    }

    /// How many seconds a beat may be late. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().kind("beat").interval(3600).grace(600);
    /// ```
    #[must_use]
    pub fn grace(self, seconds: u64) -> Monitor {
        self.with("grace", &seconds.to_string())
    }

    /// How it is watched: `http`, `tcp`, `ping` or `beat`. Not said, it follows from the address.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().kind("tcp");
    /// ```
    #[must_use]
    pub fn kind(self, kind: &str) -> Monitor {
        self.with("kind", kind)
    }

    /// Whether it may be off or away, as a laptop or a TV: its silence alarms nobody. Not said, it stays as it
    /// is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().may_be_off(true);
    /// ```
    #[must_use]
    pub fn may_be_off(self, may_be_off: bool) -> Monitor {
        self.with("may_be_off", &may_be_off.to_string())
    }

    /// The apps that are all needed to reach it, such as the switch that it is behind; several separated by
    /// commas, none when empty. Not said, they stay as they are.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().parent("Switch,NAS");
    /// ```
    #[must_use]
    pub fn parent(self, apps: &str) -> Monitor {
        self.with("parent", apps)
    }

    /// Whether its people are told again of trouble that lasts. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().reminders(false);
    /// ```
    #[must_use]
    pub fn reminders(self, reminders: bool) -> Monitor {
        self.with("reminders", &reminders.to_string())
    }

    /// When nobody is told of it, such as `02:30-04:00` or `Sa Su 22:00-09:00`, in the daemon's local time; several
    /// separated by commas. `never` for never, empty for the daemon's own. Not said, it stays as it is.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().quiet("02:30-04:00");
    /// ```
    #[must_use]
    pub fn quiet(self, times: &str) -> Monitor {
        self.with("quiet", times)
    }

    /// Any field of the `monitor` call, by its name; the last value of several holds.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().with("timeout", "10");
    /// ```
    #[must_use]
    pub fn with(mut self, field: &str, value: &str) -> Monitor {
        self.fields.retain(|(name, _)| name != field);
        self.fields.push((field.to_owned(), value.to_owned()));
        self
    }

    /// The parameters of the call for this app.
    ///
    /// ```
    /// # use healthchecker::client::Monitor;
    /// let how = Monitor::new().interval(60);
    /// assert!(how.parameters("NAS", ":8080").contains(&("interval", "60")));
    /// ```
    pub fn parameters<'a>(&'a self, app: &'a str, url: &'a str) -> Vec<Parameter<'a>> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        [("appname", app), ("url", url)].into_iter().chain(fields).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_field_of_the_daemon_has_a_name_here() {
        let api: Value = serde_json::from_str(include_str!("../daemon/api/openapi.json")).unwrap();
        let fields = &api["components"]["schemas"]["Registration"]["properties"];
        let fields: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(fields.contains(&"appname"), "{fields:?}");
        let all = Monitor::new().email("a@example.org").timeout(5).interval(30).unhealthy(2);
        let all = all
            .healthy(10)
            .path("/health")
            .expect("200")
            .kind("http")
            .grace(60)
            .contains("x")
            .slow(500)
            .auth("me:secret")
            .tls("verify")
            .may_be_off(true)
            .parent("Switch")
            .reminders(true)
            .quiet("never");
        let named: Vec<&str> =
            all.parameters("NAS", ":8080").into_iter().map(|(name, _)| name).collect();
        for field in fields {
            // The long names mean the same.
            assert!(named.contains(&field.trim_end_matches("_threshold")), "{field}");
        }
    }

    #[test]
    fn only_what_was_said_is_sent_and_the_last_word_holds() {
        let how = Monitor::new().interval(10).email("a@example.org").interval(20);
        let sent = how.parameters("NAS", "http://nas");
        assert_eq!(
            sent,
            [
                ("appname", "NAS"),
                ("url", "http://nas"),
                ("email", "a@example.org"),
                ("interval", "20")
            ]
        );
    }
}
