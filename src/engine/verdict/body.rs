//! The bytes of an answer, as text.

use std::borrow::Cow;

use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{Answer, BODY_READ_MAX};

/// What a body turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// It can be read.
    Text {
        /// As text. Bytes that belong to no character are replaced, so that a small device that
        /// says `fail` in Latin-1 is understood.
        text: Cow<'a, str>,
        /// It goes on beyond that.
        cut: bool,
    },
    /// It is packed in this way, which we do not know, or it is damaged.
    Packed(String),
}

/// Reads a body. We ask for none that is packed, but some servers pack all that they send.
pub(super) fn read<'a>(answer: &Answer<'a>) -> Body<'a> {
    let codings =
        answer.content_encoding.split(',').map(|coding| coding.trim().to_ascii_lowercase());
    let mut codings = codings.filter(|coding| !matches!(coding.as_str(), "" | "identity"));
    let coding = codings.next();
    // What can be read is not packed, whatever is said: `Content-Encoding: utf-8` is a usual slip.
    if is_readable(answer.body) {
        return Body::Text { text: text(answer.body), cut: answer.cut };
    }
    let unpacked = match (coding.as_deref(), codings.next()) {
        (Some("deflate"), None) => inflate(answer.body, TINFL_FLAG_PARSE_ZLIB_HEADER)
            // Some servers, and some browsers first, took the name by its word.
            .or_else(|| inflate(answer.body, 0)),
        (None | Some("gzip" | "x-gzip"), None) => {
            deflated(answer.body).and_then(|body| inflate(body, 0))
        }
        _ => None,
    };
    match (unpacked, coding) {
        (Some((bytes, whole)), _) => {
            let text = Cow::Owned(text(&bytes).into_owned());
            Body::Text { text, cut: answer.cut || !whole }
        }
        (None, Some(coding)) => Body::Packed(coding),
        (None, None) => Body::Text { text: text(answer.body), cut: answer.cut },
    }
}

/// Whether it begins like JSON, or is text to its end: nothing that is packed is without bytes that
/// belong to no text.
fn is_readable(body: &[u8]) -> bool {
    let begins = body.trim_ascii_start().starts_with(b"{");
    let is_text = |text: &str| text.chars().all(|c| c.is_ascii_whitespace() || !c.is_control());
    begins || str::from_utf8(body).is_ok_and(is_text)
}

