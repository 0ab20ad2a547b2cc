//! One HTTP/1.1 connection to the loopback listener: at most one request, checked for form, answered with a page.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use token_broker_proto::Secret;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::timeout,
};
use url::Url;

use super::{Arrival, Page};

/// Most bytes of parameters.
const MAX_PARAMETERS: usize = 16 * 1024;
/// Most connections at once; browsers open a few ahead of need.
const MAX_CONNECTIONS: usize = 16;
/// How long a request's head may take, and its body.
const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// What the listener answers to.
#[derive(Debug, Clone)]
pub(super) struct Site {
    place: Arc<Place>,
    arrivals: mpsc::Sender<Arrival>,
}

#[derive(Debug)]
struct Place {
    host: String,
    path: String,
}

impl Site {
    pub(super) fn of(redirect_uri: &Url, arrivals: mpsc::Sender<Arrival>) -> Self {
        let host = redirect_uri.host_str().unwrap_or_default();
        let host = redirect_uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self { place: Arc::new(Place { host, path: redirect_uri.path().to_owned() }), arrivals }
    }

    /// The parameters, or the page for a request that has none for us.
    async fn parameters(&self, request: Request<Incoming>) -> Result<Secret, Page> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        if host != Some(self.place.host.as_str()) {
            return Err(Page::foreign());
        }
        if request.uri().path() != self.place.path {
            return Err(Page::not_found());
        }
        match *request.method() {
            Method::GET => match request.uri().query() {
                Some(query) if query.len() <= MAX_PARAMETERS => Ok(Secret::new(query)),
                _ => Err(Page::foreign()),
            },
            Method::POST => {
                let body = timeout(HEAD_LIMIT, Limited::new(request.into_body(), MAX_PARAMETERS).collect()).await;
                let bytes = body.map_err(|_| Page::foreign())?.map_err(|_| Page::foreign())?.to_bytes();
                str::from_utf8(&bytes).map(Secret::new).map_err(|_| Page::foreign())
            }
            _ => Err(Page::foreign()),
        }
    }

    /// Hands the parameters over and waits for the page; the sender tells when it was written.
    async fn page(&self, request: Request<Incoming>, written: oneshot::Receiver<()>) -> Page {
        let parameters = match self.parameters(request).await {
            Ok(parameters) => parameters,
            Err(page) => return page,
        };
        let (sender, page) = oneshot::channel();
        if self.arrivals.send(Arrival { parameters, page: sender, written }).await.is_err() {
            return Page::foreign();
        }
        page.await.unwrap_or_else(|_| Page::foreign())
    }
}

/// Accepts connections for as long as the listener lives.
pub(super) async fn accept(listener: TcpListener, site: Site) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, in general: others must close theirs first.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        while connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, site.clone()));
    }
}

async fn serve(stream: TcpStream, site: Site) {
    let (done, written) = oneshot::channel();
    // One request a connection: the first takes it.
    let written = Mutex::new(Some(written));
    let service = service_fn(move |request| {
        let written = written.lock().unwrap_or_else(PoisonError::into_inner).take();
        let site = site.clone();
        async move {
            let page = match written {
                Some(written) => site.page(request, written).await,
                None => Page::not_found(),
            };
            Ok::<_, Infallible>(response(&page))
        }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a browser left the sign-in page early");
    }
    // Nobody waits if the request was not for us.
    let _ = done.send(());
}

fn response(page: &Page) -> Response<Full<Bytes>> {
    const HEADERS: [(header::HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    let mut response = Response::new(Full::from(page.html()));
    *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::BAD_REQUEST);
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
