//! HTTP with settings that can change while the daemon runs. An exchange that is under way ends under those it began with.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

use super::{Http, HttpClient, HttpError, HttpSettings, Network};
use crate::model::{HttpRequest, HttpResponse};

/// Sends with the client of the settings that hold now.
#[derive(Debug)]
pub struct AdjustableHttp {
    client: RwLock<Arc<HttpClient>>,
}

impl AdjustableHttp {
    /// Begins with these settings.
    #[must_use]
    pub fn new(settings: HttpSettings) -> Self {
        Self { client: RwLock::new(Arc::new(HttpClient::new(settings))) }
    }

    /// From now on these settings hold. The new client also reads the certificate authorities anew.
    pub fn adjust(&self, settings: HttpSettings) {
        // Only whole values are stored, so a poisoned lock is still good.
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(HttpClient::new(settings));
    }

    fn client(&self) -> Arc<HttpClient> {
        Arc::clone(&self.client.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Http for AdjustableHttp {
    fn send(&self, request: HttpRequest) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + '_>> {
        let client = self.client();
        Box::pin(async move { client.send(request).await })
    }

    fn network(&self) -> Network {
        self.client().network()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::Secret;

    use super::{super::HttpLimits, AdjustableHttp, Http as _, HttpError, HttpSettings};

    #[tokio::test]
    async fn the_limits_of_the_moment_hold() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Accepts in the kernel, and never answers.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let url = format!("http://{}/", silent.local_addr().expect("its address"));
        let http = AdjustableHttp::new(HttpSettings::default());
        for limit in [Duration::from_millis(30), Duration::from_millis(60)] {
            http.adjust(HttpLimits { total: limit, ..HttpLimits::default() }.into());
            let request = http::Request::get(&url).body(Secret::new("")).expect("a request");
            match http.send(request).await {
                Err(HttpError::Timeout { limit: said, .. }) => assert_eq!(said, limit),
                other => panic!("{other:?}"),
            }
        }
    }
}
