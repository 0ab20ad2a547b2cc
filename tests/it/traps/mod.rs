//! The traps of a token cache for Microsoft's identity platform, a test named after each: what a client gets subtly wrong before
//! it gets it right. Number 10 and 14 stand with the credentials.

mod cache;
mod family;
mod microsoft;
mod provider;
mod stage;
