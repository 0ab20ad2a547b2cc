//! The regional token endpoint, for an application's own tokens alone: the region that is named, or the one that the machine is in.
//! To look for it never takes long, is done once, and where nothing is found the central endpoint serves.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use token_broker_proto::oauth::{Authority, Region, UnixTime};

use crate::acquire::Desk;
use crate::{
    flow::microsoft::region,
    model::{ProviderMetadata, RegisteredApplication},
};

/// Where the environment says it.
const VARIABLE: &str = "REGION_NAME";
/// How long the machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it counts that nothing was found.
const NOWHERE: Duration = Duration::from_secs(3600);

/// What was found.
#[derive(Debug, Default)]
pub(in crate::acquire) struct Whereabouts(Mutex<Option<Found>>);

#[derive(Debug, Clone)]
enum Found {
    /// This region; machines stay where they are.
    In(String),
    /// None, when it was looked for.
    Nowhere(UnixTime),
}

impl Whereabouts {
    fn known(&self, now: UnixTime) -> Option<Found> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        found.filter(|found| match found {
            Found::In(_) => true,
            Found::Nowhere(looked_on) => *looked_on <= now && looked_on.plus(NOWHERE) > now,
        })
    }

    fn note(&self, found: Found) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }
}

impl Desk {
    /// The metadata with the token endpoint of the application's region. An assertion is made with the metadata as they are: its
    /// audience is central.
    pub(in crate::acquire) async fn regional(
        &self,
        application: &RegisteredApplication,
        metadata: ProviderMetadata,
    ) -> ProviderMetadata {
        let region = match (&application.authority, &application.options.region) {
            (Authority::Microsoft(_), Some(Region::Named(name))) => Some(name.clone()),
            (Authority::Microsoft(_), Some(Region::Auto)) => self.own_region().await,
            (Authority::Microsoft(_), None) | (_, _) => None,
        };
        match region {
            Some(region) => {
                ProviderMetadata { token_endpoint: region::endpoint(&region, &metadata.token_endpoint), ..metadata }
            }
            None => metadata,
        }
    }

    /// The region that this machine is in.
    async fn own_region(&self) -> Option<String> {
        let found = if let Some(known) = self.whereabouts.known(self.clock.now()) {
            known
        } else {
            let found = self.look_around().await.map_or_else(|| Found::Nowhere(self.clock.now()), Found::In);
            tracing::info!(?found, "looked for the region of this machine");
            self.whereabouts.note(found.clone());
            found
        };
        match found {
            Found::In(region) => Some(region),
            Found::Nowhere(_) => None,
        }
    }

    async fn look_around(&self) -> Option<String> {
        if let Some(text) = self.machine.variable(VARIABLE).filter(|text| !text.is_empty()) {
            return region::named(text.expose());
        }
        tokio::select! {
            biased;
            answer = self.provider.send(region::request()) => region::parse(&answer.ok()?),
            () = self.clock.sleep(PATIENCE) => None,
            () = self.tasks.stop.cancelled() => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use token_broker_proto::oauth::UnixTime;

    use super::{Found, Whereabouts};

    #[test]
    fn what_was_not_found_is_looked_for_again_later() {
        let (whereabouts, at) = (Whereabouts::default(), UnixTime::from_seconds);
        assert!(whereabouts.known(at(0)).is_none());
        whereabouts.note(Found::Nowhere(at(0)));
        assert!(whereabouts.known(at(3599)).is_some() && whereabouts.known(at(3600)).is_none());
        whereabouts.note(Found::In("westus2".into()));
        assert!(matches!(whereabouts.known(at(i64::from(u32::MAX))), Some(Found::In(_))));
    }
}
