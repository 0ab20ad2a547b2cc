//! The traps of a token cache for Microsoft's identity platform, a test named after each: what a client gets subtly wrong before
//! it gets it right. Some of 10 and 14 stand beside their code.

mod cache;
mod family;
mod microsoft;
mod provider;
mod region;
mod stage;
