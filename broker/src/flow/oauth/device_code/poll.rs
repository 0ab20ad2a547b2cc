//! The state of a device sign-in between two polls (RFC 8628, sections 3.4 and 3.5): every answer consumes it and gives the
//! next state or the end.

use std::{fmt, time::Duration};

use token_broker_proto::{
    ProviderError, Secret,
    calls::UserCode,
    oauth::{Claims, CorrelationId, ScopeSet, UnixTime},
};

use crate::{
    flow::oauth::{
        ClientContext, TokenError,
        endpoint::Form,
        token_response::{self, TokenResponse},
    },
    model::{HttpRequest, HttpResponse},
};

/// What `slow_down` adds, for good (section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Longest pause between polls.
const LONGEST_INTERVAL: Duration = Duration::from_secs(300);

/// Waits for the user to enter the code.
#[derive(Clone)]
pub struct DeviceAuthorization {
    device_code: Secret,
    user_code: UserCode,
    requested: ScopeSet,
    interval: Duration,
    /// The provider's `Retry-After`, for the next poll only.
    retry_after: Option<Duration>,
}

/// What comes after an answer.
#[derive(Debug)]
pub enum Poll {
    /// Not yet: poll again after [`DeviceAuthorization::wait`].
    Wait(DeviceAuthorization),
    /// Signed in.
    Done(Box<TokenResponse>),
    /// The code ran out.
    Expired,
    /// The user said no.
    Declined(ProviderError),
    /// Anything else; final.
    Failed(TokenError),
}

impl DeviceAuthorization {
    pub(super) fn new(device_code: Secret, user_code: UserCode, requested: ScopeSet, interval: Duration) -> Self {
        Self { device_code, user_code, requested, interval, retry_after: None }
    }

    /// What to show to the user.
    #[must_use]
    pub fn user_code(&self) -> &UserCode {
        &self.user_code
    }

    /// When the codes run out.
    #[must_use]
    pub fn expires_on(&self) -> UnixTime {
        self.user_code.expires_on
    }

    /// How long to wait before the next poll; also before the first one.
    #[must_use]
    pub fn wait(&self) -> Duration {
        self.retry_after.unwrap_or_default().max(self.interval)
    }

    /// Asks for the token (section 3.4). Microsoft's first version wanted it as `code`, and is sent both, and the claims.
    #[must_use]
    pub fn poll_request(
        &self,
        client: ClientContext<'_>,
        claims: Option<&Claims>,
        correlation_id: CorrelationId,
    ) -> HttpRequest {
        let form =
            Form::grant("urn:ietf:params:oauth:grant-type:device_code").with("device_code", self.device_code.expose());
        let form = if client.is_microsoft() {
            form.with("code", self.device_code.expose()).with_some("claims", claims.map(Claims::as_str))
        } else {
            form
        };
        client.post_to_token_endpoint(form, correlation_id)
    }

    /// The next state after an answer (section 3.5). A provider that is unavailable is asked again until the code runs out.
    #[must_use]
    pub fn after(self, response: &HttpResponse, now: UnixTime) -> Poll {
        let error = match token_response::parse(response, &self.requested, now) {
            Ok(tokens) => return Poll::Done(Box::new(tokens)),
            Err(error) => error,
        };
        let said = error.provider().map(|words| words.error.clone()).unwrap_or_default();
        match (said.as_str(), error) {
            ("authorization_pending", error) => self.later(retry_after(&error), now),
            ("slow_down", error) => self.slower(SLOWER).later(retry_after(&error), now),
            ("expired_token" | "code_expired", _) => Poll::Expired,
            ("access_denied" | "authorization_declined", TokenError::Refused(words)) => Poll::Declined(*words),
            (_, TokenError::Unavailable { retry_after, .. }) => self.later(retry_after, now),
            (_, error) => Poll::Failed(error),
        }
    }

    /// The next state after a poll that got no answer: the pause doubles (section 3.5).
    #[must_use]
    pub fn after_timeout(self, now: UnixTime) -> Poll {
        let more = self.interval;
        self.slower(more).later(None, now)
    }

    fn slower(mut self, by: Duration) -> Self {
        self.interval = self.interval.saturating_add(by).min(LONGEST_INTERVAL);
        self
    }

    fn later(mut self, retry_after: Option<Duration>, now: UnixTime) -> Poll {
        if self.expires_on() <= now {
            return Poll::Expired;
        }
        self.retry_after = retry_after;
        Poll::Wait(self)
    }
}

fn retry_after(error: &TokenError) -> Option<Duration> {
    match error {
        TokenError::Unavailable { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// Shows neither code.
impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization")
            .field("interval", &self.interval)
            .field("expires_on", &self.expires_on())
            .finish_non_exhaustive()
    }
}
