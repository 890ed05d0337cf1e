//! What this machine itself can be short of, as its kernel tells it.
//!
//! A check, or a look-up, that failed for such a want says nothing about the app.

/// Whether this error of the system (errno(3)) is a want of ours.
///
/// Not among them: that we have no network (`ENETUNREACH`, `ENETDOWN`), which is told as such; and
/// that our own firewall forbids the question (`EPERM`, `EACCES`), which lasts until a person acts.
pub(super) fn is_ours(errno: i32) -> bool {
    matches!(
        errno,
        // Descriptors, of the process and of the machine.
        libc::EMFILE | libc::ENFILE
        // Memory, of all kinds.
        | libc::ENOMEM | libc::ENOBUFS
        // Ports for our end of connections.
        | libc::EADDRNOTAVAIL
        // Places among what one user may wait for (epoll_ctl(2)).
        | libc::ENOSPC
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_want_of_ours_is_told_from_what_says_something_about_the_way() {
        for ours in [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOMEM,
            libc::ENOBUFS,
            libc::EADDRNOTAVAIL,
            libc::ENOSPC,
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for theirs in [
            libc::ECONNREFUSED,
            libc::ECONNRESET,
            libc::EHOSTUNREACH,
            libc::EHOSTDOWN,
            libc::ENETUNREACH,
            libc::ENETDOWN,
            libc::ENONET,
            libc::ETIMEDOUT,
            libc::EPERM,
            libc::EACCES,
            libc::EAFNOSUPPORT,
            libc::EINVAL,
        ] {
            assert!(!is_ours(theirs), "{theirs}");
        }
    }
}
