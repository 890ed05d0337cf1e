//! Names: a row of labels, each with its length before it, a zero at the end.

use std::fmt;

/// Bytes in a whole name (RFC 1035 section 2.3.4).
const NAME_MAX: usize = 255;
/// Bytes in one label.
const LABEL_MAX: usize = 63;
/// Marks a pointer: the rest of the name stands elsewhere in the packet (RFC 1035 section 4.1.4).
const POINTER: u8 = 0xC0;
/// Pointers that are followed for one name: who compresses well needs one, a sloppy one as many as there
/// are labels. A packet of nothing but pointers would else be walked through for each of its records.
const POINTERS_MAX: u32 = 16;

/// A whole name in small letters, as it stands uncompressed in a packet.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Vec<u8>);

impl Name {
    /// A name of these labels; `None` when a label is empty or too long, or all of it is.
    pub fn of<'a>(labels: impl IntoIterator<Item = &'a str>) -> Option<Name> {
        let mut bytes = Vec::new();
        for label in labels {
            if label.is_empty() || label.len() > LABEL_MAX {
                return None;
            }
            bytes.push(u8::try_from(label.len()).ok()?);
            bytes.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
        }
        bytes.push(0);
        (bytes.len() <= NAME_MAX).then_some(Name(bytes))
    }

    /// A name as people write it, no label of which has a dot in it: `nas.local`, `nas.local.`.
    pub fn dotted(text: &str) -> Option<Name> {
        Name::of(text.strip_suffix('.').unwrap_or(text).split('.'))
    }

    /// As in a packet.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn at(&self) -> NameAt<'_> {
        NameAt { packet: &self.0, at: 0 }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in self.at().labels().flatten() {
            write!(f, "{}.", String::from_utf8_lossy(label))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// A name somewhere in a packet. That it can be read is known only by reading it.
#[derive(Clone, Copy)]
pub struct NameAt<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> NameAt<'a> {
    /// The name that begins at `at`, and where what follows it begins.
    pub(super) fn read(packet: &'a [u8], at: usize) -> Option<(NameAt<'a>, usize)> {
        let mut end = at;
        loop {
            let length = *packet.get(end)?;
            end += 1;
            match length {
                0 => break,
                _ if length & POINTER == POINTER => {
                    packet.get(end)?;
                    end += 1;
                    break;
                }
                _ if usize::from(length) <= LABEL_MAX => end += usize::from(length),
                _ => return None,
            }
        }
        Some((NameAt { packet, at }, end))
    }

    /// Whether it is this name; capitals and small letters of ASCII are the same.
    pub fn is(self, name: &Name) -> bool {
        let mut ours = name.at().labels();
        for label in self.labels() {
            match (label, ours.next()) {
                (Ok(label), Some(Ok(our))) if label.eq_ignore_ascii_case(our) => {}
                _ => return false,
            }
        }
        ours.next().is_none()
    }

    /// A copy of its own; `None` when it cannot be read.
    pub fn to_name(self) -> Option<Name> {
        let mut bytes = Vec::new();
        for label in self.labels() {
            let label = label.ok()?;
            bytes.push(u8::try_from(label.len()).ok()?);
            bytes.extend(label.iter().map(u8::to_ascii_lowercase));
        }
        bytes.push(0);
        Some(Name(bytes))
    }

    /// The first of its labels.
    pub(super) fn first_label(self) -> Option<&'a [u8]> {
        self.labels().next()?.ok()
    }

    fn labels(self) -> Labels<'a> {
        Labels {
            packet: self.packet,
            at: self.at,
            behind: self.at,
            room: NAME_MAX,
            pointers: POINTERS_MAX,
            ended: false,
        }
    }
}

impl fmt::Debug for NameAt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_name())
    }
}

/// The labels of a name, the root left out; the last is an error when the name cannot be read.
struct Labels<'a> {
    packet: &'a [u8],
    at: usize,
    /// A pointer must lead before all that was read: so there is no way round in circles.
    behind: usize,
    /// What is left of [`NAME_MAX`].
    room: usize,
    /// What is left of [`POINTERS_MAX`].
    pointers: u32,
    ended: bool,
}

/// The name runs out of the packet, or is too long, or its pointers are not in order or too many.
struct Unreadable;

