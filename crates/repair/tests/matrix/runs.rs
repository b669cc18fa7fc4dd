//! The runs, a test for each: a repair and its undo.

use super::cases::{self, Case};
use super::common::target;
use super::judge::is_harmful;
use super::matrix::Matrix;
use super::oracles;
use super::tally::{amount, finished};
use winrefit_disk::{Device, Event, MemoryDevice, Recording};
use winrefit_repair::commands::undo;
use winrefit_repair::report::Verdict;

pub fn undone(name: &str, new: &MemoryDevice) -> Vec<Event> {
    let mut subject = target(Recording::new(new.clone()));
    let report = undo(&mut subject, &mut |_| true, &mut |_| ()).unwrap();
    assert_eq!(report.verdict, Verdict::Undone, "{name}: {:?}", report.refusal);
    subject.device.into_parts().1
}

fn cut(name: &str, case: &Case, unclean: &[&str]) {
    let (new, events) = case.repaired();
    let back = undone(name, &new);
    let ways = [("", &case.old, &events), (", undo", &new, &back)];
    let mut wrong = Vec::new();
    for (suffix, start, events) in ways {
        let name = format!("{name}{suffix}");
        let (states, seed) = amount();
        let mut matrix = Matrix::new(start, events);
        let tally = matrix.run(states, seed, &name);
        let judged = oracles::judge(&matrix, &name, start.sector_size());
        finished(&name, &tally, judged);
        wrong.extend(tally.failures.iter().map(|failure| format!("{name}: {failure}")));
        let found = tally.unclean.keys().map(String::as_str);
        let found: Vec<&str> = found.filter(|flaw| is_harmful(flaw)).collect();
        if found != unclean {
            wrong.push(format!("{name}: not clean before a resume: {found:?}"));
        }
        let are_met = tally.ends.iter().all(|count| *count > 0);
        if tally.ends.len() != case.commits + 1 || !are_met {
            wrong.push(format!("{name}: ends in {:?}", tally.ends));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

macro_rules! runs {
    ($($name:ident: $unclean:expr;)*) => {
        /// Logs in all.
        pub const LOGS: usize = 2 * [$(stringify!($name)),*].len();
        $(#[test]
        fn $name() {
            cut(stringify!($name), &cases::$name(), &$unclean);
        })*
    };
}

/// On a GPT disk WinRE is found by the partition's GUID, which stays; what is not up to date for a moment is what Windows
/// says of it (`reagentc /info`).
const REAGENT: &str = "ReAgent.xml names a place that is no partition's";
/// On an MBR disk it is found by its place, which the table and the store cannot change at once (ADR 10).
const MBR: [&str; 3] = [REAGENT, "boot-chain-broken", "boot-store-disagrees"];
/// A name is changed in the index and in the file's record, one sector each, which a cut can come between (ADR 16).
const RENAMING: [&str; 2] = ["C: index-entry-unmatched", "C: name-missing-in-index"];
const NONE: [&str; 0] = [];

runs! {
    grow_end: NONE;
    grow_front: [REAGENT];
    shrink: [REAGENT];
    shrink_4096: [REAGENT];
    data: [REAGENT];
    data_4096: [REAGENT];
    system_data: [REAGENT];
    body_in_clusters: [REAGENT];
    relocate: [REAGENT];
    relocate_twice: [REAGENT];
    relocate_twice_mbr: MBR;
    reclaim: [REAGENT];
    remove_stale: [REAGENT];
    mbr_primary: MBR;
    mbr_logical: MBR;
    mbr_logical_4096: MBR;
    primary_damaged: [REAGENT];
    backup_damaged: [REAGENT];
    disk_has_grown: NONE;
    create: NONE;
    create_twice: NONE;
    reset: RENAMING;
    reset_4096: RENAMING;
}
