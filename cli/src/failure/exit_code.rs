//! The exit codes that scripts lean on.

use token_broker_client::{ClientError, Reason};

use super::Failed;

/// How a command ended that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Done,
    /// Signed out here, but the provider did not revoke.
    RevocationFailed,
    /// The store was verified and is damaged.
    StoreDamaged,
    /// The diagnosis found a problem.
    ProblemFound,
}

impl Exit {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::RevocationFailed => of_reason(Reason::AuthorityUnavailable),
            Self::StoreDamaged => of_reason(Reason::StoreCorrupt),
            Self::ProblemFound => 1,
        }
    }
}

/// The exit code of a failure.
pub(super) fn of(failed: &Failed) -> u8 {
    match failed {
        Failed::Client(ClientError::Broker(failure)) => of_reason(failure.reason),
        // There is no daemon of ours to talk to.
        Failed::Client(
            ClientError::NoSocketPath
            | ClientError::NoDaemon { .. }
            | ClientError::ForeignServer { .. }
            | ClientError::TurnedAway { .. }
            | ClientError::Interrupted,
        ) => 4,
        Failed::Invalid(_) | Failed::Input(_) => of_reason(Reason::InvalidRequest),
        Failed::Application(_, cause) => of(cause),
        // A reader that has enough, such as `head`, is no failure.
        Failed::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Failed::Output(_) | Failed::Client(ClientError::Protocol(_)) | Failed::System(_) => 1,
        Failed::Service { reason, .. } => of_reason(*reason),
        Failed::Cancelled => of_reason(Reason::Cancelled),
    }
}

fn of_reason(reason: Reason) -> u8 {
    match reason {
        Reason::InvalidRequest => 2,
        Reason::InteractionRequired => 3,
        Reason::Declined | Reason::AccessDenied | Reason::ApprovalPending => 5,
        Reason::AuthorityUnavailable | Reason::LimitExceeded => 6,
        Reason::Locked => 7,
        Reason::Cancelled => 130,
        Reason::ApplicationNotFound
        | Reason::AccountNotFound
        | Reason::AlreadyExists
        | Reason::AccountAmbiguous
        | Reason::AuthorityRefused
        | Reason::Expired
        | Reason::StoreUnavailable
        | Reason::StoreCorrupt
        | Reason::Unsupported
        | Reason::Internal => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use token_broker_client::{ClientError, Failure, Reason};

    use super::{Exit, Failed, of};

    #[test]
    fn every_reason_has_the_code_of_the_contract() {
        let table = [
            ("INVALID_REQUEST", 2),
            ("APPLICATION_NOT_FOUND", 1),
            ("ACCOUNT_NOT_FOUND", 1),
            ("ALREADY_EXISTS", 1),
            ("ACCOUNT_AMBIGUOUS", 1),
            ("INTERACTION_REQUIRED", 3),
            ("DECLINED", 5),
            ("ACCESS_DENIED", 5),
            ("APPROVAL_PENDING", 5),
            ("AUTHORITY_REFUSED", 1),
            ("AUTHORITY_UNAVAILABLE", 6),
            ("EXPIRED", 1),
            ("CANCELLED", 130),
            ("LOCKED", 7),
            ("LIMIT_EXCEEDED", 6),
            ("STORE_UNAVAILABLE", 1),
            ("STORE_CORRUPT", 1),
            ("UNSUPPORTED", 1),
            ("INTERNAL", 1),
        ];
        assert_eq!(table.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let code = of(&Failed::Client(ClientError::Broker(Box::new(Failure::new(*reason, "")))));
            assert!(table.contains(&(reason.as_str(), code)), "{reason:?} {code}");
        }
    }

    #[test]
    fn what_happens_on_this_side_has_codes_too() {
        let no_daemon = ClientError::NoDaemon { socket: "/s".into(), cause: io::ErrorKind::NotFound.into() };
        assert_eq!(of(&Failed::Client(no_daemon)), 4);
        assert_eq!(of(&Failed::Client(ClientError::NoSocketPath)), 4);
        assert_eq!(of(&Failed::Input(String::new())), 2);
        assert_eq!(of(&Failed::Cancelled), 130);
        assert_eq!(of(&Failed::Output(io::ErrorKind::BrokenPipe.into())), 0);
        assert_eq!(of(&Failed::Output(io::ErrorKind::StorageFull.into())), 1);
        assert_eq!(of(&Failed::Application("a".into(), Box::new(Failed::Cancelled))), 130);
        assert_eq!(
            [Exit::Done, Exit::RevocationFailed, Exit::StoreDamaged, Exit::ProblemFound].map(Exit::code),
            [0, 6, 1, 1]
        );
    }
}
