//! The protocol without any I/O: what each endpoint answers, and what the server remembers. Time comes from the clock in the
//! options, so that a test can let everything expire.

mod authorize;
mod client;
mod device;
mod grants;
mod metadata;
mod pages;
mod token;

use std::collections::HashMap;

use token_broker::ports::{Entropy, entropy::SystemEntropy};
use token_broker_proto::oauth::UnixTime;

use self::{
    authorize::IssuedCode,
    device::Device,
    grants::{AccessToken, Family, RefreshToken},
};
use super::{
    Endpoint, Options,
    wire::{Answer, Call},
};
use crate::jose::{self, SigningKey};

/// The provider with all that it remembers.
pub(super) struct Provider {
    issuer: String,
    options: Options,
    key: SigningKey,
    random: SystemEntropy,
    codes: HashMap<String, IssuedCode>,
    devices: HashMap<String, Device>,
    families: Vec<Family>,
    refresh_tokens: HashMap<String, RefreshToken>,
    access_tokens: HashMap<String, AccessToken>,
}

impl Provider {
    pub(super) fn new(issuer: String, options: Options) -> Self {
        Self {
            issuer,
            options,
            key: SigningKey::generate(),
            random: SystemEntropy::default(),
            codes: HashMap::new(),
            devices: HashMap::new(),
            families: Vec::new(),
            refresh_tokens: HashMap::new(),
            access_tokens: HashMap::new(),
        }
    }

    pub(super) fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// The answer to a request.
    pub(super) fn answer(&mut self, endpoint: Endpoint, call: &Call) -> Answer {
        match endpoint {
            Endpoint::Discovery => self.discovery(),
            Endpoint::Jwks => self.jwks(),
            Endpoint::Authorization => self.authorize(call),
            Endpoint::Token => self.token(call),
            Endpoint::DeviceAuthorization => self.device_authorization(call),
            Endpoint::CodeVerification => self.code_verification(call),
            Endpoint::Revocation => self.revocation(call),
            Endpoint::Introspection => self.introspection(call),
        }
    }

    /// Every code and token that was handed out.
    pub(super) fn issued(&self) -> Vec<String> {
        let maps = [self.codes.keys().cloned().collect::<Vec<_>>(), self.devices.keys().cloned().collect()];
        let tokens = [self.refresh_tokens.keys().cloned().collect(), self.access_tokens.keys().cloned().collect()];
        maps.into_iter().chain(tokens).flatten().collect()
    }

    fn now(&self) -> UnixTime {
        self.options.clock.now()
    }

    /// A new opaque value that says what it is, so that a search for it in logs and files finds every kind.
    fn opaque(&self, kind: &str) -> String {
        let mut bytes = [0; 24];
        self.random.fill(&mut bytes);
        format!("{kind}-{}", jose::encode(&bytes))
    }

    /// The known ones of the scopes that were asked for.
    fn known_scopes(&self, asked: &str) -> Vec<String> {
        let known = |scope: &&str| self.options.scopes.iter().any(|known| known == scope);
        asked.split(' ').filter(known).map(str::to_owned).collect()
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
