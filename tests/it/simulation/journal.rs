//! What must never be seen: the journal writes down what callers were told and what stands in the store, and compares.
//!
//! A grant's stamp never goes back, and one stamp has one refresh token; a grant is gone only if somebody asked for that, and
//! what was signed out never comes back, to the store or to a caller who asks after it; nobody is told of a token before its grant is in the store; never two refreshes of a
//! grant at once; nothing is lost that somebody was told of.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use token_broker::{
    model::{Client, GrantKey, GrantStamp},
    store::Vault,
};
use token_broker_proto::{
    calls::{TokenAnswer, TokenSource},
    oauth::{ClientId, UnixTime},
};

use super::{
    ledger::{Ledger, Name},
    stage::Stage,
};

/// Who holds a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    pub(super) client: &'static str,
    pub(super) user: &'static str,
}

/// The clients and users of the simulation.
pub(super) const HOLDERS: [Holder; 4] = [
    Holder { client: "client-1", user: "ann" },
    Holder { client: "client-1", user: "ben" },
    Holder { client: "client-2", user: "ann" },
    Holder { client: "client-2", user: "ben" },
];

impl Holder {
    pub(super) fn client(self) -> Client {
        Client { environment: "id.example".to_owned(), client_id: ClientId::parse(self.client).unwrap() }
    }

    pub(super) fn grant_key(self) -> GrantKey {
        self.client().grant_key(self.user)
    }
}

/// What is known of a grant.
#[derive(Default)]
struct Record {
    stamp: Option<GrantStamp>,
    /// The refresh token of each stamp.
    tokens: HashMap<GrantStamp, String>,
    /// The sign-in that was last in the store.
    last: Option<usize>,
    /// Sign-ins that were in the store.
    stored: HashSet<usize>,
    /// Of those, the ones that somebody asked to forget.
    leaving: HashSet<usize>,
    /// How many are under way who ask to forget whatever is there.
    forgetting: usize,
    /// Of those that were in the store, the ones that were forgotten.
    dead: HashSet<usize>,
    /// The highest rotation that a caller was told of, by sign-in.
    told: HashMap<usize, usize>,
}

#[derive(Default)]
struct State {
    violations: Vec<String>,
    aloft: HashMap<Holder, usize>,
    records: HashMap<Holder, Record>,
    callers: BTreeMap<usize, (Option<Holder>, String)>,
}

/// The journal.
pub(super) struct Journal {
    stage: Arc<Stage>,
    ledger: Arc<Mutex<Ledger>>,
    state: Mutex<State>,
}

