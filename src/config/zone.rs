//! Local time: which time zone is meant, and the file that has its rules.

use std::io::ErrorKind;
use std::path::Path;

use super::ReadFile;
use super::quoted::{quoted, shown};
use crate::engine::time::Zone;

/// Where systems keep the time zones of the world.
const FOLDER: &str = "/usr/share/zoneinfo";
/// The time zone of the machine.
const OF_MACHINE: &str = "/etc/localtime";
/// What it says in the end when nothing else will do.
const WITHOUT: [&str; 2] = ["UTC", "Etc/UTC"];
/// A rule that everybody may copy.
const EXAMPLE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// A time zone, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalTime {
    /// The zone.
    pub zone: Zone,
    /// For people: `Europe/Berlin`, `as in /etc/localtime`.
    pub origin: String,
    /// What there is to say about it.
    pub remark: Option<String>,
}

/// The zone that was asked for: a name in `/usr/share/zoneinfo`, a path, or a rule as POSIX has it for
/// the variable `TZ`. A colon before a name means nothing, as there.
///
/// # Errors
/// There is none, in words that read on after the option's name.
pub fn named(text: &str, read_file: &ReadFile<'_>) -> Result<Zone, String> {
    let name = text.strip_prefix(':').unwrap_or(text);
    if WITHOUT.contains(&name) {
        return Ok(Zone::UTC);
    }
    if let Some(path) = file_of(name) {
        match read_file(Path::new(&path)) {
            Ok(file) => {
                let zone = Zone::from_tzif(&file);
                return zone.map_err(|why| format!("{} cannot be used: {why}", shown(&path)));
            }
            Err(why) if !matches!(why.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return Err(format!("{} cannot be read: {why}", shown(&path)));
            }
            Err(_) => {}
        }
    }
    Zone::from_posix(name).ok_or_else(|| unknown(text, read_file))
}

/// The zone of the machine: that of the variable `TZ`, else that of `/etc/localtime`, else UTC.
pub fn of_machine(variable: Option<&str>, read_file: &ReadFile<'_>) -> LocalTime {
    let mut remark = None;
    if let Some(text) = variable {
        match named(text, read_file) {
            Ok(zone) => {
                let origin = format!("TZ={}", shown(text));
                return LocalTime { zone, origin, remark };
            }
            Err(why) => remark = Some(format!("the variable TZ is not followed: {why}")),
        }
    }
    let said = match read_file(Path::new(OF_MACHINE)) {
        Ok(file) => match Zone::from_tzif(&file) {
            Ok(zone) => return LocalTime { zone, origin: format!("as in {OF_MACHINE}"), remark },
            Err(why) => format!("{OF_MACHINE} cannot be used: {why}"),
        },
        Err(why) if why.kind() == ErrorKind::NotFound => format!("there is no {OF_MACHINE}"),
        Err(why) => format!("{OF_MACHINE} cannot be read: {why}"),
    };
    let said = format!("{said}, so times are told in UTC (option timezone)");
    let remark = Some(remark.map_or_else(|| said.clone(), |before| format!("{before}; {said}")));
    LocalTime { zone: Zone::UTC, origin: "UTC".to_owned(), remark }
}

/// The file that a name means, or a path; `None`: it can be neither.
fn file_of(name: &str) -> Option<String> {
    if name.starts_with('/') {
        return Some(name.to_owned());
    }
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.');
    name.split('/').all(is_part).then(|| format!("{FOLDER}/{name}"))
}

