//! Randomness, from the operating system or from a script.

use ring::rand::{SecureRandom, SystemRandom};
use token_broker_proto::oauth::CorrelationId;

/// Fills a buffer with unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills it.
    fn fill(&self, buffer: &mut [u8]);
}

/// A new name for a call.
pub fn correlation_id(entropy: &dyn Entropy) -> CorrelationId {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    CorrelationId::from_random(random)
}

/// The operating system's randomness for signing, which takes no other.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "ring signs with a generator of its own only; no test reads what comes of it"
)]
pub fn for_signing() -> SystemRandom {
    SystemRandom::new()
}

/// A number that differs from time to time and from machine to machine.
pub fn byte(entropy: &dyn Entropy) -> u8 {
    let mut random = [0];
    entropy.fill(&mut random);
    let [byte] = random;
    byte
}

/// The operating system's random number generator.
#[derive(Debug)]
pub struct SystemEntropy(SystemRandom);

impl Default for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the system's randomness is opened")]
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl Entropy for SystemEntropy {
    /// # Panics
    /// When the operating system has no randomness: nothing that this program does would be safe then.
    #[expect(clippy::expect_used, reason = "without randomness no secret may be made; see above")]
    fn fill(&self, buffer: &mut [u8]) {
        self.0.fill(buffer).expect("the operating system gave no random bytes");
    }
}
