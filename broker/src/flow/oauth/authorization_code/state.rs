//! `state`: binds what comes back to the request that it answers (RFC 6749, sections 4.1.1 and 10.12). Anybody may send
//! parameters, so it is looked at before anything else.

use token_broker_proto::Secret;
use url::form_urlencoded;

use super::redirect::MAX_PARAMS;
use crate::flow::oauth::endpoint::same_text;

/// The state of one authorization request.
#[derive(Debug, Clone)]
pub struct State(Secret);

impl State {
    pub(super) fn new(state: Secret) -> Self {
        Self(state)
    }

    /// The state that came with parameters; `None` if none came, more than one, or too much to be looked at.
    #[must_use]
    pub fn of(params: &str) -> Option<Self> {
        let bounded = Some(params).filter(|params| params.len() <= MAX_PARAMS)?;
        let mut states = form_urlencoded::parse(bounded.as_bytes()).filter(|(name, _)| name == "state");
        match (states.next(), states.next()) {
            (Some((_, state)), None) => Some(Self(Secret::new(state))),
            _ => None,
        }
    }

    /// Whether both are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        same_text(self.0.expose(), other.0.expose())
    }

    /// Its text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}
