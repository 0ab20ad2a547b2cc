//! The caller: the peer at the other end of a connection and the door it came through. Every verb of a desk takes one.

use std::fmt;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    peer: Peer,
    door: Door,
}

/// The other end of the connection, as the kernel attests it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// A process at a Unix socket (`SO_PEERCRED`).
    Unix {
        /// Its user.
        uid: u32,
        /// Its process id at connect time; a hint only, ids are used again.
        pid: Option<i32>,
    },
}

/// The socket it came through; each has its own limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// The owner's socket: everything is open.
    Owner,
}

/// A peer that is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a process of uid {uid} tried the socket of uid {owner}")]
pub struct Stranger {
    /// Whose process it is.
    pub uid: u32,
    /// Whose daemon this is.
    pub owner: u32,
}

impl Caller {
    /// Lets a peer of the owner's socket in if it is the owner's own process.
    pub fn at_owner_door(peer: Peer, owner: u32) -> Result<Self, Stranger> {
        match peer {
            Peer::Unix { uid, .. } if uid == owner => Ok(Self { peer, door: Door::Owner }),
            Peer::Unix { uid, .. } => Err(Stranger { uid, owner }),
        }
    }

    /// The other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }
}

/// For the log: ids only.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Peer::Unix { uid, pid } = self.peer;
        match pid {
            Some(pid) => write!(f, "uid {uid} pid {pid}"),
            None => write!(f, "uid {uid}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Peer};

    #[test]
    fn only_the_owner_comes_in() {
        assert!(Caller::at_owner_door(Peer::Unix { uid: 1000, pid: None }, 1000).is_ok());
        for stranger in [0, 999] {
            assert!(Caller::at_owner_door(Peer::Unix { uid: stranger, pid: None }, 1000).is_err());
        }
    }
}
