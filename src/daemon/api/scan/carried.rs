//! The list of a scan as its page carries it: in the answer, and back when one of it is to be watched. So a person
//! without JavaScript stays on the list, and the daemon keeps nothing.

use std::net::SocketAddr;

use super::Device;
use crate::daemon::api::parameters::Pair;
use crate::daemon::discovery::Seen;
use crate::engine::presets::Preset;
use crate::engine::registration::fields::{FieldError, Fields, Known};

/// The parameters of it: the list,
pub(crate) const SEEN: &str = "seen";
/// and which of it is to be watched, counted from 0.
pub(crate) const WATCH: &str = "watch";

const PICK: &[&Known] = &[&Known::new(SEEN), &Known::new(WATCH)];

/// Bytes of a list as a form sends it: with what is besides less than the gate takes of a body.
const PART_MAX: usize = 15 * 1024;

/// Between the parts of a row. No text that was seen has a control character in it.
const GAP: char = '\t';

/// One of what was seen is to be watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon::api) struct Pick {
    pub(super) seen: Vec<Seen>,
    /// Its place among those.
    pub(super) place: usize,
}

impl Pick {
    /// What the parameters of a scan say; none where there are none: then the network is asked.
    ///
    /// # Errors
    /// They are not what a page of ours sends.
    pub(in crate::daemon::api) fn read(pairs: &[Pair]) -> Result<Option<Pick>, FieldError> {
        let fields = Fields::read("scan", PICK, pairs)?;
        let (list, watch) = (fields.optional(SEEN)?, fields.optional(WATCH)?);
        let Some((list, watch)) = list.zip(watch) else {
            return if list.or(watch).is_none() { Ok(None) } else { Err(unreadable()) };
        };
        let seen: Option<Vec<Seen>> = list.lines().map(row).collect();
        let (seen, place) = seen.zip(watch.parse().ok()).ok_or_else(unreadable)?;
        Ok(Some(Pick { seen, place }))
    }
}

/// What came is no list of ours, or has no such row.
pub(super) fn unreadable() -> FieldError {
    let message = "seen and watch must be a list as the page of a scan has it, and one of its rows; look around again";
    FieldError::of(SEEN, message.to_owned())
}

fn row(line: &str) -> Option<Seen> {
    let mut parts = line.splitn(4, GAP);
    let (service, at, host, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let service = Preset::services().into_iter().find(|known| *known == service)?;
    let (name, host) = (name.to_owned(), host.to_owned());
    Some(Seen { service, name, host, at: at.parse::<SocketAddr>().ok()? })
}

fn line(Device { service, name, host, address, .. }: &Device) -> String {
    format!("{service}{GAP}{address}{GAP}{host}{GAP}{name}\n")
}

/// All of them in portions that each fit into a form, as [`Pick::read`] takes it. A household is one.
pub(crate) fn parts(devices: &[Device]) -> Vec<(&[Device], String)> {
    let (mut parts, mut rest) = (Vec::new(), devices);
    while !rest.is_empty() {
        let (mut list, mut length, mut count) = (String::new(), 0, 0);
        for device in rest {
            let line = line(device);
            // A browser ends a line with two characters.
            let sent: usize = form_urlencoded::byte_serialize(line.as_bytes()).map(str::len).sum();
            length += sent + "%0D".len();
            if length > PART_MAX && count > 0 {
                break;
            }
            list.push_str(&line);
            count += 1;
        }
        let (part, after) = rest.split_at(count);
        parts.push((part, list));
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::super::devices::devices;
    use super::*;
    use crate::daemon::gate::BODY_MAX;

    fn seen(service: &'static str, name: &str, at: &str) -> Seen {
        Seen { service, name: name.into(), host: "box.local".into(), at: at.parse().unwrap() }
    }

    fn read(list: &str, watch: &str) -> Result<Option<Pick>, FieldError> {
        let own = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
        Pick::read(&[(SEEN, list), (WATCH, watch)].map(own))
    }

    #[test]
    fn a_list_comes_back_as_it_went() {
        let all = [
            seen("_sonos._tcp", "Küche & Bad +%", "10.0.0.8:1443"),
            seen("_ssh._tcp", "a b", "[fd00::7]:22"),
        ];
        let went = devices(&all, &[]);
        let [(part, list)] = parts(&went).try_into().unwrap();
        assert_eq!(part.len(), 2);
        for list in [list.clone(), list.replace('\n', "\r\n")] {
            let pick = read(&list, "1").unwrap().unwrap();
            let again = devices(&pick.seen, &[]);
            assert_eq!(pick.place, 1);
            assert_eq!(format!("{again:?}"), format!("{went:?}"));
        }
    }

    #[test]
    fn what_is_no_list_of_ours_is_refused() {
        assert_eq!(Pick::read(&[]), Ok(None));
        let row = "_ssh._tcp\t10.0.0.7:22\tbox.local\tbox\n";
        assert!(read(row, "0").is_ok());
        for (list, watch) in [
            (row, ""),
            ("", "0"),
            (row, "-1"),
            (row, "x"),
            ("_none._tcp\t10.0.0.7:22\tbox.local\tbox\n", "0"),
            ("_ssh._tcp\t10.0.0.7\tbox.local\tbox\n", "0"),
            ("_ssh._tcp\t10.0.0.7:22\n", "0"),
        ] {
            assert!(read(list, watch).is_err(), "{list:?} {watch:?}");
        }
    }

    #[test]
    fn each_part_of_a_long_list_fits_into_a_form() {
        let all: Vec<Seen> = (0..500)
            .map(|n| seen("_ssh._tcp", &format!("{}{n}", "ü".repeat(28)), "10.0.0.7:22"))
            .collect();
        let devices = devices(&all, &[]);
        let parts = parts(&devices);
        assert!(parts.len() > 1);
        assert_eq!(parts.iter().map(|(part, _)| part.len()).sum::<usize>(), 500);
        for (part, list) in parts {
            let body = form_urlencoded::Serializer::new(String::new())
                .append_pair(WATCH, "499")
                .append_pair(SEEN, &list.replace('\n', "\r\n"))
                .finish();
            assert!(body.len() <= BODY_MAX, "{}", body.len());
            assert_eq!(read(&list, "0").unwrap().unwrap().seen.len(), part.len());
        }
    }
}
