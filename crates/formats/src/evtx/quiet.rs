//! Running code of others that may panic on hostile input, without a word on the standard error.
//!
//! The decoder is written not to panic, and no input is known on which it does; but a diagnosis must survive the next
//! one. The hook that is installed once asks a flag of the panicking thread, so that panics elsewhere are reported as
//! before.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `work` returns; `None` if it panicked. What `work` borrows must not be used after that.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(unless_quiet(before));
    });
    let was = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    QUIET.set(was);
    result
}

fn unless_quiet(before: Hook) -> Hook {
    Box::new(move |info| {
        // A thread whose storage is gone is ending, and not in here.
        if !QUIET.try_with(Cell::get).unwrap_or(false) {
            before(info);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const OURS: &str = "a panic of this test";

    #[test]
    fn a_panic_is_caught_and_only_that_one_is_silent() {
        catch(|| ()).unwrap();
        let reported = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&reported);
        let before = panic::take_hook();
        panic::set_hook(unless_quiet(Box::new(move |info| {
            match info.payload().downcast_ref::<&str>() {
                Some(&OURS) => drop(count.fetch_add(1, Ordering::SeqCst)),
                _ => before(info),
            }
        })));
        let loud = || {
            std::thread::spawn(|| panic!("a panic of this test"))
                .join()
                .is_err()
        };
        assert_eq!(catch(|| -> u8 { panic!("a panic of this test") }), None);
        assert_eq!(reported.load(Ordering::SeqCst), 0);
        // Another thread's panic is reported while this one is quiet, and this one's afterwards.
        assert_eq!(catch(loud), Some(true));
        assert_eq!(reported.load(Ordering::SeqCst), 1);
        assert!(loud());
        assert_eq!(reported.load(Ordering::SeqCst), 2);
        assert_eq!(catch(|| 7), Some(7));
    }
}
