//! What is wrong with a partition table, and what becomes of it.

use super::{evidence, finding};
use crate::report::{Evidence, FindingReport, Severity};
use crate::table::{Table, TableProblem};
use crate::text;
use crate::text::Text;
use winrefit_formats::GptDisagreement;
use winrefit_formats::gpt::GptMend;

/// The finding on a table that is not as it should be.
pub(super) fn finding_of(problem: &TableProblem, table: &Table) -> FindingReport {
    let source = match problem {
        TableProblem::Gpt(_) => text!("both copies of the GPT"),
        TableProblem::Mbr(_) => text!("MBR partition table"),
    };
    let evidence = vec![evidence(source, Text::quoted(problem))];
    let next = text!(
        "Repair the table with a tool made for that (gdisk), look at the result, and run the command again."
    );
    match (problem, table.mend()) {
        (_, Some(GptMend::BackupPlace { .. })) => finding(
            "disk-has-grown",
            Severity::Note,
            text!("The disk has become larger since it was partitioned"),
            text!(
                "The second copy of the partition table is not at its end, so the new space cannot be used yet."
            ),
            text!(
                "A repair moves the copy to the end, and uses the space where it lies behind the recovery partition. Where \
                 none is due, `sgdisk -e` with the name of the disk moves it."
            ),
            evidence,
        ),
        (_, Some(GptMend::Primary(_) | GptMend::Backup(_))) => finding(
            "partition-table-copy-damaged",
            Severity::Problem,
            text!("One of the two copies of the partition table is damaged"),
            text!("The other one is good, and what is said here comes from it."),
            text!(
                "A repair of the recovery partition writes both copies anew. Without one, gdisk does (w in its main \
                 menu)."
            ),
            evidence,
        ),
        (TableProblem::Gpt(GptDisagreement::MbrNotProtective { .. }), _) if !table.hybrid().is_empty() => {
            finding(
                "hybrid-mbr",
                Severity::Warning,
                text!("The disk has a hybrid MBR"),
                text!(
                    "LBA 0 names partitions besides the GPT. Nothing tells it of a change to one of those, so they \
                     are not changed."
                ),
                text!(
                    "If nothing needs it any more, make the MBR protective (gdisk: x, n, w), and run the command \
                     again."
                ),
                evidence,
            )
        }
        (TableProblem::Gpt(GptDisagreement::MbrNotProtective { .. }), _) => finding(
            "partition-table",
            Severity::Warning,
            text!("The partition table is not as Windows leaves it"),
            text!("Nothing is written to such a disk."),
            next,
            evidence,
        ),
        (TableProblem::Mbr(_), _) => contradicting_mbr(evidence),
        (TableProblem::Gpt(_), _) => finding(
            "partition-table-damaged",
            Severity::Problem,
            text!("The two copies of the partition table do not agree"),
            text!("Diagnosis uses the better one; nothing is written to such a disk."),
            next,
            evidence,
        ),
    }
}

fn contradicting_mbr(evidence: Vec<Evidence>) -> FindingReport {
    finding(
        "partition-table-damaged",
        Severity::Problem,
        text!("The partition table contradicts itself"),
        text!("Diagnosis uses what can be read of it; nothing is written to such a disk."),
        text!(
            "Keep a copy of the first sector, repair the table with a tool made for that (fdisk, sfdisk), look at \
                 the result, and run the command again."
        ),
        evidence,
    )
}