fn unknown(text: &str, read_file: &ReadFile<'_>) -> String {
    let said = format!("{} is no time zone", quoted(text));
    let folder = read_file(Path::new(FOLDER));
    if folder.is_err_and(|why| why.kind() == ErrorKind::NotFound) {
        return format!(
            "{said}: this machine has none by name (no {FOLDER}; Debian's package tzdata brings it), \
             so a rule is wanted, such as {EXAMPLE}"
        );
    }
    format!(
        "{said}: a name in {FOLDER} is wanted, such as Europe/Berlin, or a rule such as {EXAMPLE}"
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;

    use super::*;
    use crate::engine::time::Wall;

    /// A file of the first version, for local time this much ahead of UTC.
    pub(in crate::config) fn file(hours: u8) -> Vec<u8> {
        let mut file = [b"TZif", [0; 16].as_slice()].concat();
        for count in [0_u32, 0, 0, 0, 1, 4] {
            file.extend(count.to_be_bytes());
        }
        file.extend((i32::from(hours) * 3600).to_be_bytes());
        file.extend(b"\0\0AAA\0");
        file
    }

    fn read(path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str().unwrap() {
            "/usr/share/zoneinfo" | "/usr/share/zoneinfo/Europe" => {
                Err(ErrorKind::IsADirectory.into())
            }
            "/usr/share/zoneinfo/Europe/Berlin" => Ok(file(1)),
            "/etc/localtime" => Ok(file(2)),
            "/usr/share/zoneinfo/tzdata.zi" => Ok(b"# version 2025b".to_vec()),
            "/secret" => Err(ErrorKind::PermissionDenied.into()),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn nothing(_: &Path) -> io::Result<Vec<u8>> {
        Err(ErrorKind::NotFound.into())
    }

    fn hours(zone: &Zone) -> i32 {
        zone.seconds_ahead(Wall::FIRST_POSSIBLE) / 3600
    }

    #[test]
    fn a_zone_has_a_name_or_a_path_or_a_rule() {
        for (text, ahead) in [
            ("Europe/Berlin", 1),
            (":Europe/Berlin", 1),
            ("/etc/localtime", 2),
            (":/etc/localtime", 2),
            ("<+0530>-5:30", 5),
            ("UTC", 0),
        ] {
            assert_eq!(named(text, &read).as_ref().map(hours), Ok(ahead), "{text}");
        }
        assert_eq!(named("UTC", &nothing), Ok(Zone::UTC), "it needs no file");
    }

    #[test]
    fn what_is_no_zone_is_said_with_what_would_be_one() {
        for (text, said) in [
            ("Europe/Berlni", "'Europe/Berlni' is no time zone: a name in /usr/share/zoneinfo"),
            ("Europe", "is no time zone"),
            ("../../../etc/shadow", "is no time zone"),
            ("a\u{1b}[2J", "'a\\x1b[2J' is no time zone"),
            ("tzdata.zi", "cannot be used: it is no file of the tz database"),
            ("/secret", "/secret cannot be read: permission denied"),
            ("CET-1CEST", "such as CET-1CEST,M3.5.0,M10.5.0/3"),
        ] {
            let why = named(text, &read).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
        let why = named("Europe/Berlin", &nothing).unwrap_err();
        assert!(why.contains("tzdata") && why.contains("a rule is wanted"), "{why}");
    }

    #[test]
    fn without_an_option_it_is_that_of_the_machine() {
        let local = of_machine(Some("Europe/Berlin"), &read);
        assert_eq!((hours(&local.zone), local.origin.as_str()), (1, "TZ=Europe/Berlin"));
        let local = of_machine(None, &read);
        assert_eq!((hours(&local.zone), local.origin.as_str()), (2, "as in /etc/localtime"));
        assert_eq!(local.remark, None);
        // Nobody meant us, so it ends no start.
        let local = of_machine(Some("Mars"), &read);
        assert_eq!(hours(&local.zone), 2);
        let remark = local.remark.unwrap();
        assert!(remark.starts_with("the variable TZ is not followed: 'Mars' is no"), "{remark}");
        let local = of_machine(None, &nothing);
        assert_eq!((local.zone, local.origin.as_str()), (Zone::UTC, "UTC"));
        assert_eq!(
            local.remark.unwrap(),
            "there is no /etc/localtime, so times are told in UTC (option timezone)"
        );
    }
}
