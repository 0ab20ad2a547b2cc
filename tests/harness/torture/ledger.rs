//! What is known of every refresh token that the provider issued: which one came of which, to which run of the daemon it was
//! sent, whether it arrived there, whether a caller has seen what came with it. From that follows what a refused one means.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

use serde_json::Value;

/// The whole history.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<History>);

#[derive(Debug, Default)]
struct History {
    /// Number of the run of the daemon; a kill ends one.
    run: usize,
    is_dead: bool,
    /// Whoever signs in now.
    signing_in: String,
    issues: Vec<Issue>,
    by_refresh_token: HashMap<String, usize>,
    by_access_token: HashMap<String, usize>,
    refusals: BTreeMap<usize, Refusal>,
    /// Rules that were broken, how often.
    broken: BTreeMap<String, usize>,
}

/// An answer of the token endpoint.
#[derive(Debug)]
struct Issue {
    account: String,
    successor: Option<usize>,
    run: usize,
    correlation_id: String,
    has_arrived: bool,
    is_saved: bool,
    is_seen: bool,
}

/// A refresh token that the provider did not take.
#[derive(Debug)]
struct Refusal {
    run: usize,
    times: usize,
}

/// A request for tokens that is under way.
#[derive(Debug)]
pub struct Asked {
    predecessor: Option<usize>,
    correlation_id: String,
    is_refresh: bool,
    run: usize,
}

/// What became of the grants that were lost.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Losses {
    /// The daemon was dead before the answer with the next refresh token reached its socket.
    pub never_arrived: usize,
    /// The answer was in the socket or in the daemon's memory, and the daemon died before it was saved. Nobody has seen it.
    pub never_saved: usize,
    /// Any other loss, or a rule that was broken: what happened.
    pub otherwise: Vec<String>,
}

impl Ledger {
    fn history(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap()
    }

    /// The next sign-in is this account's.
    pub fn signs_in(&self, account: &str) {
        account.clone_into(&mut self.history().signing_in);
    }

    /// A request reached the token endpoint.
    pub fn asked(&self, refresh_token: Option<&str>, correlation_id: &str) -> Asked {
        let mut history = self.history();
        let predecessor = refresh_token.and_then(|token| history.by_refresh_token.get(token).copied());
        if refresh_token.is_some() && predecessor.is_none() {
            history.breaks("a refresh token came that was never issued");
        }
        let run = history.run;
        Asked { predecessor, correlation_id: correlation_id.to_owned(), is_refresh: refresh_token.is_some(), run }
    }

    /// What the provider answered; the number of the issue, if it gave tokens.
    pub fn answered(&self, asked: &Asked, answer: &Value) -> Option<usize> {
        let mut history = self.history();
        let text = |member: &str| answer.get(member).and_then(Value::as_str).map(str::to_owned);
        let (Some(access), Some(refresh)) = (text("access_token"), text("refresh_token")) else {
            if let (Some(predecessor), Some("invalid_grant")) = (asked.predecessor, text("error").as_deref()) {
                let refusal = history.refusals.entry(predecessor).or_insert(Refusal { run: asked.run, times: 0 });
                refusal.times += 1;
            }
            return None;
        };
        let number = history.issues.len();
        let before = asked.predecessor.and_then(|before| history.issues.get_mut(before));
        let account = before.map(|before| {
            before.successor = Some(number);
            before.account.clone()
        });
        let account = account.unwrap_or_else(|| history.signing_in.clone());
        let issue = Issue {
            account,
            successor: None,
            run: asked.run,
            correlation_id: asked.correlation_id.clone(),
            has_arrived: false,
            is_saved: !asked.is_refresh,
            is_seen: false,
        };
        history.issues.push(issue);
        history.by_refresh_token.insert(refresh, number);
        history.by_access_token.insert(access, number);
        Some(number)
    }

    /// An answer was written to the daemon's socket; that counts for nothing once the daemon is dead.
    pub fn arrived(&self, number: usize) {
        let mut history = self.history();
        let is_alive = !history.is_dead;
        if let Some(issue) = history.issues.get_mut(number) {
            issue.has_arrived |= is_alive;
        }
    }

    /// The daemon is dead from now on; what it has sent may still be on its way.
    pub fn dies(&self) {
        self.history().is_dead = true;
    }

    /// The newest token of this account that a caller has seen: nothing older may be handed out from now on.
    #[must_use]
    pub fn newest_seen(&self, account: &str) -> Option<usize> {
        self.history().issues.iter().rposition(|issue| issue.is_seen && issue.account == account)
    }

    /// A caller of this account got this access token, and had asked when `floor` was the newest that anybody had seen.
    pub fn seen(&self, account: &str, access_token: &str, floor: Option<usize>) {
        let mut history = self.history();
        let number = history.by_access_token.get(access_token).copied();
        let Some((number, issue)) = number.and_then(|number| Some((number, history.issues.get_mut(number)?))) else {
            return history.breaks("a caller got a token that was never issued");
        };
        issue.is_seen = true;
        let of_another = issue.account != account;
        if of_another {
            history.breaks(&format!("a caller of {account} got another's token"));
        }
        if floor.is_some_and(|floor| number < floor) {
            history.breaks(&format!("a caller of {account} got an older token than one that was handed out before"));
        }
    }