/// The bytes as text: UTF-16 by its mark or by its zeros, else UTF-8.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf_16(rest, u16::from_be_bytes)),
        // A zero alone, before the object or behind its bracket, is no sign of it.
        [a, 0, b, 0, ..] if *a > 0 && *b > 0 => Cow::Owned(utf_16(bytes, u16::from_le_bytes)),
        [0, a, 0, b, ..] if *a > 0 && *b > 0 => Cow::Owned(utf_16(bytes, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, _) = bytes.as_chunks();
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// What a gzip member holds, behind its header (RFC 1952, section 2.3); `None` when it is none.
fn deflated(member: &[u8]) -> Option<&[u8]> {
    let [0x1f, 0x8b, 8, flags, _, _, _, _, _, _, rest @ ..] = member else { return None };
    let has = |bit: u8| flags & (1 << bit) != 0;
    let mut rest = rest;
    if has(2) {
        let [low, high, extra @ ..] = rest else { return None };
        rest = extra.get(usize::from(u16::from_le_bytes([*low, *high]))..)?;
    }
    // The name of a file, and a comment: texts that end with a zero.
    for _ in [3, 4].into_iter().filter(|bit| has(*bit)) {
        let end = rest.iter().position(|byte| *byte == 0)?;
        rest = rest.get(end + 1..)?;
    }
    if has(1) { rest.get(2..) } else { Some(rest) }
}

/// Unpacks what is packed by RFC 1951, as far as it goes, and says whether that was all. `None` when
/// it is none. Sums are not checked: what breaks off counts as far as it can be read.
fn inflate(packed: &[u8], format: u32) -> Option<(Vec<u8>, bool)> {
    let mut bytes = vec![0; BODY_READ_MAX];
    let mut state = Box::<DecompressorOxide>::default();
    let flags = format | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, _, written) = decompress(&mut state, packed, &mut bytes, 0, flags);
    bytes.truncate(written);
    let whole = status == miniz_oxide::inflate::TINFLStatus::Done;
    (whole || written > 0).then_some((bytes, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"status":"fail","output":"disk full, disk full, disk full"}"#;

    fn answer<'a>(content_encoding: &'a str, body: &'a [u8]) -> Answer<'a> {
        Answer {
            status: 200,
            expected: true,
            content_type: "",
            content_encoding,
            body,
            cut: false,
            contains: None,
        }
    }

    fn whole(text: &str) -> Body<'_> {
        Body::Text { text: Cow::Borrowed(text), cut: false }
    }

    /// As `gzip -n` writes it, with the optional parts of its header.
    fn gzip(flags: u8, parts: &[u8], text: &[u8]) -> Vec<u8> {
        let packed = miniz_oxide::deflate::compress_to_vec(text, 6);
        let head = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
        // The sums are not looked at.
        [&head[..], parts, &packed, &[0; 8]].concat()
    }

    #[test]
    fn packed_bodies_are_unpacked() {
        let raw = miniz_oxide::deflate::compress_to_vec(JSON.as_bytes(), 6);
        let zlib = miniz_oxide::deflate::compress_to_vec_zlib(JSON.as_bytes(), 6);
        let plain = gzip(0, b"", JSON.as_bytes());
        let named = gzip(0b11110, b"\x02\0xxa.json\0a comment\0\x12\x34", JSON.as_bytes());
        for (coding, body) in [
            ("gzip", &plain),
            ("X-GZip", &named),
            ("", &plain),
            ("identity, gzip", &plain),
            ("deflate", &zlib),
            ("deflate", &raw),
        ] {
            assert_eq!(read(&answer(coding, body)), whole(JSON), "{coding}");
        }
        assert_eq!(read(&answer("gzip", &gzip(0, b"", b""))), whole(""));
        let marked = gzip(0, b"", b"\xff\xfe{\0}\0");
        assert_eq!(read(&answer("gzip", &marked)), whole("{}"));
    }

    #[test]
    fn what_is_not_packed_is_read_whatever_is_said() {
        for coding in ["utf-8", "gzip", "deflate", "br", "gzip, gzip"] {
            assert_eq!(read(&answer(coding, JSON.as_bytes())), whole(JSON), "{coding}");
            for text in ["", "<html>", "[]", "gr\u{fc}n\r\n\t"] {
                assert_eq!(read(&answer(coding, text.as_bytes())), whole(text), "{coding}");
            }
        }
    }

    #[test]
    fn what_is_packed_otherwise_or_damaged_is_told_apart() {
        let packed = |coding: &str| Body::Packed(coding.to_owned());
        assert_eq!(read(&answer("BR", b"\x8b\x05\x80")), packed("br"));
        assert_eq!(read(&answer("gzip", b"\x1f\x8b\x08\x1c")), packed("gzip"));
        assert_eq!(read(&answer("gzip, br", &gzip(0, b"", b"{}"))), packed("gzip"));
        assert_eq!(read(&answer("deflate", b"\xff\xff")), packed("deflate"));
        let whole = gzip(0, b"", JSON.as_bytes());
        let broken = read(&answer("gzip", &whole[..40]));
        let Body::Text { text, cut: true } = broken else { panic!("{broken:?}") };
        assert!(JSON.starts_with(text.as_ref()) && !text.is_empty(), "{text}");
    }

    #[test]
    fn a_bomb_goes_off_in_a_box() {
        let bomb = gzip(0, b"", &vec![b' '; 10_000_000]);
        assert!(bomb.len() < BODY_READ_MAX);
        let Body::Text { text, cut: true } = read(&answer("gzip", &bomb)) else { panic!() };
        assert_eq!(text.len(), BODY_READ_MAX);
    }

    #[test]
    fn utf_16_is_known_by_its_mark_and_by_its_zeros() {
        let units = || JSON.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for body in [
            [&b"\xff\xfe"[..], &little].concat(),
            [&b"\xfe\xff"[..], &big].concat(),
            [&b"\xef\xbb\xbf"[..], JSON.as_bytes()].concat(),
            little,
            big,
        ] {
            assert_eq!(read(&answer("", &body)), whole(JSON), "{body:?}");
        }
        assert_eq!(read(&answer("", b"\xff\xfe\0\xd8{\0}")), whole("\u{fffd}{"));
    }
}
