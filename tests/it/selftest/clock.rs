//! The manual clock and the seeded entropy keep their promises.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use token_broker::ports::{Clock, Entropy};
use token_broker_tests::{clock::ManualClock, entropy::SeededEntropy, within};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_timer_completes_when_the_time_passes_it_and_not_before() {
    let clock = ManualClock::at(1_000);
    let mut sleep = pin!(clock.sleep(10 * SECOND));
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(sleep.as_mut().poll(&mut context), Poll::Pending);
    clock.advance(9 * SECOND);
    assert_eq!(sleep.as_mut().poll(&mut context), Poll::Pending);
    clock.advance(SECOND);
    assert_eq!(sleep.as_mut().poll(&mut context), Poll::Ready(()));
    assert_eq!(clock.now().seconds(), 1_010);
}

#[test]
fn suspend_moves_the_wall_and_leaves_the_timers() {
    let clock = ManualClock::at(1_000);
    let (before, mut sleep) = (clock.monotonic(), pin!(clock.sleep(SECOND)));
    clock.suspend(3_600 * SECOND);
    assert_eq!((clock.now().seconds(), clock.monotonic()), (4_600, before));
    assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    clock.set(500);
    assert_eq!(clock.now().seconds(), 500);
}

#[tokio::test]
async fn a_test_waits_for_a_timer_and_passes_it() {
    let clock = ManualClock::at(1_000);
    let sleeping = clock.clone();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move {
        sleeping.sleep(5 * SECOND).await;
        sleeping.sleep(7 * SECOND).await;
    });
    assert_eq!(within(clock.advance_to_next_timer()).await, 5 * SECOND);
    assert_eq!(within(clock.advance_to_next_timer()).await, 7 * SECOND);
    within(tasks.join_next()).await;
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let draw = |seed| {
        let (entropy, mut first, mut second) = (SeededEntropy::new(seed), [0; 20], [0; 20]);
        entropy.fill(&mut first);
        entropy.fill(&mut second);
        assert_ne!(first, second);
        (first, second)
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}
