//! The head of an app's answer.

use healthchecker::daemon::prober::head::{Head, HeadFault, read};

/// More bytes change nothing about a head that is whole, and the strict one is what the HTTP library
/// accepts, and means the same when it is read again.
pub fn run(bytes: &[u8]) {
    match read(bytes) {
        Ok(None) => {}
        Err(HeadFault::NoStatusLine | HeadFault::TwoLengths | HeadFault::NoChunks) => {}
        Ok(Some(Head { length, strict })) => {
            assert!(length <= bytes.len());
            let alone = read(&bytes[..length]);
            assert_eq!(alone, Ok(Some(Head { length, strict: strict.clone() })));
            assert_eq!(read(&bytes[..length - 1]), Ok(None), "it is whole, and no sooner");
            let Some(strict) = strict else { return };
            let mut room = [httparse::EMPTY_HEADER; 5];
            let parsed = httparse::Response::new(&mut room).parse(&strict);
            assert_eq!(parsed, Ok(httparse::Status::Complete(strict.len())));
            let again = Head { length: strict.len(), strict: Some(strict.clone()) };
            assert_eq!(read(&strict), Ok(Some(again)));
        }
    }
}
