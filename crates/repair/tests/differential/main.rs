//! Random disks, repaired from end to end and judged by everybody who can: the table by sgdisk and sfdisk, the volumes by
//! ntfs-3g's tools, 7-Zip, the Sleuth Kit and another crate, the way to WinRE by ntfscat, hivex and wimlib; then undone.
//!
//! `WINREFIT_DIFFERENTIAL_CASES` sets the number of disks, `WINREFIT_DIFFERENTIAL_SEED` repeats a run whose seed was printed,
//! and `WINREFIT_DIFFERENTIAL_CASE` repeats one disk alone, which `WINREFIT_DIFFERENTIAL_KEEP` then writes into a folder.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod back;
#[path = "../common/mod.rs"]
mod common;
mod content;
mod counts;
mod making;
mod oracles;
mod peer;
#[path = "../common/random.rs"]
mod random;
mod recipe;
mod tables;
mod volume;
mod volumes;
mod winre;

use common::compare::first_lost;
use common::disks::Kind;
use common::target;
use counts::{Bench, Counts};
use oracles::Repair;
use recipe::{Recipe, TableState, Wish};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use volume::random::Random;
use winrefit_disk::MemoryDevice;
use winrefit_repair::commands::{fix, reset_update, undo};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::{Plan, Request, Step, Strategy, plan};
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::reset::ResetRequest;
use winrefit_repair::target::Target;

/// Disks in a usual run.
const CASES: u64 = 40;
const RESET: ResetRequest = ResetRequest {
    windows: None,
    only: None,
};

/// How many judgements each oracle gives for a hundred repaired disks at least, where it is installed. The slow ones see
/// disks by the seed, so only long runs tell.
const SHARES: [(&str, u64, bool); 13] = [
    ("verify", 100, true),
    ("our checker", 100, true),
    ("rust-fs-ntfs", 100, true),
    ("sfdisk -d", 100, true),
    ("sgdisk -v", 30, false),
    ("ntfsfix -n", 100, true),
    ("ntfsresize -i", 90, true),
    ("wimlib-imagex info", 80, false),
    ("hivexget", 35, false),
    ("ntfs-3g: same content", 25, false),
    ("7zz: same content", 15, false),
    ("fls: same paths", 25, false),
    ("ntfsresize: same shrink", 2, false),
];

fn check_shares(counts: &Counts) {
    let repaired = counts.sum("repaired:");
    for (who, share, always) in SHARES {
        let judged = counts.sum(&format!("judged: {who}"));
        let due = repaired * share / 100;
        // Without a tool nothing is judged, and its absence was told.
        let is_asked = judged > 0 || common::tools::is_required();
        assert!(
            judged >= due || !is_asked || !(always || repaired >= 300),
            "{who} judged {judged} times, and was to {due} times"
        );
    }
}

fn run_command(recipe: &Recipe, request: &Request, subject: &mut Target<MemoryDevice>) -> Report {
    let report = match recipe.wish {
        Wish::Reset => reset_update(subject, &RESET, &mut |_| true, &mut |_| ()),
        Wish::Fix | Wish::Create => fix(subject, request, &mut |_| true, &mut |_| ()),
    };
    report.unwrap()
}

/// The plan that the command follows; of a reset one that claims no more than which volume is changed.
fn plan_of(recipe: &Recipe, old: &MemoryDevice) -> Option<Plan> {
    if recipe.wish == Wish::Reset {
        let step = Step::SetServiceStart {
            partition: recipe.case.disk.number_of(Kind::Windows)?,
            service: "",
            from: 0,
            to: 0,
        };
        return Some(Plan {
            strategy: Strategy::ResetUpdate,
            recovery_partition: None,
            free_bytes: 0,
            target_free_bytes: 0,
            growth_bytes: 0,
            steps: vec![step],
            then: None,
        });
    }
    let observation = observe(old, None, Depth::Full).unwrap();
    plan(&observation, &recipe.case.request).ok()
}

fn check_again(recipe: &Recipe, new: &MemoryDevice) {
    // A partition that is gone cannot go again.
    let request = Request {
        remove_stale: None,
        ..recipe.case.request
    };
    let mut subject = target(new.clone());
    let report = run_command(recipe, &request, &mut subject);
    // A reset leaves what else there is to be said.
    let is_done = match recipe.wish {
        Wish::Reset => !matches!(report.verdict, Verdict::Repaired | Verdict::Refused),
        _ => matches!(report.verdict, Verdict::Healthy | Verdict::Attention),
    };
    assert!(is_done, "again: {report:#?}");
    assert!(subject.device == *new, "a second run writes nothing");
}

fn check_undone(plan: &Plan, old: &MemoryDevice, new: &MemoryDevice) {
    let mut subject = target(new.clone());
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{:?}", report.refusal);
    assert_eq!(first_lost(old, &subject.device), None, "undo");
    assert_eq!(back::first_excess(old, &subject.device, plan), None, "undo");
    let again = undo(&mut subject, &mut |_| panic!("nothing to ask"), &mut |_| ()).unwrap();
    assert_eq!(again.refusal.map(|refusal| refusal.code), Some("nothing-to-undo"));
}

