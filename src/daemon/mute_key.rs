//! The links in mails by which their reader mutes what they tell. Whoever has the link needs no token: it is
//! signed, for one person and one mail, and good for a while.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom, SystemRandom};

use super::public_url::base_of;
use crate::engine::outbox::mail::Mail;
use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::time::Wall;

/// The file of the key, in the state folder.
const FILE: &str = "mute.key";
/// Its bytes: as many as a digest has (RFC 2104 section 3).
const LENGTH: usize = 32;
/// A link is good for so long, if what it is about is not over before.
const GOOD_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// Where it leads.
pub(super) const PATH: &str = "/healthchecker/mute";

/// Signs links, and tells its own from others.
#[derive(Debug)]
pub(crate) struct MuteKey(Key);

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MuteLink {
    /// The message id of the mail that it is in.
    pub incident: String,
    /// Whose mail.
    pub to: String,
    /// Until when it is good, in seconds since 1970.
    pub until: String,
    /// The signature of all that, in hex digits.
    pub sig: String,
}

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// We did not make it so.
    Forged,
    /// Its time is over.
    Old,
}

impl MuteKey {
    /// The key of this state folder, made at the first start; without a folder, one for this run.
    ///
    /// # Errors
    /// The file cannot be read or made, or the system has no random numbers.
    pub(crate) fn load(state_dir: Option<&Path>) -> io::Result<MuteKey> {
        let Some(path) = state_dir.map(|folder| folder.join(FILE)) else {
            return MuteKey::random();
        };
        let mut known = Vec::new();
        match OpenOptions::new().read(true).open(&path) {
            Ok(file) => _ = file.take(1 + LENGTH as u64).read_to_end(&mut known)?,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(why),
        }
        if known.len() == LENGTH {
            return Ok(MuteKey::of(&known));
        }
        // None, or one that was not written whole: links of before are good no more.
        let fresh = random()?;
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(&fresh)?;
        file.sync_all()?;
        Ok(MuteKey::of(&fresh))
    }

