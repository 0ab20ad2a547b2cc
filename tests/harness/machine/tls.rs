//! TLS in front of a plain server of the harness, with certificates made on the spot: good ones and those that a client must
//! refuse. The certificate can be changed while it runs; the connections of the old one end then.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// A certificate authority.
#[derive(Debug)]
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl CertificateAuthority {
    /// A new one of this name, that nobody trusts yet.
    ///
    /// # Panics
    /// When no key can be made.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = parameters.self_signed(&key).expect("a certificate of its own").pem();
        Self { issuer: Issuer::new(parameters, key), pem }
    }

    /// Its own certificate, as `SSL_CERT_FILE` takes it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for this host.
    #[must_use]
    pub fn certify(&self, host: &str) -> Arc<ServerConfig> {
        self.issue(host, 2099).0
    }

    /// The same, with its SHA-1 thumbprint in hex.
    #[must_use]
    pub fn certify_with_thumbprint(&self, host: &str) -> (Arc<ServerConfig>, String) {
        let (config, der) = self.issue(host, 2099);
        let thumbprint = ::ring::digest::digest(&::ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &der);
        let hex: Vec<_> = thumbprint.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        (config, hex.concat())
    }

    /// A certificate for this host that was good until long ago.
    #[must_use]
    pub fn certify_until_2021(&self, host: &str) -> Arc<ServerConfig> {
        self.issue(host, 2021).0
    }

    fn issue(&self, host: &str, until: i32) -> (Arc<ServerConfig>, Vec<u8>) {
        let mut parameters = CertificateParams::new(vec![host.to_owned()]).expect("a host name");
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a signed certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        (Arc::new(config.expect("key and certificate fit")), certificate.der().to_vec())
    }
}

/// A port that speaks TLS and passes everything on to a plain one.
#[derive(Debug)]
pub struct TlsFront {
    address: SocketAddr,
    shown: Arc<Mutex<Arc<ServerConfig>>>,
    changed: watch::Sender<()>,
    _accepting: JoinSet<()>,
}

impl TlsFront {
    /// Opens it before the plain server at `behind`, an `http://HOST:PORT`.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn before(behind: &str, shown: Arc<ServerConfig>) -> Self {
        let behind: SocketAddr = behind.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let (shown, changed) = (Arc::new(Mutex::new(shown)), watch::Sender::new(()));
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, behind, Arc::clone(&shown), changed.subscribe()));
        Self { address, shown, changed, _accepting: accepting }
    }

    /// Its address as an issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Shows another certificate from now on.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn show(&self, config: Arc<ServerConfig>) {
        *self.shown.lock().unwrap() = config;
        self.changed.send_replace(());
    }
}

async fn accept(
    listener: TcpListener,
    behind: SocketAddr,
    shown: Arc<Mutex<Arc<ServerConfig>>>,
    changed: watch::Receiver<()>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = TlsAcceptor::from(Arc::clone(&shown.lock().unwrap()));
        let mut changed = changed.clone();
        changed.mark_unchanged();
        connections.spawn(async move {
            tokio::select! {
                () = serve(stream, acceptor, behind) => {}
                _ = changed.changed() => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Errors end the connection: the client refuses the certificate, or one side is gone.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, behind: SocketAddr) {
    let Ok(mut outside) = acceptor.accept(stream).await else { return };
    let Ok(mut inside) = TcpStream::connect(behind).await else { return };
    let _ = copy_bidirectional(&mut outside, &mut inside).await;
}
