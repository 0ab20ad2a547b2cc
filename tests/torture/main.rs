//! The torture by hand: the CI test's own code, with many more kills.
fn main() {}
