//! Randomness that repeats: the same seed gives the same bytes, so that a request can be compared with a recorded one.

use std::sync::atomic::{AtomicU64, Ordering};

use token_broker::ports::Entropy;

/// A generator (`SplitMix64`) that starts from a seed. For tests only: whoever knows the seed knows everything.
#[derive(Debug)]
pub struct SeededEntropy(AtomicU64);

/// The increment of `SplitMix64`.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl SeededEntropy {
    /// Starts from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn word(&self) -> u64 {
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            for (byte, random) in chunk.iter_mut().zip(self.word().to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