impl Journal {
    pub(super) fn new(stage: Arc<Stage>, ledger: Arc<Mutex<Ledger>>) -> Arc<Self> {
        Arc::new(Self { stage, ledger, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn violation(&self, what: impl Into<String>) {
        let what = what.into();
        self.stage.say(format!("VIOLATION: {what}"));
        self.state().violations.push(what);
    }

    pub(super) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// A caller waits from now on.
    pub(super) fn asks(&self, caller: usize, whose: Option<Holder>, what: String) {
        self.stage.say(format!("caller {caller} asks: {what}"));
        self.state().callers.insert(caller, (whose, what));
    }

    /// It was answered, or has left.
    pub(super) fn is_answered(&self, caller: usize, how: &str) {
        self.stage.say(format!("caller {caller} is told: {how}"));
        self.state().callers.remove(&caller);
    }

    /// The daemon died: nobody waits for it any more.
    pub(super) fn crash(&self) {
        self.stage.say("the daemon dies");
        let mut state = self.state();
        state.callers.clear();
        state.records.values_mut().for_each(|record| record.forgetting = 0);
    }

    /// Callers that wait, but not for this one's grant.
    pub(super) fn stuck(&self, but: Option<Holder>) -> Vec<String> {
        let waits = |whose: &Option<Holder>| but.is_none() || *whose != but;
        self.state().callers.values().filter(|(whose, _)| waits(whose)).map(|(_, what)| what.clone()).collect()
    }

    /// A refresh begins at the provider.
    pub(super) fn takes_off(&self, holder: Holder) {
        let mut state = self.state();
        let count = state.aloft.entry(holder).or_default();
        *count += 1;
        let several = *count > 1;
        drop(state);
        if several {
            self.violation(format!("two refreshes of {holder:?} at once"));
        }
    }

    /// It ends there.
    pub(super) fn lands(&self, holder: Holder) {
        *self.state().aloft.entry(holder).or_default() -= 1;
    }

    /// Somebody asks to forget these grants; what stands in the store now may go.
    pub(super) fn begins_to_forget(&self, vault: &Vault, holders: &[Holder]) -> Vec<(Holder, HashSet<usize>)> {
        for holder in holders {
            self.look_at(vault, *holder);
        }
        let mut state = self.state();
        let mut forget = |holder: &Holder| {
            let record = state.records.entry(*holder).or_default();
            record.forgetting += 1;
            record.leaving.extend(record.stored.clone());
            (*holder, record.stored.clone())
        };
        holders.iter().map(&mut forget).collect()
    }

    /// That has ended. If it was done it must stay done.
    pub(super) fn has_forgotten(&self, vault: &Vault, forgotten: Vec<(Holder, HashSet<usize>)>, done: bool) {
        for (holder, sign_ins) in forgotten {
            self.look_at(vault, holder);
            let mut state = self.state();
            let record = state.records.entry(holder).or_default();
            record.forgetting = record.forgetting.saturating_sub(1);
            if done {
                record.dead.extend(sign_ins);
            }
        }
    }

    /// Compares the store with what it was.
    pub(super) fn look(&self, vault: &Vault) {
        for holder in HOLDERS {
            self.look_at(vault, holder);
        }
    }

    /// The same for one grant, whose refresh token it returns.
    fn look_at(&self, vault: &Vault, holder: Holder) -> Option<Name> {
        let found = match vault.find_grant(&holder.grant_key()) {
            Ok(found) => found,
            Err(error) => {
                self.violation(format!("the store fails: {error}"));
                return None;
            }
        };
        let found = found.map(|(stamp, grant)| (stamp, grant.refresh_token.secret().expose().to_owned()));
        let name = found.as_ref().and_then(|(_, token)| Name::parse(token));
        let wrong = self.state().records.entry(holder).or_default().compare(found);
        if let Some(what) = wrong {
            self.violation(format!("{holder:?}: {what}"));
        }
        name
    }

    /// The sign-ins that are signed out by now.
    pub(super) fn dead(&self, holder: Holder) -> HashSet<usize> {
        self.state().records.entry(holder).or_default().dead.clone()
    }

    /// A caller was given a token, which was there since `on`; `dead` is what was signed out when it asked. The store is looked
    /// at in this very moment.
    pub(super) fn is_given(
        &self,
        vault: &Vault,
        holder: Holder,
        (on, answer): (UnixTime, &TokenAnswer),
        dead: &HashSet<usize>,
    ) {
        let current = self.look_at(vault, holder);
        let token = answer.access_token.expose();
        let Some(name) = Name::parse(token) else { return self.violation(format!("{token} was never issued")) };
        if self.ledger.lock().unwrap().families[name.family].holder != holder {
            self.violation(format!("{holder:?} was given {token}, which is another's"));
        }
        // A flight's answer is as old as its landing, a look into the cache is of now; the clock may be set back in between.
        if answer.source == TokenSource::Cache && answer.expires_on <= on.min(self.stage.now()) {
            self.violation(format!("{token} had expired when it was taken out of the cache"));
        }
        if dead.contains(&name.family) {
            self.violation(format!("{token} was given to a caller who asked after it was signed out"));
        }
        let wrong = self.state().records.entry(holder).or_default().is_told(name, current);
        if let Some(what) = wrong {
            self.violation(format!("{holder:?}: {what}"));
        }
    }
}

impl Record {
    fn compare(&mut self, found: Option<(GrantStamp, String)>) -> Option<String> {
        let Some((stamp, token)) = found else {
            let kept = self.last.filter(|last| !self.leaving.contains(last));
            return kept.map(|last| format!("the grant of sign-in {last} is gone, and nobody asked for that"));
        };
        let name = Name::parse(&token)?;
        let before = self.stamp.replace(stamp);
        self.last = Some(name.family);
        self.stored.insert(name.family);
        if self.forgetting > 0 {
            self.leaving.insert(name.family);
        }
        if before.is_some_and(|before| (stamp.row, stamp.generation) < (before.row, before.generation)) {
            return Some(format!("the stamp went back from {before:?} to {stamp:?}"));
        }
        if self.tokens.entry(stamp).or_insert_with(|| token.clone()) != &token {
            return Some(format!("{stamp:?} has two refresh tokens, {token} is the second"));
        }
        if self.dead.contains(&name.family) {
            return Some(format!("{token} is in the store again, after it was signed out"));
        }
        let told = self.told.get(&name.family).copied().unwrap_or_default();
        (name.rotation < told).then(|| format!("{token} is in the store, but a caller was told of rotation {told}"))
    }

    fn is_told(&mut self, name: Name, current: Option<Name>) -> Option<String> {
        let told = self.told.entry(name.family).or_default();
        *told = name.rotation.max(*told);
        match current {
            Some(current) if current.family == name.family && current.rotation < name.rotation => {
                Some(format!("an answer came before its commit: {name:?}, the store has {current:?}"))
            }
            _ if !self.stored.contains(&name.family) => {
                Some(format!("an answer came before its commit: {name:?} was never in the store"))
            }
            _ => None,
        }
    }
}
