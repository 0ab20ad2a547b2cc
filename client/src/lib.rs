//! The door to the token-broker daemon: ask it for a token and get a typed answer, without holding any secret of your own.
//!
//! The daemon owns sign-in, refresh and the encrypted cache. This crate connects to its Unix socket on the first call, checks
//! whose process serves there before it sends a byte, connects again by itself after a daemon restart, and turns every failure
//! into a [`ClientError`]. It holds no cache and starts no daemon; a program that needs a token often keeps one at hand with a
//! [`TokenSource`].
//!
//! ```no_run
//! use token_broker_client::{Client, ClientError, ClientOptions, calls::TokenRequest, oauth::ApplicationName};
//!
//! # async fn ask() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(&ClientOptions::default())?;
//! let request = TokenRequest::new(ApplicationName::parse("application", "work")?);
//! match client.token(&request).await {
//!     Ok(answer) => println!("valid until {}", answer.expires_on.seconds()),
//!     Err(ClientError::Broker(failure)) => eprintln!("{}: {}", failure.reason.as_str(), failure.message),
//!     Err(error) => eprintln!("{error}"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The words of the API ([`Account`], [`Failure`], [`calls`], [`oauth`]...) are those of the contract and are exported again
//! here, so that a program needs no other crate of this project. The feature `browser` adds `open_in_browser`,
//! `azure` a credential for the clients of Azure's SDK, `BrokerCredential`.

mod admin;
#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "browser")]
mod browser;
mod client;
mod connect;
mod error;
mod link;
mod sign_in;
mod socket_path;
mod token_source;
mod watch;

pub use token_broker_proto::{Account, Failure, Invalid, ProviderError, Reason, Secret, calls, oauth};

pub use admin::{RemovedApplication, Verification};
#[cfg(feature = "azure")]
pub use azure::BrokerCredential;
#[cfg(feature = "browser")]
pub use browser::open_in_browser;
pub use client::{Client, ClientOptions};
pub use error::ClientError;
pub use sign_in::SignIn;
pub use socket_path::SocketPath;
pub use token_source::{TokenSource, TokenUnavailable};
pub use watch::{EventWatch, TokenWatch};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
