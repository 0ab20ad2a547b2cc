//! Choices that repeat: everything that differs between two seeds is chosen here.

use token_broker::ports::Entropy;
use token_broker_tests::entropy::SeededEntropy;

/// A source of choices.
pub(in crate::simulation) struct Random(SeededEntropy);

impl Random {
    pub(in crate::simulation) fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// A number below this one, which is not 0.
    pub(in crate::simulation) fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(end).unwrap()).unwrap()
    }

    /// True so many times out of a hundred.
    pub(in crate::simulation) fn percent(&self, chance: usize) -> bool {
        self.below(100) < chance
    }

    /// One of them.
    pub(in crate::simulation) fn pick<T: Copy>(&self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