impl<'a> Labels<'a> {
    fn read(&mut self) -> Option<Option<&'a [u8]>> {
        loop {
            let length = *self.packet.get(self.at)?;
            if length & POINTER == POINTER {
                let low = *self.packet.get(self.at + 1)?;
                let target = usize::from(length & !POINTER) << 8 | usize::from(low);
                if target >= self.behind {
                    return None;
                }
                self.pointers = self.pointers.checked_sub(1)?;
                self.at = target;
                self.behind = target;
                continue;
            }
            let length = usize::from(length);
            self.room = self.room.checked_sub(length + 1)?;
            if length == 0 {
                return Some(None);
            }
            let label = self.packet.get(self.at + 1..self.at + 1 + length)?;
            if length > LABEL_MAX {
                return None;
            }
            self.at += 1 + length;
            return Some(Some(label));
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Result<&'a [u8], Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.read() {
            Some(Some(label)) => Some(Ok(label)),
            Some(None) => {
                self.ended = true;
                None
            }
            None => {
                self.ended = true;
                Some(Err(Unreadable))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::dotted(text).unwrap()
    }

    #[test]
    fn capitals_make_no_difference() {
        assert_eq!(name("NAS.local."), name("nas.local"));
        let (at, end) = NameAt::read(b"\x03NaS\x05LOCAL\0rest", 0).unwrap();
        assert!(at.is(&name("nas.local")) && !at.is(&name("nas")) && !at.is(&name("a.nas.local")));
        assert_eq!((at.to_name(), end), (Some(name("nas.local")), 11));
        assert_eq!(name("nas.local").to_string(), "nas.local.");
    }

    #[test]
    fn what_is_no_name_is_none() {
        for text in ["", ".", "a..b", &"a".repeat(64), &"abc.".repeat(64)] {
            assert_eq!(Name::dotted(text), None, "{text}");
        }
    }

    #[test]
    fn a_pointer_leads_back_and_never_round() {
        let packet = b"\x05local\0\x03nas\xC0\x00";
        let (at, end) = NameAt::read(packet, 7).unwrap();
        assert_eq!((at.to_name(), end), (Some(name("nas.local")), 13));
        for (packet, at) in [
            (&b"\xC0\x00"[..], 0),
            (b"\x01a\xC0\x00", 0),
            (b"\x01a\xC0\x04\x01b\xC0\x00", 4),
            (b"\xC0\x02\x01a\0", 0),
        ] {
            let (at, _) = NameAt::read(packet, at).unwrap();
            assert_eq!(at.to_name(), None, "{packet:?}");
        }
        for packet in [&b"\x05loc"[..], b"\xC0", b"\x40a\0", b""] {
            assert!(NameAt::read(packet, 0).and_then(|(at, _)| at.to_name()).is_none());
        }
    }

    #[test]
    fn a_long_chain_of_pointers_is_not_followed_to_its_end() {
        let mut packet = b"\x05local\0".to_vec();
        let mut before = 0;
        let mut names = Vec::new();
        for _ in 0..4000_u16 {
            let at = u16::try_from(packet.len()).unwrap();
            packet.extend((u16::from(POINTER) << 8 | before).to_be_bytes());
            names.push(usize::from(at));
            before = at;
        }
        let read = |at: usize| NameAt::read(&packet, at).unwrap().0;
        let follows = |at: &&usize| read(**at).is(&name("local"));
        assert_eq!(names.iter().filter(follows).count(), usize::try_from(POINTERS_MAX).unwrap());
        assert_eq!(read(names[3999]).to_name(), None);
    }

    #[test]
    fn a_name_that_pointers_make_too_long_is_none() {
        // Each of these points to the one before, with 63 bytes of its own.
        let mut packet = vec![0];
        let mut starts = vec![0_usize];
        for _ in 0..5 {
            let before = *starts.last().unwrap();
            starts.push(packet.len());
            packet.push(63);
            packet.extend([b'a'; 63]);
            packet.extend([POINTER, u8::try_from(before).unwrap_or(0)]);
        }
        let read = |at: usize| NameAt::read(&packet, at).unwrap().0.to_name();
        assert!(read(starts[3]).is_some());
        assert!(read(starts[4]).is_none());
    }
}
