//! The environment that a host sets for a source: for a daemon in the test's own process as its port, for other programs as
//! variables.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use token_broker::ports::Machine;
use token_broker_proto::Secret;

/// Variables and the folder of Azure Arc's keys; nothing else of the real machine is seen.
#[derive(Debug)]
pub struct Environment {
    keys: PathBuf,
    variables: Mutex<BTreeMap<String, String>>,
}

impl Environment {
    pub(super) fn new(keys: &Path, variables: Vec<(&str, String)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { keys: keys.to_owned(), variables: Mutex::new(variables) }
    }

    /// The variables.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        self.variables.lock().unwrap().clone()
    }

    /// Sets one; to nothing, removes it.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn set(&self, name: &str, value: Option<&str>) {
        let mut variables = self.variables.lock().unwrap();
        match value {
            Some(value) => variables.insert(name.to_owned(), value.to_owned()),
            None => variables.remove(name),
        };
    }

    /// From now on it is this other one.
    ///
    /// # Panics
    /// When another thread has panicked meanwhile.
    pub fn become_like(&self, other: &Self) {
        *self.variables.lock().unwrap() = other.variables();
    }
}

impl Machine for Environment {
    fn variable(&self, name: &str) -> Option<Secret> {
        self.variables.lock().unwrap().get(name).map(|value| Secret::new(value.as_str()))
    }

    fn has_arc_agent(&self) -> bool {
        false
    }

    fn arc_keys(&self) -> &Path {
        &self.keys
    }
}
