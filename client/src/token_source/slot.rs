//! The last word of the daemon, swapped as a whole: readers never wait for the writer, nor for each other.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use token_broker_proto::{
    Reason,
    calls::{TokenAnswer, TokenEvent},
    oauth::UnixTime,
};
use tokio::sync::watch;

use super::TokenUnavailable;
use crate::ClientError;

/// Where the task writes and everybody reads.
#[derive(Debug)]
pub(super) struct Slot {
    word: ArcSwap<Word>,
    changed: watch::Sender<()>,
    min_validity: Duration,
}

/// The token, while there is one, and what is said when there is none or it has run out.
#[derive(Debug)]
struct Word {
    token: Option<Held>,
    otherwise: TokenUnavailable,
}

#[derive(Debug, Clone)]
struct Held {
    answer: Arc<TokenAnswer>,
    /// The first instant at which it is not handed out any more.
    ends: UnixTime,
}

impl Slot {
    pub(super) fn new(min_validity: Duration) -> (Self, watch::Receiver<()>) {
        let word = ArcSwap::from_pointee(Word { token: None, otherwise: TokenUnavailable::NotYet });
        let (changed, seen) = watch::channel(());
        (Self { word, changed, min_validity }, seen)
    }

    /// The token at this time.
    pub(super) fn token(&self, now: UnixTime) -> Result<Arc<TokenAnswer>, TokenUnavailable> {
        let word = self.word.load();
        match &word.token {
            Some(held) if held.ends > now => Ok(Arc::clone(&held.answer)),
            _ => Err(word.otherwise.clone()),
        }
    }

    /// Takes in what the daemon says.
    pub(super) fn take(&self, event: TokenEvent, now: UnixTime) {
        self.put(match event {
            TokenEvent::Token(answer) => {
                let promised = answer.expires_on.minus(self.min_validity);
                // A token that cannot live as long as it should is the best there is.
                let ends = if promised > now { promised } else { answer.expires_on };
                Word { token: Some(Held { answer: Arc::from(answer), ends }), otherwise: TokenUnavailable::Overdue }
            }
            TokenEvent::SignInNeeded(needed) => {
                // It may be good until it ends, as the daemon says.
                let token = needed.token_expires_on.and_then(|_| self.word.load().token.clone());
                Word { token, otherwise: TokenUnavailable::SignInNeeded(Arc::new(needed)) }
            }
            TokenEvent::Expired(expired) => {
                Word { token: None, otherwise: TokenUnavailable::Expired(Arc::new(expired)) }
            }
        });
    }

    /// Takes in that the daemon is away, or refuses. What may pass costs no token that is good.
    pub(super) fn lose(&self, error: ClientError) {
        let token = || self.word.load().token.clone();
        self.put(match error {
            ClientError::Broker(failure) if may_pass(failure.reason) => {
                Word { token: token(), otherwise: TokenUnavailable::Refused(failure.into()) }
            }
            ClientError::Broker(failure) => Word { token: None, otherwise: TokenUnavailable::Refused(failure.into()) },
            error => Word { token: token(), otherwise: TokenUnavailable::Disconnected(Arc::new(error)) },
        });
    }

    fn put(&self, word: Word) {
        self.word.store(Arc::new(word));
        self.changed.send_replace(());
    }
}

