//! Messages of the contract: the first byte says which one, the rest is its encoding. What becomes words must go back to the
//! wire and come out as the same words again.

use std::fmt::Debug;

use prost::Message;
use token_broker_proto::{
    Account, Failure,
    calls::{
        Application, CacheEntry, DaemonStatus, NewApplication, SignHttpRequest, SignInEvent, SignInRequest,
        SignOutAnswer, SignOutRequest, SignedHttpRequest, TokenAnswer, TokenRequest,
    },
    wire::v1,
};
use tonic::{Code, Status};

/// What clients send.
pub(crate) fn requests(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => there_and_back::<v1::GetTokenRequest, TokenRequest, _>(bytes, |words| (&words).into()),
        1 => there_and_back::<v1::SignInRequest, SignInRequest, _>(bytes, |words| (&words).into()),
        2 => there_and_back::<v1::SignOutRequest, SignOutRequest, _>(bytes, |words| (&words).into()),
        4 => there_and_back::<v1::SignHttpRequestRequest, SignHttpRequest, _>(bytes, |words| (&words).into()),
        _ => there_and_back::<v1::AddApplicationRequest, NewApplication, _>(bytes, |words| (&words).into()),
    }
}

/// What the daemon answers.
pub(crate) fn replies(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 8 {
        0 => there_and_back::<v1::GetTokenResponse, TokenAnswer, _>(bytes, Into::into),
        1 => there_and_back::<v1::SignInResponse, SignInEvent, _>(bytes, Into::into),
        2 => there_and_back::<v1::SignOutResponse, SignOutAnswer, _>(bytes, Into::into),
        3 => there_and_back::<v1::Application, Application, _>(bytes, Into::into),
        4 => there_and_back::<v1::CacheEntry, CacheEntry, _>(bytes, Into::into),
        5 => there_and_back::<v1::GetStatusResponse, DaemonStatus, _>(bytes, Into::into),
        7 => there_and_back::<v1::SignHttpRequestResponse, SignedHttpRequest, _>(bytes, Into::into),
        _ => there_and_back::<v1::Account, Account, _>(bytes, Into::into),
    }
}

fn there_and_back<M, W, E>(bytes: &[u8], back: impl Fn(W) -> M)
where
    M: Message + Default + Clone + PartialEq + TryInto<W, Error = E>,
    E: Debug,
{
    let Some(words) = M::decode(bytes).ok().and_then(|wire| wire.try_into().ok()) else { return };
    let wire = back(words);
    let again: Result<W, E> = wire.clone().try_into();
    assert!(again.is_ok_and(|words| back(words) == wire), "words that went over the wire are others");
}

/// The details of a failed call; the first byte is its code.
pub(crate) fn status(bytes: &[u8]) {
    let Some((code, details)) = bytes.split_first() else { return };
    let status = Status::with_details(Code::from(i32::from(code % 17)), "a message", details.to_vec().into());
    let Some(failure) = Failure::from_status(&status) else { return };
    let sent = failure.to_status();
    assert!(sent.details().len() <= 4096, "{} bytes of details in a trailer", sent.details().len());
    assert_eq!(Failure::from_status(&sent).map(|failure| failure.reason), Some(failure.reason));
}
