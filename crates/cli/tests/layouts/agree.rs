//! What the commands that only read say of one disk, held against its plan.

use crate::read;
use std::path::Path;
use winrefit_repair::commands::{diagnose, verify};
use winrefit_repair::report::{Report, Verdict};

/// `diagnose` and `verify` call for winrefit where the plan has something to do, and only there; where it has nothing, a
/// person is called if anybody is.
pub fn agree(path: &Path, planned: &Report) {
    use Verdict::{Attention, Damaged, Healthy, NeedsRepair};
    let said = [
        diagnose(&read(path).unwrap(), None).unwrap(),
        verify(&read(path).unwrap(), None, &mut |_| ()).unwrap(),
    ];
    let strategy = planned.plan.as_ref().map(|plan| plan.strategy);
    for report in said {
        let (verdict, command) = (report.verdict, report.command);
        let codes: Vec<_> = report.findings.iter().map(|f| f.code).collect();
        let fits = match strategy {
            // A disk that works and on which something is refused all the same has a finding that says what.
            None => verdict != Healthy,
            Some("keep") => matches!(verdict, Healthy | Attention | Damaged),
            Some(_) => matches!(verdict, NeedsRepair | Damaged),
        };
        let path = path.display();
        assert!(fits, "{path}: {command} {verdict:?} {codes:?}, plan {strategy:?}");
    }
}