/// Whether a refusal says nothing of the token itself.
pub(super) fn may_pass(reason: Reason) -> bool {
    match reason {
        Reason::AuthorityUnavailable
        | Reason::AuthorityRefused
        | Reason::Locked
        | Reason::LimitExceeded
        | Reason::StoreUnavailable
        | Reason::StoreCorrupt
        | Reason::Cancelled
        | Reason::Expired
        | Reason::Internal => true,
        Reason::InvalidRequest
        | Reason::ApplicationNotFound
        | Reason::AccountNotFound
        | Reason::AlreadyExists
        | Reason::AccountAmbiguous
        | Reason::InteractionRequired
        | Reason::Declined
        | Reason::AccessDenied
        | Reason::ApprovalPending
        | Reason::Unsupported => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use token_broker_proto::{
        Failure, Reason, Secret,
        calls::{SignInNeeded, TokenAnswer, TokenEvent, TokenExpired, TokenSource},
        oauth::{CorrelationId, ScopeSet, UnixTime},
    };

    use super::{Slot, TokenUnavailable};
    use crate::ClientError;

    fn at(seconds: i64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    fn token(expires_on: i64) -> TokenEvent {
        TokenEvent::Token(Box::new(TokenAnswer {
            access_token: Secret::new("t"),
            token_type: "Bearer".into(),
            expires_on: at(expires_on),
            refresh_on: None,
            scopes: ScopeSet::default(),
            account: None,
            source: TokenSource::Cache,
            id_token: None,
            correlation_id: CorrelationId::from_random([1; 16]),
            key_id: None,
            session_key: None,
        }))
    }

    fn needed(token_expires_on: Option<i64>) -> TokenEvent {
        let token_expires_on = token_expires_on.map(at);
        TokenEvent::SignInNeeded(SignInNeeded { message: "sign in".into(), claims: None, token_expires_on })
    }

    fn slot(events: impl IntoIterator<Item = TokenEvent>) -> Slot {
        let slot = Slot::new(Duration::ZERO).0;
        events.into_iter().for_each(|event| slot.take(event, at(0)));
        slot
    }

    #[test]
    fn a_token_is_handed_out_until_the_second_in_which_it_ends() {
        let slot = slot([token(100)]);
        assert!(slot.token(at(99)).is_ok());
        assert!(matches!(slot.token(at(100)), Err(TokenUnavailable::Overdue)));
        assert!(slot.token(at(50)).is_ok(), "a clock that was set back");
    }

    #[test]
    fn a_promise_ends_it_earlier_unless_no_token_can_keep_it() {
        let slot = Slot::new(Duration::from_secs(60)).0;
        slot.take(token(100), at(0));
        assert!(slot.token(at(39)).is_ok() && slot.token(at(40)).is_err());
        slot.take(token(120), at(70));
        assert!(slot.token(at(119)).is_ok(), "it lives shorter than promised");
    }

    #[test]
    fn each_reason_is_told() {
        assert!(matches!(Slot::new(Duration::ZERO).0.token(at(0)), Err(TokenUnavailable::NotYet)));
        let signed_out = slot([token(100), needed(None)]);
        assert!(matches!(signed_out.token(at(1)), Err(TokenUnavailable::SignInNeeded(_))));
        let ends_soon = slot([token(100), needed(Some(100))]);
        assert!(ends_soon.token(at(99)).is_ok());
        assert!(matches!(ends_soon.token(at(100)), Err(TokenUnavailable::SignInNeeded(_))));
        let (reason, message) = (Reason::AuthorityUnavailable, "away".to_owned());
        let expired = TokenEvent::Expired(TokenExpired { expires_on: at(100), reason, message });
        assert!(matches!(slot([token(100), expired]).token(at(1)), Err(TokenUnavailable::Expired(_))));
    }

    #[test]
    fn a_good_token_outlives_the_connection_but_not_its_application() {
        let lost = slot([token(100)]);
        lost.lose(ClientError::Interrupted);
        assert!(lost.token(at(99)).is_ok());
        assert!(matches!(lost.token(at(100)), Err(TokenUnavailable::Disconnected(_))));
        for (reason, is_kept) in [(Reason::Locked, true), (Reason::ApplicationNotFound, false)] {
            let refused = slot([token(100)]);
            refused.lose(ClientError::Broker(Box::new(Failure::new(reason, "no"))));
            assert_eq!(refused.token(at(99)).is_ok(), is_kept, "{reason:?}");
            assert!(matches!(refused.token(at(100)), Err(TokenUnavailable::Refused(_))));
        }
    }
}
