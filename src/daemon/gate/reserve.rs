//! File descriptors kept back for the API.
//!
//! Its HTTP library ends its accept thread for good when it finds none free, so those that a
//! connection to it takes are set aside beforehand, and let go just before they are needed.

use std::os::unix::net::UnixDatagram;

use super::API_PLACES;

/// Our end of a connection, the library's end, and the copy that it makes.
const FOR_EACH: usize = 3;

/// How many are set aside when nobody talks to the API.
pub(crate) const DESCRIPTORS_RESERVED: usize = API_PLACES * FOR_EACH;

/// Descriptors that do nothing but be there.
#[derive(Debug)]
pub(super) struct Reserve {
    kept: Vec<UnixDatagram>,
    places: usize,
}

impl Reserve {
    /// Enough for `places` connections to the API.
    pub(super) fn new(places: usize) -> Reserve {
        let mut reserve = Reserve { kept: Vec::new(), places };
        reserve.keep_for(places);
        reserve
    }

    /// Follows the number of connections to the API in use. When there is nothing left to take
    /// back, it is tried again the next time.
    pub(super) fn follow(&mut self, in_use: usize) {
        self.keep_for(self.places.saturating_sub(in_use));
    }

    fn keep_for(&mut self, places: usize) {
        let wanted = places.saturating_mul(FOR_EACH);
        self.kept.truncate(wanted);
        while self.kept.len() < wanted {
            match UnixDatagram::unbound() {
                Ok(socket) => self.kept.push(socket),
                Err(_) => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_is_let_go_and_taken_back() {
        let mut reserve = Reserve::new(4);
        for (in_use, kept) in [(0, 12), (1, 9), (4, 0), (5, 0), (2, 6), (0, 12)] {
            reserve.follow(in_use);
            assert_eq!(reserve.kept.len(), kept);
        }
    }
}
