//! The moments at which a provider is asked, each as the call of a user that leads there. A call prepares what comes before,
//! lets the fault begin just then, and says how it ended.

use std::{pin::pin, sync::Arc, time::Duration};

use token_broker_client::{
    Client, ClientError,
    calls::{Revocation, SignInEvent, SignInMethod, SignInRequest, SignOutRequest, Subject, TokenRequest},
};
use token_broker_tests::{
    authorization_server::{AuthorizationServer, Endpoint, Options as Server},
    daemon::{Options, application, name, sign_in_by_browser},
    user::User,
    within,
};
use tokio::time::timeout;

use super::Outcome;
use crate::bad_input::{Stage, refresh};

/// How long the daemon may have for what a timer has started.
const STEP: Duration = Duration::from_millis(20);

/// When the provider misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Discovery,
    Keys,
    CodeRedemption,
    DeviceStart,
    DevicePoll,
    Refresh,
    AppOnly,
    Revocation,
}

pub(super) const MOMENTS: [Moment; 8] = [
    Moment::Discovery,
    Moment::Keys,
    Moment::CodeRedemption,
    Moment::DeviceStart,
    Moment::DevicePoll,
    Moment::Refresh,
    Moment::AppOnly,
    Moment::Revocation,
];

/// A stage with an application of its own credentials, and a second provider that nobody has used yet.
pub(super) struct Scene {
    pub(super) stage: Stage,
    pub(super) other: AuthorizationServer,
}

impl Scene {
    pub(super) async fn set(server: Server, options: Options) -> Self {
        let stage = Stage::with(server, options).await;
        let service = ("service-app", Some("service secret: +/%&=?~"));
        let robots = application("robots", stage.server.issuer(), service, "api:read");
        stage.daemon.client().add_application(&robots).await.expect("registered");
        let clock = Arc::new(stage.clock.clone());
        let other = AuthorizationServer::start(Server { clock, ..Server::default() });
        Self { stage, other }
    }

    /// Who is asked at this moment.
    pub(super) fn server(&self, moment: Moment) -> &AuthorizationServer {
        if matches!(moment, Moment::Discovery | Moment::Keys) { &self.other } else { &self.stage.server }
    }
}

impl Moment {
    /// Its name in the table.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Keys => "jwks",
            Self::CodeRedemption => "code redemption",
            Self::DeviceStart => "device start",
            Self::DevicePoll => "device poll",
            Self::Refresh => "refresh",
            Self::AppOnly => "app-only",
            Self::Revocation => "revocation",
        }
    }

    /// Where it is asked.
    pub(super) fn endpoint(self) -> Endpoint {
        match self {
            Self::Discovery => Endpoint::Discovery,
            Self::Keys => Endpoint::Jwks,
            Self::DeviceStart => Endpoint::DeviceAuthorization,
            Self::Revocation => Endpoint::Revocation,
            Self::CodeRedemption | Self::DevicePoll | Self::Refresh | Self::AppOnly => Endpoint::Token,
        }
    }

    /// The member of the metadata that says where.
    pub(super) fn member(self) -> Option<&'static str> {
        match self {
            Self::Discovery => None,
            Self::Keys => Some("jwks_uri"),
            Self::DeviceStart => Some("device_authorization_endpoint"),
            Self::Revocation => Some("revocation_endpoint"),
            Self::CodeRedemption | Self::DevicePoll | Self::Refresh | Self::AppOnly => Some("token_endpoint"),
        }
    }

    /// The call that leads there; `begins` is called when the next request is the one.
    pub(super) async fn act(self, scene: &Scene, begins: impl FnOnce()) -> Outcome {
        let client = scene.stage.daemon.client();
        match self {
            Self::Discovery => {
                begins();
                added(&client, scene.other.issuer()).await
            }
            Self::Keys => {
                let _ = added(&client, scene.other.issuer()).await;
                Outcome::of(&signed_in(&client, "notes", begins).await)
            }
            Self::CodeRedemption => Outcome::of(&signed_in(&client, "mail", begins).await),
            Self::DeviceStart => {
                begins();
                let mut events = client.sign_in(&by_device()).await.expect("begun");
                Outcome::of(&within(events.next()).await)
            }
            Self::DevicePoll => polled(scene, &client, begins).await,
            Self::Refresh => {
                begins();
                Outcome::of(&within(refresh(&client)).await)
            }
            Self::AppOnly => {
                begins();
                let request = TokenRequest { subject: Subject::Application, force_refresh: true, ..of_robots() };
                Outcome::of(&within(client.token(&request)).await)
            }
            Self::Revocation => signed_out(&client, begins).await,
        }
    }
}

/// Registers `notes`, or anew.
async fn added(client: &Client, issuer: &str) -> Outcome {
    let _ = client.remove_application(&name("notes")).await; // an error: it is not there
    let notes = application("notes", issuer, ("native-app", None), "openid api:read");
    Outcome::of(&within(client.add_application(&notes)).await)
}

fn of_robots() -> TokenRequest {
    TokenRequest::new(name("robots"))
}

fn by_device() -> SignInRequest {
    SignInRequest { method: SignInMethod::DeviceCode, ..SignInRequest::new(name("mail")) }
}

/// `grace` signs in; her browser ends on the daemon's page, whatever that says.
async fn signed_in(client: &Client, application: &str, begins: impl FnOnce()) -> Result<(), ClientError> {
    let mut events = client.sign_in(&SignInRequest::new(name(application))).await.expect("begun");
    let Some(SignInEvent::OpenUrl(url)) = events.next().await? else { panic!("the URL comes first") };
    begins();
    let grace = User::named("grace");
    let (_, done) = within(async { tokio::join!(grace.sign_in(url.expose()), events.next()) }).await;
    done.map(drop)
}

/// The code is shown and entered; the clock runs on from timer to timer, until the sign-in ends. What is on the way takes real
/// time, and so does each step; the code is good for hours.
async fn polled(scene: &Scene, client: &Client, begins: impl FnOnce()) -> Outcome {
    let mut events = client.sign_in(&by_device()).await.expect("begun");
    let code = match events.next().await {
        Ok(Some(SignInEvent::UserCode(code))) => code,
        ended => return Outcome::of(&ended),
    };
    scene.stage.server.approve_device(code.user_code.expose(), "grace");
    begins();
    let mut end = pin!(events.next());
    within(async {
        loop {
            scene.stage.clock.advance_to_next_timer().await;
            if let Ok(end) = timeout(STEP, &mut end).await {
                return Outcome::of(&end);
            }
        }
    })
    .await
}

async fn signed_out(client: &Client, begins: impl FnOnce()) -> Outcome {
    sign_in_by_browser(client, "mail", &User::named("grace")).await.expect("signed in");
    begins();
    let request = SignOutRequest {
        application: name("mail"),
        account: Some("grace".to_owned()),
        revoke: true,
        correlation_id: None,
    };
    match within(client.sign_out(&request)).await.expect("it is signed out in any case").revocation {
        Revocation::Accepted => Outcome::Works,
        Revocation::Failed(_) => Outcome::Other { what: "signed out here, not revoked there", exit_code: Some(6) },
        Revocation::NotRequested => panic!("it was requested"),
    }
}
