//! The names in the announcement.

pub(super) use crate::client::discovery::{INSTANCE, SERVICE_TYPE};

/// Ends our host label. Never the machine's plain name: that belongs to the machine's own
/// responder (Avahi), which would take ours for a conflict.
const HOST_SUFFIX: &str = "healthchecker";

/// Bytes in a host label: 63 (RFC 1035 section 2.3.4), less `-999` for a rename after a conflict
/// (RFC 6762 section 9). mdns-sd's thread dies of a longer one.
const LABEL_MAX: usize = 63 - 4;

/// The host name to announce for the machine `hostname`: `pi` gives `pi-healthchecker.local.`.
pub(super) fn host_name(hostname: &str) -> String {
    let own = hostname.split('.').next().unwrap_or_default();
    let own: String =
        own.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    let own = cut(&own, LABEL_MAX - HOST_SUFFIX.len() - 1).trim_matches('-');
    if own.is_empty() {
        format!("{HOST_SUFFIX}.local.")
    } else {
        format!("{own}-{HOST_SUFFIX}.local.")
    }
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
        assert_eq!(host_name("raspberrypi"), "raspberrypi-healthchecker.local.");
        assert_eq!(host_name("NAS.fritz.box"), "nas-healthchecker.local.");
        assert_eq!(host_name("my pi_2"), "my-pi-2-healthchecker.local.");
        assert_eq!(host_name("küche"), "küche-healthchecker.local.");
    }

    #[test]
    fn a_machine_without_a_usable_name_still_has_a_host_name() {
        assert_eq!(host_name(""), "healthchecker.local.");
        assert_eq!(host_name("._."), "healthchecker.local.");
        assert_eq!(host_name("---"), "healthchecker.local.");
    }

    #[test]
    fn a_long_name_is_cut_on_a_character() {
        let name = host_name(&"ü".repeat(64));
        assert_eq!(name, format!("{}-healthchecker.local.", "ü".repeat(22)));
    }

    proptest! {
        #[test]
        fn any_machine_name_gives_one_label_with_room_for_a_rename(hostname in "\\PC{0,80}") {
            let name = host_name(&hostname);
            let label = name.strip_suffix(".local.").unwrap();
            prop_assert!(label.len() <= LABEL_MAX);
            prop_assert!(!label.starts_with('-') && !label.contains(['.', '\\', ' ']));
            prop_assert!(label.ends_with(HOST_SUFFIX));
        }
    }
}
