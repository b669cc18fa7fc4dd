//! Work in several threads with one reader: the medium is read by the caller's thread only, and results come back in
//! the order of the work, so that a report is the same on every machine.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Scope, available_parallelism, scope};

/// More threads than this wait for the reader.
const WORKERS_MAX: usize = 8;
/// Pieces of work that a worker has at once: one at hand and one waiting.
const DEPTH: usize = 2;

/// Threads that are worth starting for so many bytes of work. Small volumes are done before a thread has started.
pub(crate) fn workers_for(bytes: u64) -> usize {
    const WORTH_BYTES: u64 = 4 << 20;
    if bytes < WORTH_BYTES {
        return 1;
    }
    available_parallelism().map_or(1, |count| count.get().clamp(2, WORKERS_MAX))
}

/// A worker: where its work goes in and its results come out.
struct Lane<J, T> {
    jobs: Sender<J>,
    results: Receiver<T>,
}

fn start<'scope, J: Send + 'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: &'scope (impl Fn(J) -> T + Sync),
) -> Option<Lane<J, T>> {
    let (jobs, todo) = channel::<J>();
    let (done, results) = channel();
    let run = move || {
        for job in todo {
            if done.send(work(job)).is_err() {
                return;
            }
        }
    };
    Builder::new().spawn_scoped(scope, run).ok()?;
    Some(Lane { jobs, results })
}

/// Calls `work` in other threads for all that `produce` gives, and `consume` with the results in the same order. Where
/// no thread can be had this thread does all.
///
/// # Errors
/// The first of `produce`; results may be missing then.
pub(crate) fn in_order<J: Send, T: Send, E>(
    workers: usize,
    mut produce: impl FnMut() -> Result<Option<J>, E>,
    work: impl Fn(J) -> T + Sync,
    mut consume: impl FnMut(T),
) -> Result<(), E> {
    let work = &work;
    scope(|scope| {
        let wanted = if workers < 2 { 0 } else { workers };
        let lanes: Vec<Lane<J, T>> = (0..wanted).map_while(|_| start(scope, work)).collect();
        let (mut sent, mut received) = (0, 0);
        while let Some(job) = produce()? {
            if lanes.is_empty() {
                consume(work(job));
                continue;
            }
            if sent - received == lanes.len() * DEPTH {
                take(&lanes, &mut received, &mut consume);
            }
            // A worker that is gone has panicked, which the end of the scope passes on.
            let _ = lanes[sent % lanes.len()].jobs.send(job);
            sent += 1;
        }
        while received < sent {
            take(&lanes, &mut received, &mut consume);
        }
        Ok(())
    })
}

fn take<J, T>(lanes: &[Lane<J, T>], received: &mut usize, consume: &mut impl FnMut(T)) {
    if let Ok(result) = lanes[*received % lanes.len()].results.recv() {
        consume(result);
    }
    *received += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work_with_any_number_of_threads() {
        for workers in 0..5 {
            for count in [0u64, 1, 3, 100] {
                let (mut next, mut results) = (0, Vec::new());
                let produce = || {
                    next += 1;
                    Ok::<_, ()>((next <= count).then_some(next))
                };
                in_order(workers, produce, |job| job * 7, |result| results.push(result)).unwrap();
                assert!(results.into_iter().eq((1..=count).map(|job| job * 7)));
            }
        }
    }

    #[test]
    fn an_error_of_the_producer_ends_all() {
        let mut left = 5;
        let produce = || {
            left -= 1;
            if left == 0 {
                Err("out of work")
            } else {
                Ok(Some(left))
            }
        };
        assert_eq!(in_order(3, produce, |job: i32| job, |_| {}), Err("out of work"));
    }
}
