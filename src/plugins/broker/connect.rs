//! Connections: to an address that was checked and to no other, with TLS in the host's own name, and with one end in
//! time for connecting, handshake, sending and receiving. The client's own connector allows each write the whole
//! time-out again, so that a server which reads a byte now and then could hold on to a request.
use super::names::{NameError, Names};
use super::{address, target};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// Addresses of one host that are tried.
const TRIED: usize = 8;
/// For a time-out that was not set, which does not happen.
const NEVER: Duration = Duration::from_secs(60);

/// The host resolves to what may not be called; says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub String);

fn end(timeout: NextTimeout) -> Instant {
    let after = if timeout.after.is_not_happening() { NEVER } else { (*timeout.after).min(NEVER) };
    Instant::now() + after
}

/// Resolves, and refuses a host if any of its addresses may not be called: which one would be chosen is a matter of
/// chance, and a host that mixes public and private addresses is up to something.
pub(super) struct Checked {
    pub names: Arc<dyn Names>,
    pub private: bool,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("private", &self.private).finish_non_exhaustive()
    }
}

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let (Some(host), Some(port)) = (uri.host(), uri.port_u16()) else {
            return Err(Error::BadUri("no host or no port".into()));
        };
        let literal = target::literal(host);
        let found = match literal {
            Some(address) => vec![address],
            None => self.names.addresses(host, end(timeout)).map_err(|e| match e {
                NameError::TimedOut => Error::Timeout(timeout.reason),
                NameError::Unknown(_) => Error::HostNotFound,
                busy @ NameError::Busy => Error::Other(Box::new(busy)),
            })?,
        };
        let mut addresses = self.empty();
        for address in &found {
            address::permitted(*address, self.private, literal.is_some())
                .map_err(|what| Error::Other(Box::new(Refused(format!("{host} is at {what}")))))?;
        }
        for address in found.into_iter().take(TRIED) {
            addresses.push(SocketAddr::new(address, port));
        }
        if addresses.is_empty() { Err(Error::HostNotFound) } else { Ok(addresses) }
    }
}

/// Opens connections to the addresses that [`Checked`] found.
pub(super) struct Dialler {
    pub tls: Arc<ClientConfig>,
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").finish_non_exhaustive()
    }
}

impl Connector<()> for Dialler {
    type Out = Line;

    fn connect(&self, details: &ConnectionDetails, _chained: Option<()>) -> Result<Option<Line>, Error> {
        let until = end(details.timeout);
        let late = |e: io::Error| told(e, details.timeout);
        let stream = dial(&details.addrs, until).map_err(late)?;
        stream.set_nodelay(true)?;
        let mut wire = Wire { stream, until };
        let stream = if details.needs_tls() {
            let host = details.uri.host().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let name = ServerName::try_from(host.to_owned())
                .map_err(|_| Error::Tls("the host's name cannot stand in a certificate"))?;
            let mut tls =
                ClientConnection::new(Arc::clone(&self.tls), name).map_err(|e| late(io::Error::other(e)))?;
            while tls.is_handshaking() {
                tls.complete_io(&mut wire).map_err(late)?;
            }
            Stream::Tls(Box::new(StreamOwned::new(tls, wire)))
        } else {
            Stream::Plain(wire)
        };
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Line { stream, buffers }))
    }
}

/// Tries each address; each but the last may use half of what is left.
fn dial(addresses: &[SocketAddr], until: Instant) -> io::Result<TcpStream> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    let mut left = addresses.len();
    for address in addresses {
        left = left.saturating_sub(1);
        let remaining = until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(address, if left == 0 { remaining } else { remaining / 2 }) {
            Ok(stream) => return Ok(stream),
            Err(e) => failed = e,
        }
    }
    Err(failed)
}

/// A time-out by its name, whatever the system calls it.
fn told(error: io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}

/// A socket whose every operation ends by `until`.
#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    until: Instant,
}

impl Wire {
    fn remaining(&self) -> io::Result<Option<Duration>> {
        let remaining = self.until.saturating_duration_since(Instant::now());
        if remaining.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(remaining)) }
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            self.stream.set_read_timeout(self.remaining()?)?;
            match self.stream.read(into) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                other => return other,
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        loop {
            self.stream.set_write_timeout(self.remaining()?)?;
            match self.stream.write(from) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

enum Stream {
    Plain(Wire),
    Tls(Box<StreamOwned<ClientConnection, Wire>>),
}

impl Stream {
    fn wire(&mut self) -> &mut Wire {
        match self {
            Stream::Plain(wire) => wire,
            Stream::Tls(tls) => &mut tls.sock,
        }
    }
}

/// An open connection.
pub(super) struct Line {
    stream: Stream,
    buffers: LazyBuffers,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("tls", &self.is_tls()).finish_non_exhaustive()
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.wire().until = end(timeout);
        let output = self.buffers.output();
        let output = output.get(..amount).unwrap_or(output);
        let sent = match &mut self.stream {
            Stream::Plain(wire) => wire.write_all(output),
            Stream::Tls(tls) => tls.write_all(output).and_then(|()| tls.flush()),
        };
        sent.map_err(|e| told(e, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.wire().until = end(timeout);
        let into = self.buffers.input_append_buf();
        let read = match &mut self.stream {
            Stream::Plain(wire) => wire.read(into),
            Stream::Tls(tls) => tls.read(into),
        };
        let amount = read.map_err(|e| told(e, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// An idle connection on which something arrived is closed, or about to speak out of turn.
    fn is_open(&mut self) -> bool {
        let stream = &self.stream.wire().stream;
        if stream.set_nonblocking(true).is_err() {
            return false;
        }
        let silent = matches!(stream.peek(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        silent && stream.set_nonblocking(false).is_ok()
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}
