//! Counting against two bounds: so many in all, and so many of one key. A place is given back when it is dropped.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Places that are taken.
#[derive(Debug)]
pub struct Tally<K> {
    taken: Arc<Mutex<Taken<K>>>,
    most: usize,
    most_of_one: usize,
}

#[derive(Debug)]
struct Taken<K> {
    of: HashMap<K, usize>,
    all: usize,
}

/// A place; free again once this is dropped.
#[derive(Debug)]
pub struct Place<K: Eq + Hash> {
    taken: Arc<Mutex<Taken<K>>>,
    key: Option<K>,
}

/// No place is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// For nobody.
    ForAll,
    /// For this key.
    ForOne,
}

impl<K: Eq + Hash + Clone> Tally<K> {
    /// So many places in all, and for one key.
    #[must_use]
    pub fn new(most: usize, most_of_one: usize) -> Self {
        Self { taken: Arc::new(Mutex::new(Taken { of: HashMap::new(), all: 0 })), most, most_of_one }
    }

    /// Takes a place; what has no key counts in all only.
    pub fn enter(&self, key: Option<K>) -> Result<Place<K>, Full> {
        let mut taken = lock(&self.taken);
        if taken.all >= self.most {
            return Err(Full::ForAll);
        }
        if let Some(key) = key.clone() {
            let of_key = taken.of.entry(key).or_default();
            if *of_key >= self.most_of_one {
                return Err(Full::ForOne);
            }
            *of_key += 1;
        }
        taken.all += 1;
        Ok(Place { taken: Arc::clone(&self.taken), key })
    }

    /// How many places are taken.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.taken).all
    }

    /// Whether none is taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Most places in all.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// Most places of one key.
    #[must_use]
    pub fn most_of_one(&self) -> usize {
        self.most_of_one
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all = taken.all.saturating_sub(1);
        let Some(key) = &self.key else { return };
        if let Some(of_key) = taken.of.get_mut(key) {
            *of_key = of_key.saturating_sub(1);
            if *of_key == 0 {
                taken.of.remove(key);
            }
        }
    }
}

/// The counts are never left half changed, so a poisoned lock is still good.
fn lock<K>(taken: &Mutex<Taken<K>>) -> MutexGuard<'_, Taken<K>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Full, Tally};

    #[test]
    fn one_key_does_not_take_all_places_and_each_comes_back() {
        let tally = Tally::new(3, 2);
        let first = tally.enter(Some('a')).expect("a place");
        let _second = tally.enter(Some('a')).expect("a place");
        assert_eq!(tally.enter(Some('a')).err(), Some(Full::ForOne));
        let _other = tally.enter(Some('b')).expect("a place");
        assert_eq!(tally.enter(None).err(), Some(Full::ForAll));
        drop(first);
        assert_eq!(tally.len(), 2);
        drop(tally.enter(None).expect("a place"));
        let _again = tally.enter(Some('a')).expect("a place");
        assert_eq!(tally.enter(Some('b')).err(), Some(Full::ForAll));
    }

    #[test]
    fn nothing_is_kept_of_a_key_that_left() {
        let tally = Tally::new(9, 9);
        drop(tally.enter(Some(1)).expect("a place"));
        assert!(tally.is_empty() && super::lock(&tally.taken).of.is_empty());
    }
}