    /// Something else that must not be.
    pub fn broken(&self, what: &str) {
        self.history().breaks(what);
    }

    /// The dead daemon's run is over, nothing of it is on its way any more; its log says which refreshes it had saved.
    pub fn run_ended(&self, log: &str) {
        let mut history = self.history();
        let run = history.run;
        let saved: Vec<_> = log.lines().filter(|line| line.trim_end().ends_with(": refreshed")).collect();
        for issue in history.issues.iter_mut().filter(|issue| issue.run == run) {
            issue.is_saved |= saved.iter().any(|line| line.contains(&issue.correlation_id));
        }
        history.run += 1;
        history.is_dead = false;
    }

    /// How many refreshes the daemon's log has called saved.
    #[must_use]
    pub fn saved(&self) -> usize {
        self.history().issues.iter().filter(|issue| issue.is_saved).count()
    }

    /// How many answers with tokens the provider gave.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.history().issues.len()
    }

    /// What every refusal of a refresh token was.
    #[must_use]
    pub fn losses(&self) -> Losses {
        let history = self.history();
        let broken = history.broken.iter().map(|(what, times)| format!("{what} ({times} times)"));
        let mut losses = Losses { otherwise: broken.collect(), ..Losses::default() };
        for (number, refusal) in &history.refusals {
            let successor = history.issues.get(*number).and_then(|issue| issue.successor);
            let Some(successor) = successor.and_then(|number| history.issues.get(number)) else {
                losses.otherwise.push(format!("grant {number} was refused though it was the current one"));
                continue;
            };
            if let Some(why) = successor.is_lost_by_us(refusal) {
                losses.otherwise.push(format!("grant {number} of {}: {why}", successor.account));
            } else if successor.has_arrived {
                losses.never_saved += 1;
            } else {
                losses.never_arrived += 1;
            }
        }
        losses
    }
}

impl History {
    fn breaks(&mut self, what: &str) {
        *self.broken.entry(what.to_owned()).or_default() += 1;
    }
}

impl Issue {
    /// Why the loss of this one, whose predecessor was used again, is the daemon's fault.
    fn is_lost_by_us(&self, refusal: &Refusal) -> Option<&'static str> {
        if self.is_seen {
            Some("a caller had seen what came with it, and it was gone after the kill")
        } else if self.successor.is_some() {
            Some("it had been used, and it was gone after the kill")
        } else if self.is_saved {
            Some("the log said that it was saved, and it was gone after the kill")
        } else if self.run == refusal.run {
            Some("one run of the daemon used a refresh token twice")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Ledger, Losses};

    fn tokens(number: usize) -> Value {
        json!({"access_token": format!("at{number}"), "refresh_token": format!("rt{number}")})
    }

    /// A sign-in, then a refresh whose answer reaches the socket.
    fn refreshed() -> Ledger {
        let ledger = Ledger::default();
        ledger.signs_in("ada");
        let asked = ledger.asked(None, "c0");
        ledger.answered(&asked, &tokens(0));
        let asked = ledger.asked(Some("rt0"), "c1");
        let number = ledger.answered(&asked, &tokens(1)).unwrap();
        ledger.arrived(number);
        ledger
    }

    fn refused(ledger: &Ledger) -> Losses {
        let asked = ledger.asked(Some("rt0"), "c2");
        ledger.answered(&asked, &json!({"error": "invalid_grant"}));
        ledger.losses()
    }

    #[test]
    fn a_token_that_nobody_saw_is_lost_with_the_process() {
        let ledger = refreshed();
        ledger.run_ended("");
        assert_eq!(refused(&ledger), Losses { never_saved: 1, ..Losses::default() });
        let ledger = Ledger::default();
        ledger.answered(&ledger.asked(None, "c0"), &tokens(0));
        let asked = ledger.asked(Some("rt0"), "c1");
        ledger.dies();
        ledger.arrived(ledger.answered(&asked, &tokens(1)).unwrap());
        ledger.run_ended("");
        assert_eq!(refused(&ledger), Losses { never_arrived: 1, ..Losses::default() });
    }

    #[test]
    fn what_was_seen_used_or_saved_must_not_be_lost() {
        let ledger = refreshed();
        ledger.seen("ada", "at1", None);
        ledger.run_ended("");
        assert!(refused(&ledger).otherwise[0].contains("a caller had seen"));
        let ledger = refreshed();
        ledger.run_ended("INFO refresh{correlation_id=c1}: refreshed");
        assert!(refused(&ledger).otherwise[0].contains("saved"));
        let ledger = refreshed();
        assert!(refused(&ledger).otherwise[0].contains("twice"));
        let ledger = refreshed();
        ledger.answered(&ledger.asked(Some("rt1"), "c2"), &tokens(2));
        ledger.run_ended("");
        assert!(refused(&ledger).otherwise[0].contains("had been used"));
    }

    #[test]
    fn a_stale_or_foreign_token_is_noticed() {
        let ledger = refreshed();
        ledger.seen("ada", "at1", None);
        assert_eq!(ledger.newest_seen("ada"), Some(1));
        ledger.seen("ada", "at0", ledger.newest_seen("ada"));
        ledger.seen("grace", "at1", None);
        ledger.seen("ada", "at9", None);
        assert_eq!(ledger.losses().otherwise.len(), 3);
    }
}
