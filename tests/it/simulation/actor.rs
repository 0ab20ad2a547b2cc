//! The callers of a life: each does a few things one after the other, chosen by the seed, and leaves now and then in the middle.

use std::{future::Future, sync::Arc};

use token_broker::{
    access::Caller,
    acquire, admin,
    model::{DeskError, RegisteredApplication},
    store::Vault,
};
use token_broker_proto::{
    calls::{NewApplication, SignInEvent, SignInMethod, SignInRequest, SignOutRequest, Subject, TokenRequest},
    oauth::{CorrelationId, ScopeSet, UnixTime},
};
use token_broker_tests::daemon::{application, name, scopes};

use super::{
    double::TokenDesk,
    journal::{HOLDERS, Holder},
    life::World,
    provider::ISSUER,
    stage::Random,
};

/// The applications, each with its client: two of them share one.
pub(super) const APPLICATIONS: [(&str, &str); 3] = [("one", "client-1"), ("two", "client-2"), ("twin", "client-1")];

/// What the callers of a life call.
pub(super) struct Counter {
    pub(super) tokens: Arc<dyn TokenDesk>,
    pub(super) acquire: Arc<acquire::Desk>,
    pub(super) admin: Arc<admin::Desk>,
    pub(super) vault: Vault,
    pub(super) caller: Caller,
}

/// One of the callers.
pub(super) struct Actor {
    pub(super) number: usize,
    pub(super) world: Arc<World>,
    pub(super) counter: Arc<Counter>,
}

