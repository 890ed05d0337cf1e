//! The names in the announcement.

use crate::client::discovery::{INSTANCE, SERVICE_TYPE};

/// Ends our host label. Never the machine's plain name: that belongs to the machine's own
/// responder (Avahi), which would take ours for a conflict.
const HOST_SUFFIX: &str = "healthchecker";

/// Bytes in a host label: 63 (RFC 1035 section 2.3.4), less a number after a conflict (RFC 6762
/// section 9).
const LABEL_MAX: usize = 63 - "-99".len();

/// How far is counted before the numbers begin anew. No household has so many daemons: a broken
/// reflector, or somebody of ill will, can make every name a conflict.
const NUMBER_MAX: u32 = 99;

/// The labels of [`SERVICE_TYPE`].
pub(super) const SERVICE_LABELS: [&str; 3] = ["_http", "_tcp", "local"];

/// The names that are ours, or that we try to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    host: String,
    host_number: u32,
    instance_number: u32,
}

impl Names {
    /// The plain ones, for a machine of this name.
    pub(super) fn new(hostname: &str) -> Names {
        Names { host: host_label(hostname), host_number: 1, instance_number: 1 }
    }

    /// The label of the host: `pi-healthchecker`, `pi-healthchecker-2`.
    pub(super) fn host(&self) -> String {
        match self.host_number {
            1 => self.host.clone(),
            number => format!("{}-{number}", self.host),
        }
    }

    /// The label of the service: `_healthchecker`, `_healthchecker (2)`.
    pub(super) fn instance(&self) -> String {
        match self.instance_number {
            1 => INSTANCE.to_owned(),
            number => format!("{INSTANCE} ({number})"),
        }
    }

    /// The full name of the service, for people.
    pub(super) fn fullname(&self) -> String {
        format!("{}.{SERVICE_TYPE}", self.instance())
    }

    /// The host's name belongs to somebody else: takes the next.
    pub(super) fn next_host(&mut self) {
        self.host_number = self.host_number % NUMBER_MAX + 1;
    }

    /// The service's name belongs to somebody else: takes the next.
    pub(super) fn next_instance(&mut self) {
        self.instance_number = self.instance_number % NUMBER_MAX + 1;
    }
}

/// The label of the host for the machine `hostname`: `pi` gives `pi-healthchecker`.
fn host_label(hostname: &str) -> String {
    let own = hostname.split('.').next().unwrap_or_default();
    let own: String =
        own.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let own = cut(&own, LABEL_MAX - HOST_SUFFIX.len() - 1).trim_matches('-');
    if own.is_empty() { HOST_SUFFIX.to_owned() } else { format!("{own}-{HOST_SUFFIX}") }
}

/// The beginning of `text`, whole characters in at most `bytes` bytes.
fn cut(text: &str, bytes: usize) -> &str {
    let fits = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take_while(|end| *end <= bytes)
        .last()
        .unwrap_or(0);
    text.get(..fits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_host_is_named_after_the_machine_but_not_like_it() {
        assert_eq!(host_label("raspberrypi"), "raspberrypi-healthchecker");
        assert_eq!(host_label("NAS.fritz.box"), "nas-healthchecker");
        assert_eq!(host_label("my pi_2"), "my-pi-2-healthchecker");
        assert_eq!(host_label("k\u{fc}che"), "k\u{fc}che-healthchecker");
    }

    #[test]
    fn a_machine_without_a_usable_name_still_has_a_host_name() {
        for hostname in ["", "._.", "---"] {
            assert_eq!(host_label(hostname), "healthchecker");
        }
    }

    #[test]
    fn a_long_name_is_cut_on_a_character() {
        let name = host_label(&"\u{fc}".repeat(64));
        assert_eq!(name, format!("{}-healthchecker", "\u{fc}".repeat(23)));
    }

    #[test]
    fn after_a_conflict_the_next_number_is_taken() {
        let mut names = Names::new("pi");
        assert_eq!(names.fullname(), "_healthchecker._http._tcp.local.");
        names.next_instance();
        names.next_host();
        assert_eq!(names.fullname(), "_healthchecker (2)._http._tcp.local.");
        assert_eq!(names.host(), "pi-healthchecker-2");
        for _ in 2..=NUMBER_MAX {
            names.next_instance();
        }
        assert_eq!(names.instance(), "_healthchecker");
    }

    proptest! {
        #[test]
        fn any_machine_name_gives_one_label_with_room_for_a_rename(hostname in "\\PC{0,80}") {
            let label = host_label(&hostname);
            prop_assert!(label.len() <= LABEL_MAX);
            prop_assert!(!label.starts_with('-') && !label.contains(['.', '\\', ' ']));
            prop_assert!(label.ends_with(HOST_SUFFIX));
        }
    }
}
