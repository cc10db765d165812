//! Requests to a hub: every redirect is followed here, so that the token goes to the hub alone and what the hub says of a
//! file is read on the way.

use std::time::Duration;

use ureq::http::{HeaderMap, Response, Uri};
use ureq::{Agent, Body};

use super::error::Error;

/// Longest waits: for a connection, and for the next bytes.
const CONNECT: Duration = Duration::from_secs(20);
const READ: Duration = Duration::from_secs(30);
/// Most redirects in a row.
const REDIRECTS: usize = 10;

/// A client of one hub.
#[derive(Debug)]
pub(super) struct Client {
    endpoint: String,
    token: Option<String>,
    agent: Agent,
}

/// The last answer of a chain of redirects, with what was said on the way.
pub(super) struct Answer {
    pub status: u16,
    pub body: Body,
    pub about: About,
    /// Of the last answer: the range of bytes that it holds.
    pub range: Option<ContentRange>,
}

/// What the hub says of a file.
#[derive(Debug, Default)]
pub(super) struct About {
    pub commit: Option<String>,
    pub etag: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
    /// Why there is none: `EntryNotFound`, `RepoNotFound`, `RevisionNotFound` …
    pub error: Option<String>,
}

/// `Content-Range: bytes START-END/TOTAL` (RFC 9110, 14.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentRange {
    pub start: u64,
    pub total: u64,
}

impl Client {
    pub fn new(endpoint: String, token: Option<String>) -> Client {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept_encoding("identity")
            .user_agent(concat!("finetop/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(READ))
            .timeout_per_read(Some(READ));
        Client { endpoint, token, agent: Agent::new_with_config(config.build()) }
    }

    /// Where the hub is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether requests say who asks.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Asks for the bytes `range` (as in `bytes=0-`) of what is at `url`; `what` is for messages.
    pub fn get(&self, url: &str, range: &str, what: &str) -> Result<Answer, Error> {
        let garbage = |reason: &str| Error::Garbage { what: what.to_owned(), reason: reason.to_owned() };
        let mut about = About::default();
        let mut uri: Uri = url.parse().map_err(|_| garbage("its address is none"))?;
        let home = uri.authority().cloned();
        for _ in 0..REDIRECTS {
            let mut request = self.agent.get(uri.clone()).header("Range", range);
            if let Some(token) = self.token.as_ref().filter(|_| uri.authority() == home.as_ref()) {
                request = request.header("Authorization", format!("Bearer {token}"));
            }
            let response = request.call().map_err(|error| self.failed(error, what))?;
            about.read(response.headers());
            let status = response.status();
            if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
                let range = text(response.headers(), "content-range").and_then(ContentRange::parse);
                about.size = about.size.or(size(&response, range));
                return Ok(Answer { status: status.as_u16(), about, range, body: response.into_body() });
            }
            let to = text(response.headers(), "location").ok_or_else(|| garbage("a redirect without a place"))?;
            uri = beside(&uri, to).ok_or_else(|| garbage("a redirect to no address"))?;
        }
        Err(garbage("redirects without end"))
    }

    fn failed(&self, error: ureq::Error, what: &str) -> Error {
        let reason = error.to_string();
        match error {
            ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
                Error::Garbage { what: what.to_owned(), reason }
            }
            _ => Error::Unreachable { endpoint: self.endpoint.clone(), reason },
        }
    }
}

impl About {
    /// What the first of a chain of answers says holds; `x-linked-…` are of the file that a redirect leads to.
    fn read(&mut self, headers: &HeaderMap) {
        let owned = |name| text(headers, name).map(str::to_owned);
        self.commit = self.commit.take().or_else(|| owned("x-repo-commit"));
        let etag = owned("x-linked-etag").or_else(|| owned("etag"));
        let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"').to_owned());
        self.etag = self.etag.take().or(etag);
        self.size = self.size.or_else(|| text(headers, "x-linked-size")?.parse().ok());
        self.error = self.error.take().or_else(|| owned("x-error-code"));
    }
}

impl ContentRange {
    fn parse(text: &str) -> Option<ContentRange> {
        let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
        let start = range.split_once('-').map_or(Some(0), |(start, _)| start.trim().parse().ok())?;
        Some(ContentRange { start, total: total.trim().parse().ok()? })
    }
}

/// Bytes of the whole file, as the answer to a request for a part of it tells.
fn size(response: &Response<Body>, range: Option<ContentRange>) -> Option<u64> {
    match range {
        Some(range) => Some(range.total),
        None if response.status() == 200 => text(response.headers(), "content-length")?.trim().parse().ok(),
        None => None,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The address `to`, which may be one on the same host as `uri`.
fn beside(uri: &Uri, to: &str) -> Option<Uri> {
    let to: Uri = to.parse().ok()?;
    if to.host().is_some() {
        return matches!(to.scheme_str(), Some("http" | "https")).then_some(to);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(to.path_and_query()?.clone());
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let range = |start, total| Some(ContentRange { start, total });
        assert_eq!(ContentRange::parse("bytes 5-9/10"), range(5, 10));
        assert_eq!(ContentRange::parse("bytes */10"), range(0, 10));
        for wrong in ["", "bytes 5-9", "bytes 5-9/*", "lines 1-2/3", "bytes x-9/10"] {
            assert_eq!(ContentRange::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn redirects_stay_on_the_host_or_leave_it() {
        let uri: Uri = "http://a:1/x".parse().unwrap();
        let leads = |to| beside(&uri, to).map(|uri| uri.to_string());
        assert_eq!(leads("/y?z").as_deref(), Some("http://a:1/y?z"));
        assert_eq!(leads("https://b/y").as_deref(), Some("https://b/y"));
        assert_eq!(leads("ftp://b/y"), None);
        assert_eq!(leads("not an address"), None);
    }
}