    /// One that nobody else has, for this run.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn random() -> io::Result<MuteKey> {
        Ok(MuteKey::of(&random()?))
    }

    fn of(bytes: &[u8]) -> MuteKey {
        MuteKey(Key::new(HMAC_SHA256, bytes))
    }

    /// The address by which the reader of a mail mutes what it tells, on a daemon that is at `public_url`;
    /// `None`: it tells no trouble, or the clock does not tell how long it would be good.
    pub(super) fn url(&self, public_url: &str, mail: &Mail, now: Wall) -> Option<String> {
        let tells_trouble = mail.conclusions().any(|(_, state)| state != State::Healthy);
        if !tells_trouble || now.is_plainly_wrong() {
            return None;
        }
        let Recipient::Mail(to) = &mail.to;
        let until = now.after(GOOD_FOR).as_unix_seconds().to_string();
        let sig = self.signature(&mail.message_id, to, &until);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("incident", &mail.message_id)
            .append_pair("to", to)
            .append_pair("until", &until)
            .append_pair("sig", &sig)
            .finish();
        Some(format!("{}{PATH}?{query}", base_of(public_url)))
    }

    /// Whether a link is one of ours, and good still.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn open(&self, link: &MuteLink, now: Wall) -> Result<(), Unfit> {
        let MuteLink { incident, to, until, sig } = link;
        let right = self.signature(incident, to, until);
        let is_ours = ring::hmac::verify(&self.0, right.as_bytes(), &self.tag(sig)).is_ok();
        if !is_ours {
            return Err(Unfit::Forged);
        }
        let until = until.parse().map_err(|_| Unfit::Forged)?;
        // A clock that is wrong tells nothing; the trouble must last still.
        if !now.is_plainly_wrong() && now > Wall::from_unix_seconds(until) {
            return Err(Unfit::Old);
        }
        Ok(())
    }

    /// No part of one can pass for a part of another: none has a line end in it.
    fn signature(&self, incident: &str, to: &str, until: &str) -> String {
        let tag = sign(&self.0, format!("{incident}\n{to}\n{until}").as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What a text is compared by: in constant time, whatever is in it.
    fn tag(&self, text: &str) -> Vec<u8> {
        sign(&self.0, text.as_bytes()).as_ref().to_vec()
    }
}

fn random() -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::engine::outbox::notice::{AllBack, Group, Notice, Outage, Silent};
    use crate::engine::time::Stamp;

    const NOW: Wall = Wall::from_unix_seconds(1_795_474_540);

    fn mail(state: State) -> Mail {
        let at = Stamp::on_record(NOW);
        let apps = vec!["NAS".to_owned()];
        let back =
            AllBack { apps: apps.clone(), since: at, at, lasted_ms: 0, lasted_at_least: false };
        let silent = Silent {
            app: "NAS".to_owned(),
            unhealthy: true,
            failures: 2,
            since: at,
            reason: String::new(),
        };
        let group = Group {
            host: None,
            host_lives: false,
            parent: None,
            outside: false,
            apps: vec![silent],
        };
        let outage = Outage {
            at,
            groups: vec![group],
            more: false,
            keeps_failing: false,
            still: false,
            recent: Vec::new(),
        };
        let notice = match state {
            State::Healthy => Notice::AllBack(back),
            _ => Notice::Outage(Box::new(outage)),
        };
        let to = Recipient::mail("o'hara+x@example.org");
        Mail::new(1, to, "7.1&2".to_owned(), vec![notice], at)
    }

    fn link(url: &str) -> MuteLink {
        let query = url.split_once('?').unwrap().1;
        let parts: Vec<String> = form_urlencoded::parse(query.as_bytes())
            .zip(["incident", "to", "until", "sig"])
            .map(|((name, value), expected)| {
                assert_eq!(name, expected);
                value.into_owned()
            })
            .collect();
        let [incident, to, until, sig] = parts.try_into().unwrap();
        MuteLink { incident, to, until, sig }
    }

    #[test]
    fn a_link_opens_for_a_while_and_whatever_is_changed_of_it_opens_nothing() {
        let key = MuteKey::random().unwrap();
        let ill = mail(State::Unhealthy);
        for (base, path) in [
            ("http://pi:8080/", "http://pi:8080/healthchecker/mute?"),
            ("https://home.example", "https://home.example/healthchecker/mute?"),
            ("https://home.example/healthchecker/", "https://home.example/healthchecker/mute?"),
        ] {
            assert!(key.url(base, &ill, NOW).unwrap().starts_with(path));
        }
        let good = link(&key.url("http://pi", &ill, NOW).unwrap());
        assert_eq!((good.incident.as_str(), good.sig.len()), ("7.1&2", 64));
        assert_eq!(key.open(&good, NOW), Ok(()));
        assert_eq!(key.open(&good, Wall::EPOCH), Ok(()), "the clock is not set");
        assert_eq!(key.open(&good, NOW.after(GOOD_FOR + Duration::from_secs(1))), Err(Unfit::Old));
        let changed = |change: fn(&mut MuteLink)| {
            let mut link = good.clone();
            change(&mut link);
            key.open(&link, NOW)
        };
        let changes: [fn(&mut MuteLink); 7] = [
            |link| link.incident.push('3'),
            |link| link.to = "d@e.f".to_owned(),
            |link| link.until.push('0'),
            |link| link.until = String::new(),
            |link| link.sig = link.sig.to_uppercase(),
            |link| link.sig = String::new(),
            |link| link.sig.push('0'),
        ];
        for change in changes {
            assert_eq!(changed(change), Err(Unfit::Forged));
        }
        assert_eq!(MuteKey::random().unwrap().open(&good, NOW), Err(Unfit::Forged), "another key");
    }

    #[test]
    fn no_link_mutes_what_is_well_or_by_a_clock_that_is_not_set() {
        let key = MuteKey::random().unwrap();
        assert_eq!(key.url("http://pi", &mail(State::Healthy), NOW), None);
        assert_eq!(key.url("http://pi", &mail(State::Unhealthy), Wall::EPOCH), None);
    }

    #[test]
    fn the_key_is_kept_for_us_alone_and_made_anew_where_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let url = || {
            let key = MuteKey::load(Some(folder.path())).unwrap();
            key.url("http://pi", &mail(State::Unhealthy), NOW)
        };
        let first = url();
        assert_eq!(first, url());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        for damaged in [&b""[..], b"short", &[7; LENGTH + 1]] {
            std::fs::write(&path, damaged).unwrap();
            let anew = url();
            assert_ne!(anew, first);
            assert_eq!(anew, url());
        }
    }
}
