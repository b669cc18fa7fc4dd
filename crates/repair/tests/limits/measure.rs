//! Commands with their time and the most memory that they had at once.

use crate::MEMORY;
use crate::common::image::Image;
use crate::common::{REQUEST, target};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use winrefit_ntfs::check::CheckLevel;
use winrefit_repair::commands::{check, diagnose, fix, plan, reset_update, undo, verify};
use winrefit_repair::error::RepairError;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::reset::ResetRequest;
use winrefit_repair::target::Target;

/// What memory is counted in.
pub const MIB: usize = 1 << 20;

/// What a command may cost.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// Memory at once.
    pub mib: usize,
    /// Time, on a busy machine and with little optimisation.
    pub seconds: u64,
}

/// A budget.
pub const fn budget(mib: usize, seconds: u64) -> Budget {
    Budget { mib, seconds }
}

/// What most disks keep every command within.
pub const USUAL: Budget = budget(64, 60);

/// The allocator counts for the whole process, so that tests take turns.
pub fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls `work`, tells what it cost and demands that this is within the budget.
pub fn measured<T>(
    case: &str,
    what: &str,
    budget: Budget,
    work: impl FnOnce() -> T,
    words: impl Fn(&T) -> String,
) -> T {
    MEMORY.reset_peak_usage();
    let (before, begun) = (MEMORY.current_usage(), Instant::now());
    let result = work();
    let (taken, peak) = (begun.elapsed(), MEMORY.peak_usage() - before);
    let mib = peak as f64 / MIB as f64;
    println!(
        "| {case} | {what} | {} | {:.2} s | {mib:.1} MiB | {} MiB |",
        words(&result),
        taken.as_secs_f64(),
        budget.mib
    );
    assert!(peak <= budget.mib * MIB, "{case}, {what}: {mib:.1} MiB of memory");
    assert!(taken.as_secs() < budget.seconds, "{case}, {what}: {taken:?}");
    result
}

/// What came of a command, in few words.
fn words(result: &Result<Report, RepairError>) -> String {
    match result {
        Ok(report) => {
            let refusal = report
                .refusal
                .as_ref()
                .map(|refusal| format!(" ({})", refusal.code));
            format!("{:?}{}", report.verdict, refusal.unwrap_or_default())
        }
        Err(error) => {
            let words: String = error.to_string().chars().take(90).collect();
            format!("error: {words}")
        }
    }
}

type Outcome = Result<Report, RepairError>;

/// What the commands said of a disk.
pub struct Outcomes {
    pub diagnose: Outcome,
    pub verify: Outcome,
    pub check: Outcome,
    pub plan: Outcome,
}

/// Runs all that only reads, each within its budget: `quick` for the diagnosis, `full` for what goes through volumes.
pub fn read_only(case: &str, image: Image, (quick, full): (Budget, Budget)) -> (Target<Image>, Outcomes) {
    let subject = target(image);
    let outcomes = Outcomes {
        diagnose: measured(case, "diagnose", quick, || diagnose(&subject, None), words),
        verify: measured(
            case,
            "verify",
            full,
            || verify(&subject, None, &mut |_| ()),
            words,
        ),
        check: measured(
            case,
            "check",
            full,
            || check(&subject, None, CheckLevel::Full, &mut |_| ()),
            words,
        ),
        plan: measured(
            case,
            "plan",
            full,
            || plan(&subject, &REQUEST, &mut |_| ()),
            words,
        ),
    };
    (subject, outcomes)
}

/// Runs `fix`; where it repairs, `undo` as well.
pub fn repair(case: &str, subject: &mut Target<Image>, full: Budget) -> Outcome {
    let fixed = measured(
        case,
        "fix",
        full,
        || fix(subject, &REQUEST, &mut |_| true, &mut |_| ()),
        words,
    );
    if fixed
        .as_ref()
        .is_ok_and(|report| report.verdict == Verdict::Repaired)
    {
        let undone = measured(
            case,
            "undo",
            full,
            || undo(subject, &mut |_| true, &mut |_| ()),
            words,
        );
        assert_eq!(undone.unwrap().verdict, Verdict::Undone, "{case}");
    }
    fixed
}

/// Runs `reset-update`.
pub fn reset(case: &str, subject: &mut Target<Image>, full: Budget) -> Outcome {
    let request = ResetRequest::default();
    measured(
        case,
        "reset-update",
        full,
        || reset_update(subject, &request, &mut |_| true, &mut |_| ()),
        words,
    )
}

/// All commands that take a disk.
pub fn all(case: &str, image: Image, budgets: (Budget, Budget)) -> Outcomes {
    let (mut subject, outcomes) = read_only(case, image, budgets);
    let _ = reset(case, &mut subject, budgets.1);
    let _ = repair(case, &mut subject, budgets.1);
    outcomes
}