/// The registration of an application of the simulation.
pub(super) fn registration(which: (&str, &'static str)) -> NewApplication {
    NewApplication { offline: true, ..application(which.0, ISSUER, (which.1, None), "api") }
}

impl Actor {
    /// Does a few things.
    pub(super) async fn act(self, things: usize) {
        for _ in 0..things {
            let luck = self.world.stage.turn(format!("caller {} goes on", self.number), None).await;
            let application = luck.pick(&APPLICATIONS);
            let user = luck.pick(&HOLDERS).user;
            let holder = Holder { client: application.1, user };
            match luck.below(100) {
                0..65 => self.token(application.0, holder, &luck).await,
                65..75 => self.sign_out(application.0, holder, &luck).await,
                75..85 => self.sign_in(application.0, holder, &luck).await,
                85..89 => self.remove(application).await,
                89..94 => self.add(application, &luck).await,
                _ => self.world.stage.jump(luck.pick(&[-3600, 90, 1800, 90_000])),
            }
        }
    }

    fn asks(&self, whose: Option<Holder>, what: String) {
        self.world.journal.asks(self.number, whose, what);
    }

    /// Ends the wait; an error that nobody can be blamed for is a fault of ours.
    fn is_told(&self, error: Option<&DeskError>) {
        let Some(error) = error else { return self.world.journal.is_answered(self.number, "done") };
        self.world.journal.is_answered(self.number, &format!("{:?}: {error}", error.reason()));
        if let DeskError::Internal(_) | DeskError::StoreUnavailable(_) | DeskError::StoreCorrupt(_) = error {
            self.world.journal.violation(format!("a caller was told {error:?}"));
        }
    }

    /// The outcome, unless the caller leaves before. Whatever wakes it, it goes on when it is its turn.
    async fn unless_it_leaves<T>(&self, call: impl Future<Output = T>, luck: &Random) -> Option<(UnixTime, T)> {
        let call = self.world.stage.paced(call, format!("caller {} looks", self.number));
        if !luck.percent(20) {
            return Some(call.await);
        }
        let leaves = self.world.stage.turn(format!("caller {} leaves", self.number), None);
        tokio::select! {
            biased;
            outcome = call => Some(outcome),
            _ = leaves => {
                self.world.journal.is_answered(self.number, "nothing, it has left");
                None
            }
        }
    }

    async fn token(&self, application: &str, holder: Holder, luck: &Random) {
        let request = TokenRequest {
            subject: Subject::User(Some(holder.user.to_owned())),
            scopes: [None, Some(ScopeSet::openid()), Some(scopes("more"))][luck.below(3)].clone(),
            force_refresh: luck.percent(25),
            ..TokenRequest::new(name(application))
        };
        let dead = self.world.journal.dead(holder);
        self.asks(Some(holder), format!("a token of {holder:?} (forced: {})", request.force_refresh));
        match self.unless_it_leaves(self.counter.tokens.acquire(&request), luck).await {
            Some((on, Ok(answer))) => {
                let shown = format!("{} from {}", answer.access_token.expose(), answer.source.as_str());
                self.world.journal.is_answered(self.number, &shown);
                self.world.journal.is_given(&self.counter.vault, holder, (on, &answer), &dead);
            }
            Some((_, Err(error))) => self.is_told(Some(&error)),
            None => {}
        }
    }

    async fn sign_out(&self, application: &str, holder: Holder, luck: &Random) {
        self.asks(Some(holder), format!("to sign out {holder:?}"));
        let forgotten = self.world.journal.begins_to_forget(&self.counter.vault, &[holder]);
        let request = SignOutRequest {
            application: name(application),
            account: Some(holder.user.to_owned()),
            revoke: luck.percent(50),
            correlation_id: None,
        };
        let call = self.counter.acquire.sign_out(&self.counter.caller, request);
        if let Some((_, answer)) = self.unless_it_leaves(call, luck).await {
            let done = answer.as_ref().is_ok_and(|answer| answer.account.is_some());
            self.world.journal.has_forgotten(&self.counter.vault, forgotten, done);
            self.is_told(answer.err().as_ref());
        }
    }

    async fn sign_in(&self, application: &str, holder: Holder, luck: &Random) {
        self.asks(Some(holder), format!("to sign in {holder:?}"));
        let mut random = [0; 16];
        random.fill_with(|| u8::try_from(luck.below(256)).unwrap());
        let id = CorrelationId::from_random(random);
        self.world.ledger.lock().unwrap().expected.insert(id.to_string(), holder);
        let request = SignInRequest {
            method: SignInMethod::DeviceCode,
            correlation_id: Some(id),
            ..SignInRequest::new(name(application))
        };
        let events = match self.counter.acquire.sign_in(&self.counter.caller, request) {
            Ok(events) => events,
            Err(error) => return self.is_told(Some(&error)),
        };
        match self.unless_it_leaves(last(events), luck).await {
            Some((_, Some(Ok(SignInEvent::SignedIn(_))))) => {
                self.world.journal.look(&self.counter.vault);
                self.is_told(None);
            }
            Some((_, Some(Err(error)))) => self.is_told(Some(&error)),
            Some(_) => self.world.journal.violation("a sign-in ended without a word"),
            None => {}
        }
    }

    async fn remove(&self, which: (&str, &'static str)) {
        self.asks(None, format!("to remove {}", which.0));
        let holders: Vec<_> = HOLDERS.into_iter().filter(|holder| holder.client == which.1).collect();
        let forgotten = self.world.journal.begins_to_forget(&self.counter.vault, &holders);
        let removed = self.counter.admin.remove_application(&self.counter.caller, &name(which.0)).await;
        // In the same moment: whether another name stands for the client.
        let is_used = |stored: &RegisteredApplication| stored.client_id.as_str() == which.1;
        let left = self.counter.vault.applications().unwrap().iter().any(|stored| is_used(&stored.application));
        self.world.journal.has_forgotten(&self.counter.vault, forgotten, removed.is_ok() && !left);
        self.is_told(removed.err().as_ref());
    }

    async fn add(&self, which: (&str, &'static str), luck: &Random) {
        self.asks(None, format!("to add {}", which.0));
        let new = NewApplication { offline: luck.percent(50), ..registration(which) };
        let added = self.unless_it_leaves(self.counter.admin.add_application(&self.counter.caller, new), luck).await;
        if let Some((_, added)) = added {
            self.is_told(added.err().as_ref());
        }
    }
}

/// What a sign-in ends with.
async fn last(mut events: acquire::SignInEvents) -> Option<Result<SignInEvent, DeskError>> {
    let mut last = None;
    while let Some(event) = events.recv().await {
        last = Some(event);
    }
    last
}
