//! What was looked up since the last write, opened and parsed: a hit asks for the same application and the same user again and
//! again. Any write forgets everything, so nothing here is ever older than what a reader may see. Tokens are not kept here.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::error::StoreError;

/// Most answers that are kept; one more clears them all.
const MAX_ENTRIES: usize = 1024;

/// Counts writes. The writer turns it after each commit and before it answers anybody.
#[derive(Debug, Clone, Default)]
pub(super) struct Epoch(Arc<AtomicU64>);

impl Epoch {
    /// Something was written.
    pub(super) fn turn(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Answers by question.
#[derive(Debug)]
pub(super) struct Recall<Q, A> {
    epoch: Epoch,
    answers: Mutex<(u64, HashMap<Q, A>)>,
}

impl<Q: Eq + Hash, A: Clone> Recall<Q, A> {
    pub(super) fn new(epoch: Epoch) -> Self {
        Self { epoch, answers: Mutex::default() }
    }

    /// The kept answer, else the one that `find` reads, which is kept from now on. A failure is not kept.
    pub(super) fn or_find(&self, question: Q, find: impl FnOnce() -> Result<A, StoreError>) -> Result<A, StoreError> {
        // Taken before the read: what is written meanwhile makes the answer old at once, at worst for nothing.
        let now = self.epoch.now();
        let kept = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let (epoch, answers) = &*kept()
            && *epoch == now
            && let Some(answer) = answers.get(&question)
        {
            return Ok(answer.clone());
        }
        let answer = find()?;
        let mut kept = kept();
        if kept.0 != now || kept.1.len() >= MAX_ENTRIES {
            *kept = (now, HashMap::new());
        }
        kept.1.insert(question, answer.clone());
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Epoch, Recall};
    use crate::store::StoreError;

    #[test]
    fn an_answer_lasts_until_the_next_write() {
        let (epoch, reads) = (Epoch::default(), Cell::new(0));
        let recall = Recall::new(epoch.clone());
        let ask = || {
            recall.or_find("question", || {
                reads.set(reads.get() + 1);
                Ok(reads.get())
            })
        };
        assert_eq!((ask(), ask()), (Ok(1), Ok(1)));
        epoch.turn();
        assert_eq!((ask(), ask()), (Ok(2), Ok(2)));
    }

    #[test]
    fn a_write_during_the_read_makes_its_answer_old() {
        let epoch = Epoch::default();
        let recall = Recall::new(epoch.clone());
        let during = recall.or_find("question", || {
            epoch.turn();
            Ok(1)
        });
        assert_eq!((during, recall.or_find("question", || Ok(2))), (Ok(1), Ok(2)));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let recall = Recall::new(Epoch::default());
        let failed: Result<i32, _> = recall.or_find("question", || Err(StoreError::Corrupt("row".into())));
        assert!(failed.is_err());
        assert_eq!(recall.or_find("question", || Ok(1)), Ok(1));
    }
}
