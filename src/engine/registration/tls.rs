//! Whom an app must be over TLS.

use std::fmt;
use std::str::FromStr;

/// What an app must show over TLS to be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tls {
    /// A certificate for its name, in its time, of an authority that is believed.
    #[default]
    Verify,
    /// Any certificate.
    Off,
    /// Any the first time, and that one from then on.
    First,
    /// This certificate, whatever its name and its dates.
    Pin(Print),
}

/// The SHA-256 of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Print(pub [u8; Print::BYTES]);

/// Whatever it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTls;

impl Print {
    /// Of SHA-256.
    pub const BYTES: usize = 32;

    /// Reads 64 hex digits; colons between them, as OpenSSL writes them, are skipped.
    fn read(text: &str) -> Option<Print> {
        let mut digits = text.chars().filter(|c| *c != ':');
        let mut print = Print([0; Print::BYTES]);
        for byte in &mut print.0 {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(print)
    }
}

impl Tls {
    /// Whether nobody is believed who would not have been `before`.
    pub(super) fn is_as_strict_as(self, before: Tls) -> bool {
        self == before || self == Tls::Verify || before == Tls::Off
    }
}

impl FromStr for Tls {
    type Err = NotTls;

    fn from_str(text: &str) -> Result<Tls, NotTls> {
        let text = text.trim();
        Ok(match text.to_ascii_lowercase().as_str() {
            "" | "verify" => Tls::Verify,
            "off" => Tls::Off,
            "pin" => Tls::First,
            other => Tls::Pin(other.strip_prefix("pin:").and_then(Print::read).ok_or(NotTls)?),
        })
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tls::Verify => f.write_str("verify"),
            Tls::Off => f.write_str("off"),
            Tls::First => f.write_str("pin"),
            Tls::Pin(print) => write!(f, "pin:{print}"),
        }
    }
}

impl fmt::Display for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for NotTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("verify, off, pin, or pin: and the 64 hex digits of the certificate's SHA-256")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "00ff10a0b1c2d3e4f500112233445566778899aabbccddeeff00112233445566";

    #[test]
    fn it_is_read_as_it_is_written_and_as_openssl_writes_it() {
        let pin = format!("pin:{DIGITS}");
        for text in ["verify", "off", "pin", pin.as_str()] {
            assert_eq!(text.parse::<Tls>().unwrap().to_string(), text);
        }
        let pairs: Vec<&str> =
            (0..DIGITS.len()).step_by(2).filter_map(|at| DIGITS.get(at..at + 2)).collect();
        let as_openssl = format!(" PIN:{} ", pairs.join(":").to_uppercase());
        assert_eq!(as_openssl.parse::<Tls>(), pin.parse());
        assert_eq!("".parse(), Ok(Tls::Verify));
        let (short, long) = (&pin[..pin.len() - 1], format!("{pin}0"));
        for wrong in ["on", "pin:", "pin:x", short, &long, "pin:k\u{fc}che", "pinned", DIGITS] {
            assert_eq!(wrong.parse::<Tls>(), Err(NotTls), "{wrong}");
        }
    }

    #[test]
    fn what_believes_more_is_less_strict() {
        let pin = |digit: u8| Tls::Pin(Print([digit; Print::BYTES]));
        for (now, before) in [
            (Tls::Verify, pin(1)),
            (Tls::First, Tls::Off),
            (pin(1), Tls::Off),
            (pin(1), pin(1)),
            (Tls::First, Tls::First),
        ] {
            assert!(now.is_as_strict_as(before), "{now} after {before}");
        }
        for (now, before) in [
            (Tls::Off, Tls::Verify),
            (Tls::Off, pin(1)),
            (pin(2), pin(1)),
            (pin(1), Tls::Verify),
            (pin(1), Tls::First),
            (Tls::First, Tls::Verify),
        ] {
            assert!(!now.is_as_strict_as(before), "{now} after {before}");
        }
    }
}
