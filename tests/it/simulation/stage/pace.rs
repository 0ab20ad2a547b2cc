//! A future that is polled only when it is its turn, whatever wakes it: so the order in which those who wait for one thing go on is
//! the seed's, too.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use token_broker_proto::oauth::UnixTime;

use super::{Random, Stage};

/// The future with its pace.
pub(in crate::simulation) struct Paced<F> {
    inner: Pin<Box<F>>,
    stage: Arc<Stage>,
    name: String,
    woken: Arc<Woken>,
    has_begun: bool,
    turn: Option<Pin<Box<dyn Future<Output = Random> + Send>>>,
}

/// That something woke it, when, and whom to tell.
struct Woken {
    stage: Arc<Stage>,
    flag: AtomicBool,
    on: Mutex<UnixTime>,
    task: Mutex<Waker>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        if !self.flag.swap(true, Ordering::SeqCst) {
            *self.on.lock().unwrap() = self.stage.now();
        }
        self.task.lock().unwrap().wake_by_ref();
    }
}

impl Stage {
    /// Lets a future go on in turns of this name.
    pub(in crate::simulation) fn paced<F: Future>(self: &Arc<Self>, future: F, name: String) -> Paced<F> {
        let woken = Woken {
            stage: Arc::clone(self),
            flag: AtomicBool::new(true),
            on: Mutex::new(self.now()),
            task: Mutex::new(Waker::noop().clone()),
        };
        let (stage, woken) = (Arc::clone(self), Arc::new(woken));
        Paced { inner: Box::pin(future), stage, name, woken, has_begun: false, turn: None }
    }
}

impl<F: Future> Future for Paced<F> {
    /// With the time when it was there, which is somewhat before it is its turn.
    type Output = (UnixTime, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        context.waker().clone_into(&mut this.woken.task.lock().unwrap());
        loop {
            if let Some(turn) = &mut this.turn {
                std::task::ready!(turn.as_mut().poll(context));
                this.turn = None;
                let on = if this.has_begun { *this.woken.on.lock().unwrap() } else { this.stage.now() };
                this.has_begun = true;
                let waker = Waker::from(Arc::clone(&this.woken));
                if let Poll::Ready(outcome) = this.inner.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready((on, outcome));
                }
            }
            if !this.woken.flag.swap(false, Ordering::SeqCst) {
                return Poll::Pending;
            }
            this.turn = Some(Box::pin(this.stage.turn(this.name.clone(), None)));
        }
    }
}
