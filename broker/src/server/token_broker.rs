//! `token_broker.v1.TokenBroker` on the wire.

use std::{pin::Pin, sync::Arc};

use token_broker_proto::{
    calls::{
        BeginAuthorizationRequest, CompleteAuthorizationRequest, SignHttpRequest, SignInEvent, SignInRequest,
        SignOutRequest, TokenRequest, TokenSource,
    },
    oauth::ApplicationName,
    wire::v1::{self, token_broker_server::TokenBroker},
};
use tokio_stream::{Stream, StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Response, Status};

use super::{
    call::Call,
    watch::{self, Answers},
};
use crate::{acquire::Desk, metrics::Stopwatch, model::DeskError};

/// The face.
pub(super) struct Face {
    desk: Arc<Desk>,
}

impl Face {
    pub(super) fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    /// Counts a token that was answered with.
    fn count(&self, source: TokenSource, begun: Stopwatch) {
        match source {
            TokenSource::Cache => self.desk.metrics().calls.hit(begun.elapsed()),
            TokenSource::IdentityProvider => self.desk.metrics().calls.fetched(begun.elapsed()),
        }
    }
}

#[tonic::async_trait]
impl TokenBroker for Face {
    type SignInStream = Pin<Box<dyn Stream<Item = Result<v1::SignInResponse, Status>> + Send>>;
    type WatchTokenStream = Answers<v1::WatchTokenResponse>;

    async fn get_token(&self, request: Request<v1::GetTokenRequest>) -> Result<Response<v1::GetTokenResponse>, Status> {
        let begun = Stopwatch::start();
        let call = Call::begin(&request, "GetToken", &request.get_ref().correlation_id, &self.desk)?;
        call.answer(async {
            let parsed = TokenRequest::try_from(request.into_inner())?;
            let named = TokenRequest { correlation_id: Some(call.correlation_id), ..parsed };
            let answer = self.desk.acquire_token(&call.caller, &named).await?;
            self.count(answer.source, begun);
            Ok(answer)
        })
        .await
    }

    async fn sign_http_request(
        &self,
        request: Request<v1::SignHttpRequestRequest>,
    ) -> Result<Response<v1::SignHttpRequestResponse>, Status> {
        let begun = Stopwatch::start();
        let given = request.get_ref().token.as_ref().map(|token| token.correlation_id.clone()).unwrap_or_default();
        let call = Call::begin(&request, "SignHttpRequest", &given, &self.desk)?;
        call.answer(async {
            let mut parsed = SignHttpRequest::try_from(request.into_inner())?;
            parsed.token.correlation_id = Some(call.correlation_id);
            let signed = self.desk.sign_http_request(&call.caller, &parsed).await?;
            self.count(signed.source, begun);
            Ok(signed)
        })
        .await
    }

    async fn sign_in(&self, request: Request<v1::SignInRequest>) -> Result<Response<Self::SignInStream>, Status> {
        let call = Call::begin(&request, "SignIn", &request.get_ref().correlation_id, &self.desk)?;
        let started = call.run(|| {
            let parsed = SignInRequest::try_from(request.into_inner())?;
            let named = SignInRequest { correlation_id: Some(call.correlation_id), ..parsed };
            self.desk.sign_in(&call.caller, named)
        });
        let events = started.map_err(|error| call.fail(error))?;
        let stream = ReceiverStream::new(events)
            .map(move |event| event.inspect(|event| told(&call, event)).map_err(|error| call.fail(error)))
            .map(|event| event.map(v1::SignInResponse::from));
        Ok(Response::new(Box::pin(stream)))
    }

    async fn begin_authorization(
        &self,
        request: Request<v1::BeginAuthorizationRequest>,
    ) -> Result<Response<v1::BeginAuthorizationResponse>, Status> {
        let call = Call::begin(&request, "BeginAuthorization", &request.get_ref().correlation_id, &self.desk)?;
        call.answer(async {
            let parsed = BeginAuthorizationRequest::try_from(request.into_inner())?;
            let named = BeginAuthorizationRequest { correlation_id: Some(call.correlation_id), ..parsed };
            self.desk.begin_authorization(&call.caller, &named).await
        })
        .await
    }

    async fn complete_authorization(
        &self,
        request: Request<v1::CompleteAuthorizationRequest>,
    ) -> Result<Response<v1::CompleteAuthorizationResponse>, Status> {
        let call = Call::begin(&request, "CompleteAuthorization", &request.get_ref().correlation_id, &self.desk)?;
        call.answer(async {
            let parsed = CompleteAuthorizationRequest::try_from(request.into_inner())?;
            let named = CompleteAuthorizationRequest { correlation_id: Some(call.correlation_id), ..parsed };
            let account = self.desk.complete_authorization(&call.caller, &named).await?;
            Ok(v1::CompleteAuthorizationResponse { account: Some(account.into()) })
        })
        .await
    }

    async fn sign_out(&self, request: Request<v1::SignOutRequest>) -> Result<Response<v1::SignOutResponse>, Status> {
        let call = Call::begin(&request, "SignOut", &request.get_ref().correlation_id, &self.desk)?;
        call.answer(async {
            let parsed = SignOutRequest::try_from(request.into_inner())?;
            let named = SignOutRequest { correlation_id: Some(call.correlation_id), ..parsed };
            self.desk.sign_out(&call.caller, named).await
        })
        .await
    }

    async fn list_accounts(
        &self,
        request: Request<v1::ListAccountsRequest>,
    ) -> Result<Response<v1::ListAccountsResponse>, Status> {
        let call = Call::begin(&request, "ListAccounts", "", &self.desk)?;
        call.answer(async {
            let name = optional_name(&request.get_ref().application)?;
            let accounts = self.desk.list_accounts(&call.caller, name.as_ref())?;
            Ok(v1::ListAccountsResponse { accounts: accounts.into_iter().map(Into::into).collect() })
        })
        .await
    }

    async fn watch_token(
        &self,
        request: Request<v1::WatchTokenRequest>,
    ) -> Result<Response<Self::WatchTokenStream>, Status> {
        watch::token(&self.desk, request)
    }
}

/// The last event of a sign-in is its answer.
fn told(call: &Call, event: &SignInEvent) {
    if let SignInEvent::SignedIn(_) = event {
        call.answered();
    }
}

/// A name that narrows a list; empty is all.
pub(super) fn optional_name(text: &str) -> Result<Option<ApplicationName>, DeskError> {
    if text.is_empty() { Ok(None) } else { Ok(Some(ApplicationName::parse("application", text)?)) }
}
