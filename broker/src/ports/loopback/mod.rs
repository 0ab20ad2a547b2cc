//! The loopback listener of a browser sign-in (RFC 8252, section 7.3): bound to the loopback interface only, for one sign-in
//! only. It hands over what arrives at the redirect URI and shows the page that it is given. It judges nothing but form: the
//! method, the path, the `Host` header (against DNS rebinding) and the size.

mod connection;
mod page;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use token_broker_proto::Secret;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use url::{Host, Url};

pub use page::Page;

/// How long the last page may take to reach the browser.
const LINGER: Duration = Duration::from_secs(2);

/// A listener for one sign-in; dropping it closes the port.
#[derive(Debug)]
pub struct Loopback {
    redirect_uri: Url,
    arrivals: mpsc::Receiver<Arrival>,
    _accepting: JoinSet<()>,
}

/// Parameters that came to the redirect URI; the browser waits for a page.
#[derive(Debug)]
pub struct Arrival {
    /// The raw query string or form body.
    pub parameters: Secret,
    page: oneshot::Sender<Page>,
    written: oneshot::Receiver<()>,
}

impl Loopback {
    /// Listens for this redirect URI: on its port, or on any if it names none.
    pub async fn bind(redirect_uri: &Url) -> io::Result<Self> {
        let (ip, also) = match redirect_uri.host() {
            Some(Host::Ipv4(ip)) if ip.is_loopback() => (IpAddr::V4(ip), None),
            Some(Host::Ipv6(ip)) if ip.is_loopback() => (IpAddr::V6(ip), None),
            Some(Host::Domain("localhost")) => (IpAddr::V4(Ipv4Addr::LOCALHOST), Some(IpAddr::V6(Ipv6Addr::LOCALHOST))),
            _ => return Err(io::Error::other("the redirect URI is not on a loopback host")),
        };
        let first = TcpListener::bind(SocketAddr::new(ip, redirect_uri.port().unwrap_or(0))).await?;
        let port = first.local_addr()?.port();
        let mut redirect_uri = redirect_uri.clone();
        redirect_uri.set_port(Some(port)).map_err(|()| io::Error::other("the redirect URI cannot have a port"))?;
        let mut listeners = vec![first];
        if let Some(ip) = also {
            match TcpListener::bind(SocketAddr::new(ip, port)).await {
                Ok(listener) => listeners.push(listener),
                // Somebody else would get the browser's visit.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                // A machine without IPv6 has no such address; browsers use the other one then.
                Err(_) => {}
            }
        }
        let (sender, arrivals) = mpsc::channel(4);
        let site = connection::Site::of(&redirect_uri, sender);
        let mut accepting = JoinSet::new();
        for listener in listeners {
            accepting.spawn(connection::accept(listener, site.clone()));
        }
        Ok(Self { redirect_uri, arrivals, _accepting: accepting })
    }

    /// The redirect URI with the port that it listens on.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// The next parameters that arrive; `None` never comes while the listener lives.
    pub async fn next(&mut self) -> Option<Arrival> {
        self.arrivals.recv().await
    }
}

impl Arrival {
    /// Shows the page and waits, within a limit, until the browser has it.
    pub async fn show(self, page: Page) {
        if self.page.send(page).is_ok() {
            // The browser may be gone already: then nobody misses the page.
            let _ = timeout(LINGER, self.written).await;
        }
    }
}