/// What a repair is counted as.
fn name_of(recipe: &Recipe, plan: &Plan) -> String {
    let disk = &recipe.case.disk;
    let recovery = disk.parts.iter().find(|part| part.kind == Kind::Recovery);
    let place = if recovery.is_some_and(|part| part.ebr.is_some()) {
        " logical"
    } else {
        ""
    };
    let commits = plan.commits().count();
    format!("{:?}{place} {} in {commits}", disk.style, plan.strategy.name())
}

fn count_features(recipe: &Recipe, bench: &Bench<'_>) {
    let note = |is_there: bool, what: String| {
        if is_there {
            bench.note(format!("disk: {what}"));
        }
    };
    note(true, format!("{:?} sectors", recipe.case.disk.sector_size));
    note(
        recipe.table != TableState::Sound,
        "table damaged or disk grown".into(),
    );
    note(recipe.is_on_own_volume(), "WinRE on the Windows volume".into());
    note(recipe.leftovers, "leftovers in unallocated space".into());
    for (part, made) in recipe.case.disk.parts.iter().zip(&recipe.volumes) {
        if recipe.is_ntfs(part) {
            note(true, format!("volume by {:?}", made.maker));
            note(true, format!("cluster {}", part.cluster));
            note(!made.strays.is_empty(), "volume with stray streams".into());
            note(made.bad.is_some(), "volume with bad clusters".into());
            note(made.shadow_copies > 0, "volume with shadow copies".into());
        }
    }
}

/// Builds the disk of a recipe, and does and judges all that is to be done and judged.
fn run(recipe: &Recipe, counts: &Counts) {
    let Some(old) = recipe.build() else {
        counts.add("not built: something does not fit");
        return;
    };
    let bench = Bench::new(counts, recipe.seed);
    let planned = plan_of(recipe, &old);
    let mut subject = target(old.clone());
    let report = run_command(recipe, &recipe.case.request, &mut subject);
    let new = subject.device;
    if let Some(folder) = std::env::var_os("WINREFIT_DIFFERENTIAL_KEEP") {
        let folder = std::path::Path::new(&folder);
        std::fs::write(folder.join("old.img"), old.bytes()).unwrap();
        std::fs::write(folder.join("new.img"), new.bytes()).unwrap();
    }
    match report.verdict {
        Verdict::Repaired => {
            let plan = planned.unwrap();
            let repair = Repair {
                recipe,
                plan: &plan,
                old: &old,
                new: &new,
            };
            repair.judge(&bench);
            check_again(recipe, &new);
            check_undone(&plan, &old, &new);
            counts.add(format!("repaired: {}", name_of(recipe, &plan)));
            count_features(recipe, &bench);
        }
        Verdict::Refused => {
            let refusal = report.refusal.unwrap();
            assert_ne!(refusal.code, "staged-check-failed", "{refusal:?}");
            assert!(new == old, "a refusal writes nothing");
            counts.add(format!("refused: {}", refusal.code));
        }
        Verdict::Healthy | Verdict::Attention | Verdict::Damaged => {
            assert!(new == old, "nothing was to be done");
            counts.add(format!("nothing to do: {:?}", report.verdict));
        }
        other => panic!("{other:?}: {:?}", report.refusal),
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap())
}

/// Whether the case of this seed went well.
fn is_good(seed: u64, counts: &Counts) -> bool {
    let recipe = Recipe::of(seed);
    let result = catch_unwind(AssertUnwindSafe(|| run(&recipe, counts)));
    if result.is_err() {
        eprintln!("FAILED: WINREFIT_DIFFERENTIAL_CASE={seed}\n{recipe:#?}");
    }
    result.is_ok()
}

#[test]
fn random_disks_are_what_everybody_says_they_should_be() {
    let counts = Counts::default();
    if let Some(case) = number("WINREFIT_DIFFERENTIAL_CASE") {
        assert!(is_good(case, &counts));
        counts.print();
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = number("WINREFIT_DIFFERENTIAL_SEED")
        .unwrap_or_else(|| now.unwrap_or(Duration::ZERO).as_nanos() as u64);
    let cases = number("WINREFIT_DIFFERENTIAL_CASES").unwrap_or(CASES);
    eprintln!("WINREFIT_DIFFERENTIAL_SEED={seed} WINREFIT_DIFFERENTIAL_CASES={cases}");
    let mut random = Random::new(seed);
    let started = Instant::now();
    let mut failed = Vec::new();
    for index in 1..=cases {
        let case = random.below(u64::MAX);
        if !is_good(case, &counts) {
            failed.push(case);
        }
        if index.is_multiple_of(100) {
            let repaired = counts.sum("repaired:");
            let seconds = started.elapsed().as_secs();
            eprintln!(
                "{index} disks, {repaired} repaired, {} failed, {seconds} s",
                failed.len()
            );
        }
    }
    counts.print();
    eprintln!(
        "{cases} disks, {} repaired, {} judgements, {} s",
        counts.sum("repaired:"),
        counts.sum("judged:"),
        started.elapsed().as_secs()
    );
    check_shares(&counts);
    assert!(
        counts.sum("repaired:") >= cases / 4,
        "too few disks were repaired"
    );
    assert!(failed.is_empty(), "WINREFIT_DIFFERENTIAL_CASE= one of {failed:?}");
}
