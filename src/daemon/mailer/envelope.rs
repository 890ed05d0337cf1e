//! The envelope: what the server is told of sender and recipient, and the message as it travels.
//!
//! It is made of the addresses themselves. Lettre would read them back from the headers, where it does
//! not know its own quoted and literal forms again.

use std::net::IpAddr;

use lettre::Address;

/// The commands that begin a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    /// `MAIL FROM:<…>` with parameters.
    pub(super) mail: String,
    /// `RCPT TO:<…>`.
    pub(super) rcpt: String,
}

/// The envelope for a message from one address to another. `utf8`: the server takes addresses beyond
/// ASCII (RFC 6531 section 3.1).
///
/// # Errors
/// The address that needs such a server, when it is none.
pub(super) fn of(
    from: &Address,
    to: &Address,
    message: &[u8],
    utf8: bool,
) -> Result<Envelope, String> {
    let (from, to) = (path(from), path(to));
    let beyond = [&from, &to].into_iter().find(|it| !it.is_ascii());
    let parameters = match beyond {
        None if message.is_ascii() => "",
        Some(beyond) if !utf8 => return Err(beyond.clone()),
        _ => " SMTPUTF8 BODY=8BITMIME",
    };
    Ok(Envelope {
        mail: format!("MAIL FROM:<{from}>{parameters}"),
        rcpt: format!("RCPT TO:<{to}>"),
    })
}

/// An address as it is written on the wire and in headers. A bare IP address in place of the domain, or
/// one of IPv6 without the word, becomes a literal (RFC 5321 section 4.1.3).
pub(super) fn path(address: &Address) -> String {
    let domain = address.domain();
    let inner = domain.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(domain);
    match inner.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("{}@[{ip}]", address.user()),
        Ok(IpAddr::V6(ip)) => format!("{}@[IPv6:{ip}]", address.user()),
        Err(_) => address.to_string(),
    }
}

/// The message with a dot more before each line that begins with one (RFC 5321 section 4.5.2), and its
/// end.
pub(super) fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + 64);
    let mut begins = true;
    for byte in message {
        if begins && *byte == b'.' {
            bytes.push(b'.');
        }
        bytes.push(*byte);
        begins = *byte == b'\n';
    }
    if !bytes.ends_with(b"\r\n") {
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b".\r\n");
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::compose::address;
    use super::*;

    #[test]
    fn every_form_of_an_address_is_said_as_it_is() {
        for (given, said) in [
            ("owner@example.org", "owner@example.org"),
            ("root@[127.0.0.1]", "root@[127.0.0.1]"),
            ("root@127.0.0.1", "root@[127.0.0.1]"),
            ("root@[::1]", "root@[IPv6:::1]"),
            ("root@[IPv6:::1]", "root@[IPv6:::1]"),
            ("\"home server\"@example.org", "\"home server\"@example.org"),
            ("\"a>b\"@example.org", "\"a>b\"@example.org"),
        ] {
            let given = address(given).unwrap();
            let envelope = of(&given, &given, b"", false).unwrap();
            assert_eq!(envelope.rcpt, format!("RCPT TO:<{said}>"));
            assert_eq!(envelope.mail, format!("MAIL FROM:<{said}>"));
        }
    }

    #[test]
    fn letters_beyond_ascii_need_a_server_that_takes_them() {
        let (plain, beyond) =
            (address("a@b.example").unwrap(), address("käthe@b.example").unwrap());
        assert_eq!(of(&plain, &beyond, b"", false), Err("käthe@b.example".to_owned()));
        let mail = of(&beyond, &plain, b"", true).unwrap().mail;
        assert_eq!(mail, "MAIL FROM:<käthe@b.example> SMTPUTF8 BODY=8BITMIME");
    }

    #[test]
    fn no_line_of_a_message_ends_it() {
        let table: [(&[u8], &[u8]); 4] = [
            (b"", b"\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"a\r\n.\r\n.b", b"a\r\n..\r\n..b\r\n.\r\n"),
            (b"a.\r\n", b"a.\r\n.\r\n"),
        ];
        for (message, sent) in table {
            assert_eq!(stuffed(message), sent, "{message:?}");
        }
    }
}
