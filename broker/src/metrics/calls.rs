//! Calls by name and code, failures by reason, tokens by where they came from and how long they took, and what the requests to
//! token endpoints came to. What a hit touches is looked up once, at the start: no lock of a family, no allocation.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use super::{LATENCIES, Labels};

type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// Counts calls.
#[derive(Debug)]
pub struct Calls {
    by_code: Counters<2>,
    failures: Counters<1>,
    refreshes: Counters<1>,
    app_tokens: Counters<1>,
    on_behalf_of: Counters<1>,
    get_token_answered: Counter,
    cached: Tokens,
    fetched: Tokens,
}

/// Tokens of one source.
#[derive(Debug)]
struct Tokens {
    count: Counter,
    duration: Histogram,
}

impl Tokens {
    fn count(&self, took: Duration) {
        self.count.inc();
        self.duration.observe(took.as_secs_f64());
    }
}

/// What a request to a token endpoint came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Its tokens are in the store.
    Saved,
    /// Its tokens were thrown away: what it was for is gone.
    Discarded,
    /// It brought none.
    Failed,
}

impl Outcome {
    fn labels(self) -> Labels<1> {
        let outcome = match self {
            Self::Saved => "saved",
            Self::Discarded => "discarded",
            Self::Failed => "failed",
        };
        [("outcome", outcome)]
    }
}

impl Calls {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (by_code, failures) = (Counters::<2>::default(), Counters::<1>::default());
        registry.register("calls", "Calls by name and gRPC code", by_code.clone());
        registry.register("failures", "Failed calls by reason", failures.clone());
        let (refreshes, app_tokens) = (Counters::<1>::default(), Counters::<1>::default());
        registry.register("refreshes", "Refreshes of grants by what they came to", refreshes.clone());
        let help = "Requests for tokens of an application itself by what they came to";
        registry.register("app_token_requests", help, app_tokens.clone());
        let on_behalf_of = Counters::<1>::default();
        let help = "Requests for tokens on behalf of a user, by an assertion, by what they came to";
        registry.register("on_behalf_of_requests", help, on_behalf_of.clone());
        let tokens = Counters::<1>::default();
        registry.register("tokens", "Tokens handed out by where they came from", tokens.clone());
        let durations = Family::<Labels<1>, Histogram>::new_with_constructor(|| Histogram::new(LATENCIES));
        let help = "Seconds from a request for a token to its answer, by where the token came from";
        registry.register("token_duration_seconds", help, durations.clone());
        let of = |source| {
            let labels = [("source", source)];
            Tokens { count: tokens.get_or_create_owned(&labels), duration: durations.get_or_create_owned(&labels) }
        };
        let get_token_answered = by_code.get_or_create_owned(&[("rpc", "GetToken"), ("code", "OK")]);
        let (cached, fetched) = (of("cache"), of("identity_provider"));
        Self { by_code, failures, refreshes, app_tokens, on_behalf_of, get_token_answered, cached, fetched }
    }

    /// A call was answered.
    pub fn answered(&self, rpc: &'static str) {
        if rpc == "GetToken" {
            self.get_token_answered.inc();
        } else {
            self.by_code.get_or_create(&[("rpc", rpc), ("code", "OK")]).inc();
        }
    }

    /// A call failed; `reason` is the word for programs, `code` the gRPC code.
    pub fn failed(&self, rpc: &'static str, reason: &'static str, code: &'static str) {
        self.by_code.get_or_create(&[("rpc", rpc), ("code", code)]).inc();
        self.failures.get_or_create(&[("reason", reason)]).inc();
    }

    /// A token came from the cache.
    pub fn hit(&self, took: Duration) {
        self.cached.count(took);
    }

    /// A token came from the provider.
    pub fn fetched(&self, took: Duration) {
        self.fetched.count(took);
    }

    /// A refresh ended.
    pub fn refreshed(&self, outcome: Outcome) {
        self.refreshes.get_or_create(&outcome.labels()).inc();
    }

    /// A request for a token of an application itself ended.
    pub fn app_token_requested(&self, outcome: Outcome) {
        self.app_tokens.get_or_create(&outcome.labels()).inc();
    }

    /// A request with a user assertion ended.
    pub fn asked_on_behalf_of(&self, outcome: Outcome) {
        self.on_behalf_of.get_or_create(&outcome.labels()).inc();
    }
}
