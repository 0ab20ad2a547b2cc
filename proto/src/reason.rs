//! The closed list of reasons a call can fail for: the stable word for programs (`google.rpc.ErrorInfo.reason`) and its gRPC
//! code. What each means and which exit code it gets is in the README.

use std::str::FromStr;

use tonic::Code;

/// `google.rpc.ErrorInfo.domain` of every failure.
pub const DOMAIN: &str = "token-broker";

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident $word:literal $code:ident;)*) => {
        /// Why a call failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable word for programs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The gRPC status code that goes with it.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Self::$variant => Code::$code,)* }
            }
        }

        impl FromStr for Reason {
            type Err = UnknownReason;

            fn from_str(word: &str) -> Result<Self, UnknownReason> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownReason),
                }
            }
        }
    };
}

reasons! {
    /// A field breaks a rule; both are named.
    InvalidRequest "INVALID_REQUEST" InvalidArgument;
    /// No application of that name, or of that client id and authority.
    ApplicationNotFound "APPLICATION_NOT_FOUND" NotFound;
    /// The account that was named is not signed in.
    AccountNotFound "ACCOUNT_NOT_FOUND" NotFound;
    /// The name is taken.
    AlreadyExists "ALREADY_EXISTS" AlreadyExists;
    /// Several accounts fit; the candidates are listed.
    AccountAmbiguous "ACCOUNT_AMBIGUOUS" FailedPrecondition;
    /// The user has to sign in.
    InteractionRequired "INTERACTION_REQUIRED" FailedPrecondition;
    /// The user said no.
    Declined "DECLINED" PermissionDenied;
    /// Policy says no.
    AccessDenied "ACCESS_DENIED" PermissionDenied;
    /// A question to the owner is still open.
    ApprovalPending "APPROVAL_PENDING" PermissionDenied;
    /// The provider answered with an error that a sign-in will not mend.
    AuthorityRefused "AUTHORITY_REFUSED" FailedPrecondition;
    /// The provider cannot be reached or asks to wait.
    AuthorityUnavailable "AUTHORITY_UNAVAILABLE" Unavailable;
    /// A sign-in or a device code ran out.
    Expired "EXPIRED" DeadlineExceeded;
    /// The caller gave up.
    Cancelled "CANCELLED" Cancelled;
    /// The store is locked, or its key is missing or wrong.
    Locked "LOCKED" Unavailable;
    /// A limit of the daemon was met; it is named.
    LimitExceeded "LIMIT_EXCEEDED" ResourceExhausted;
    /// The store cannot be read or written now.
    StoreUnavailable "STORE_UNAVAILABLE" Unavailable;
    /// A row of the store was changed or damaged; it is named.
    StoreCorrupt "STORE_CORRUPT" DataLoss;
    /// The daemon cannot do this.
    Unsupported "UNSUPPORTED" Unimplemented;
    /// A fault of the daemon; its id is in the log.
    Internal "INTERNAL" Internal;
}

/// A word that is no reason of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason of this version of token-broker")]
pub struct UnknownReason;

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn every_word_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
    }
}
