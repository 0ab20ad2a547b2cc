//! Why a call failed, as a closed list, and the reading of a gRPC status into it.

use std::{error::Error, io, path::PathBuf};

use token_broker_proto::{Failure, calls::Incomplete};
use tonic::{Code, Status};

use crate::link::LinkError;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon answered with a failure; its [`Reason`](crate::Reason) is the word for programs.
    #[error("{}", .0.message)]
    Broker(Box<Failure>),
    /// Nothing names the socket: no option, no `$TOKEN_BROKER_SOCKET`, and no folder for run-time files.
    #[error(
        "no place for the daemon's socket is known: XDG_RUNTIME_DIR is not set and there is no /run/user folder of yours"
    )]
    NoSocketPath,
    /// Nobody answers at the socket.
    #[error("no daemon answers at {}: {cause}", socket.display())]
    NoDaemon {
        /// Path of the socket.
        socket: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The process that serves the socket belongs to another user; nothing was sent to it.
    #[error(
        "the server at {} belongs to another user (uid {uid}); nothing was sent to it. \
         TOKEN_BROKER_SERVER_UID={uid} would accept it",
        socket.display()
    )]
    ForeignServer {
        /// Path of the socket.
        socket: PathBuf,
        /// User id of the server.
        uid: u32,
    },
    /// The server belongs to another user, root or one that was named on purpose, and closed the connection.
    #[error(
        "the daemon at {} belongs to another user (uid {uid}) and closed the connection: \
         a daemon serves its own user only",
        socket.display()
    )]
    TurnedAway {
        /// Path of the socket.
        socket: PathBuf,
        /// User id of the server.
        uid: u32,
    },
    /// The other side does not speak this protocol: not a token-broker daemon, or an older one.
    #[error("{0}")]
    Protocol(String),
    /// The connection broke before the answer was complete. The daemon may have done the work.
    #[error("the connection to the daemon broke before it had answered")]
    Interrupted,
}

/// What a failed exchange says about doing it again.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The request never left: it can be sent again, whatever it asks.
    Unsent,
    /// The connection broke on the way: what asks and changes nothing can be sent again.
    Lost,
    /// There is an answer, or there will be none: final.
    Final(ClientError),
}

impl Fault {
    /// Reads what an exchange ended with.
    pub(crate) fn from_status(status: &Status) -> Self {
        if let Some(failure) = Failure::from_status(status) {
            return Self::Final(ClientError::Broker(Box::new(failure)));
        }
        match causes(status).find_map(|cause| cause.downcast_ref::<LinkError>()) {
            Some(LinkError::Unsent) => Self::Unsent,
            Some(LinkError::NotHttp2(what)) => Self::Final(ClientError::Protocol(what.clone())),
            Some(LinkError::Lost(_)) => Self::Lost,
            // A cause of its own means that the status was made on this side, from a broken connection.
            None if status.source().is_some() => Self::Lost,
            None => Self::Final(foreign_answer(status)),
        }
    }
}

impl From<Fault> for ClientError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unsent | Fault::Lost => Self::Interrupted,
            Fault::Final(error) => error,
        }
    }
}

impl From<Incomplete> for ClientError {
    fn from(incomplete: Incomplete) -> Self {
        Self::Protocol(format!("the server is not a token-broker daemon of this version: {incomplete}"))
    }
}

/// A status without our details: of gRPC itself, or of another server.
fn foreign_answer(status: &Status) -> ClientError {
    match status.code() {
        Code::Unimplemented => {
            ClientError::Protocol("the daemon is older than this program and does not know this call".to_owned())
        }
        code => ClientError::Protocol(format!(
            "the server does not answer as a token-broker daemon: {code:?} {:?}",
            status.message()
        )),
    }
}

/// What caused `error`, and what caused that, and so on.
pub(crate) fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

#[cfg(test)]
mod tests {
    use token_broker_proto::{Failure, Reason};
    use tonic::Status;

    use super::{ClientError, Fault};

    #[test]
    fn every_reason_comes_through() {
        for reason in Reason::ALL {
            let fault = Fault::from_status(&Failure::new(*reason, "no").to_status());
            assert!(
                matches!(&fault, Fault::Final(ClientError::Broker(failure)) if failure.reason == *reason),
                "{fault:?}"
            );
        }
    }

    #[test]
    fn an_unknown_call_means_an_older_daemon() {
        let error = ClientError::from(Fault::from_status(&Status::unimplemented("")));
        assert!(error.to_string().contains("older"), "{error}");
    }

    #[test]
    fn another_server_is_not_taken_for_ours() {
        let error = ClientError::from(Fault::from_status(&Status::permission_denied("nginx")));
        assert!(matches!(error, ClientError::Protocol(_)), "{error}");
    }
}
