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

use super::{Random, Stage};

/// The future with its pace.
pub(in crate::simulation) struct Paced<F> {
    inner: Pin<Box<F>>,
    stage: Arc<Stage>,
    name: String,
    woken: Arc<Woken>,
    turn: Option<Pin<Box<dyn Future<Output = Random> + Send>>>,
}

/// That something woke it, and whom to tell.
struct Woken {
    flag: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.flag.store(true, Ordering::SeqCst);
        self.task.lock().unwrap().wake_by_ref();
    }
}

impl Stage {
    /// Lets a future go on in turns of this name.
    pub(in crate::simulation) fn paced<F: Future>(self: &Arc<Self>, future: F, name: String) -> Paced<F> {
        let woken = Woken { flag: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) };
        Paced { inner: Box::pin(future), stage: Arc::clone(self), name, woken: Arc::new(woken), turn: None }
    }
}

impl<F: Future> Future for Paced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        context.waker().clone_into(&mut this.woken.task.lock().unwrap());
        loop {
            if let Some(turn) = &mut this.turn {
                std::task::ready!(turn.as_mut().poll(context));
                this.turn = None;
                let waker = Waker::from(Arc::clone(&this.woken));
                if let Poll::Ready(outcome) = this.inner.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Poll::Ready(outcome);
                }
            }
            if !this.woken.flag.swap(false, Ordering::SeqCst) {
                return Poll::Pending;
            }
            this.turn = Some(Box::pin(this.stage.turn(this.name.clone(), None)));
        }
    }
}
