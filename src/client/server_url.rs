//! Where a daemon is.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use ureq::http::Uri;

use super::Error;

/// Where the calls of a daemon begin.
const ROOT: &str = "/healthchecker/";

/// The address of a daemon: `http://192.168.1.5:43210/healthchecker/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl(String);

impl ServerUrl {
    /// The address of one of its calls.
    pub(super) fn call(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    /// The address as text; ends with `/healthchecker/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The daemon at this address and port.
impl From<SocketAddr> for ServerUrl {
    fn from(at: SocketAddr) -> ServerUrl {
        ServerUrl(format!("http://{at}{ROOT}"))
    }
}

/// As people write it: `pi:8080`, `http://pi:8080`, `http://pi:8080/healthchecker/`.
impl FromStr for ServerUrl {
    type Err = Error;

    fn from_str(given: &str) -> Result<ServerUrl, Error> {
        let refused =
            |why: &str| Error::BadAddress { given: given.to_owned(), why: why.to_owned() };
        let text = given.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = text.parse().map_err(|_| refused("it cannot be read"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") if cfg!(feature = "daemon") => {}
            Some("https") => return Err(refused("this build has no TLS")),
            _ => return Err(refused("only http:// and https:// are known")),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(refused("the host is missing"));
        }
        let after_host = uri.authority().and_then(|at| at.as_str().rsplit([']', '@']).next());
        if after_host.is_some_and(|rest| rest.contains(':')) && uri.port_u16().is_none() {
            return Err(refused("the port is no number from 0 to 65535"));
        }
        if uri.query().is_some() {
            return Err(refused("it has a query"));
        }
        let base = text.trim_end_matches('/');
        let base = base.strip_suffix(ROOT.trim_end_matches('/')).unwrap_or(base);
        Ok(ServerUrl(format!("{base}{ROOT}")))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_people_write_it() {
        for given in
            ["pi:8080", "http://pi:8080", "http://pi:8080/", "http://pi:8080/healthchecker"]
        {
            let url: ServerUrl = given.parse().unwrap();
            assert_eq!(url.as_str(), "http://pi:8080/healthchecker/", "{given}");
        }
        let proxied: ServerUrl = "http://home/watch/".parse().unwrap();
        assert_eq!(proxied.call("info"), "http://home/watch/healthchecker/info");
        let v6 = ServerUrl::from("[fd77::1]:80".parse::<SocketAddr>().unwrap());
        assert_eq!(v6.as_str().parse::<ServerUrl>().unwrap(), v6);
    }

    #[test]
    fn what_is_no_address_is_refused_in_a_sentence() {
        for given in ["", "http://", "ftp://pi", "http://pi:port", "http://pi/?a=b", "a b"] {
            let why = given.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(why.contains("is no address of a server"), "{why}");
        }
    }
}
