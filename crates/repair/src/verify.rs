//! Proof that a disk is as a repair has to leave it: run on the staged result before the commit, and on the disk after.

mod boot;
mod image;
mod partitions;
mod reset;
mod windows;

use image::image_items;
use partitions::partitions_item;

use crate::error::RepairError;
use crate::observation::{Content, Observation, Partition};
use crate::observe::{Depth, observe};
use crate::plan::{Plan, Step};
use crate::report::{CheckProblem, VerificationItem, VolumeCheck};
use crate::table::DiskId;
use crate::text;
use crate::text::{Bytes, Text};
use crate::winre;
use std::collections::BTreeMap;
use winrefit_disk::{ReadAt, ReadWindow, SectorSize};
use winrefit_ntfs::AttributeType;
use winrefit_ntfs::check::{CheckLevel, CheckOptions, CheckReport, PartitionPlace, check};
use winrefit_ntfs::vss::ShadowCopies;

/// Problems of a volume that a report lists.
const PROBLEMS_MAX: usize = 50;

/// Problems by which Windows says that it has not left a volume for good. They are no damage.
const NOT_AT_REST: [&str; 3] = ["volume-dirty", "log-in-use", "log-fast-startup"];

impl VolumeCheck {
    /// Whether the volume is inconsistent, and not only not at rest. A list that is full may lack the error that matters.
    pub fn is_damaged(&self) -> bool {
        let mut errors = self.problems.iter().filter(|problem| problem.severity == "error");
        let is_full = self.problems.len() >= PROBLEMS_MAX;
        !self.consistent && (is_full || errors.any(|problem| !NOT_AT_REST.contains(&problem.code)))
    }
}

/// Checks the volume of a partition.
///
/// # Errors
/// An error of the medium, or no NTFS at all.
pub fn check_partition(
    disk: &dyn ReadAt,
    sector_size: SectorSize,
    partition: &Partition,
    level: CheckLevel,
) -> Result<(CheckReport, VolumeCheck), RepairError> {
    let place = PartitionPlace {
        start_lba: partition.start_lba,
        sectors: partition.sectors,
        sector_size: sector_size.bytes() as u32,
    };
    let options = CheckOptions {
        partition: Some(place),
        problems_max: PROBLEMS_MAX,
        level,
    };
    let number = partition.number;
    let report =
        check(ReadWindow::new(disk, partition.range)?, &options).map_err(|source| RepairError::Ntfs {
            partition: number,
            source,
        })?;
    let mut problems: Vec<_> = report.problems.iter().collect();
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let summary = VolumeCheck {
        partition: number,
        level: report.level.as_str(),
        consistent: report.is_consistent(),
        records: report.records,
        records_in_use: report.records_in_use,
        problems: problems
            .into_iter()
            .map(|problem| CheckProblem {
                code: problem.code.as_str(),
                severity: problem.severity.as_str(),
                text: Text::quoted(problem),
                record: problem.record.map(|record| record.0),
                path: problem.path.clone(),
                attribute: problem.attribute.as_ref().map(attribute_text),
                volume_byte: problem.volume_byte,
                expected: problem.expected,
                actual: problem.actual,
            })
            .collect(),
        problems_total: report.problems_total,
    };
    Ok((report, summary))
}

fn attribute_text((type_code, name): &(AttributeType, String)) -> String {
    if name.is_empty() {
        type_code.to_string()
    } else {
        format!("{type_code}:{name}")
    }
}

fn item(what: impl Into<Text>, ok: bool, detail: impl Into<Text>) -> VerificationItem {
    VerificationItem {
        what: what.into(),
        ok,
        detail: detail.into(),
        noted: false,
    }
}

/// An item that is no good news where `noted`, even if it is no failure.
fn noted_item(noted: bool, item: VerificationItem) -> VerificationItem {
    VerificationItem {
        noted: noted && item.ok,
        ..item
    }
}

/// What a disk was before a repair.
#[derive(Debug, Clone, Copy)]
pub struct Before<'o> {
    /// The facts.
    pub observation: &'o Observation,
    /// Checks of the volumes that the repair changes, by partition.
    pub checks: &'o BTreeMap<u32, CheckReport>,
}

/// Verifies that `disk` is what `plan` makes of the disk observed in `before`.
///
/// # Errors
/// An error of the medium, or a partition table that cannot be read any more.
pub fn verify_plan(
    disk: &dyn ReadAt,
    old_disk: Option<&dyn ReadAt>,
    before: &Before<'_>,
    plan: &Plan,
) -> Result<Vec<VerificationItem>, RepairError> {
    let (old_checks, before) = (before.checks, before.observation);
    let after = observe(disk, Some(before.sector_size), Depth::Full)?;
    let mut items = vec![table_item(&after)];
    items.push(partitions_item(before, &after, plan));
    let mut numbers = plan.changed_partitions();
    numbers.sort_unstable_by_key(|&number| std::cmp::Reverse(number));
    for number in numbers {
        if let Some(partition) = after
            .partition(number)
            .filter(|p| !matches!(p.content, Content::Fat(_)))
        {
            items.push(volume_item(disk, &after, partition, old_checks.get(&number))?);
        }
    }
    items.extend(boot::kept(before, &after));
    items.extend(reagent_items(&after, plan));
    items.extend(shadow_copy_items(&after, plan));
    items.extend(reset::items(disk, old_disk, &after, plan)?);
    if let Some(recovery) = plan.recovery_partition.and_then(|number| after.partition(number)) {
        items.extend(image_items(disk, old_disk, Some(before), (recovery, Some(plan))));
        items.extend(free_item(recovery, plan));
    }
    Ok(items)
}

/// The free space that was planned for, unless that comes with the second commit only.
fn free_item(recovery: &Partition, plan: &Plan) -> Option<VerificationItem> {
    if plan.then.is_some() || plan.growth_bytes == 0 {
        return None;
    }
    let free = recovery.free_bytes().unwrap_or(0);
    Some(item(
        text!("Free space for servicing"),
        free >= plan.target_free_bytes,
        text!(
            "{free} free on partition {number}",
            free = Bytes(free),
            number = recovery.number
        ),
    ))
}

/// Verifies a disk by itself.
///
/// # Errors
/// As [`verify_plan`].
pub fn verify_disk(
    disk: &dyn ReadAt,
    observation: &Observation,
    recovery: Option<&Partition>,
) -> Result<(Vec<VerificationItem>, Vec<VolumeCheck>), RepairError> {
    let mut items = vec![table_item(observation)];
    let mut checks = Vec::new();
    for partition in observation.partitions.iter().filter(|p| p.ntfs().is_some()) {
        let (_, summary) = check_partition(disk, observation.sector_size, partition, CheckLevel::Full)?;
        items.push(consistency_item(&summary));
        checks.push(summary);
    }
    for windows in &observation.windows {
        items.extend(windows::items(observation, windows));
    }
    items.extend(boot::of_disk(observation));
    if let Some(recovery) = recovery {
        items.extend(unreadable_item(recovery));
        items.extend(image_items(disk, None, None, (recovery, None)));
        let rules = winre::space_rules(observation, recovery);
        let servicing = rules.into_iter().find(|rule| rule.code == "servicing");
        items
            .extend(servicing.map(|rule| item(text!("Free space for servicing"), rule.met, rule.arithmetic)));
    }
    Ok((items, checks))
}

/// A recovery partition without a volume is not passed over.
fn unreadable_item(recovery: &Partition) -> Option<VerificationItem> {
    let what = text!("NTFS on partition {number}", number = recovery.number);
    match &recovery.content {
        Content::Ntfs(_) => None,
        Content::DamagedNtfs(error) => Some(item(what, false, Text::quoted(error))),
        other => Some(item(
            what,
            false,
            text!("there is none; found: {found}", found = other.text()),
        )),
    }
}

fn table_item(observation: &Observation) -> VerificationItem {
    match (&observation.table.sound, observation.table.id) {
        (Ok(()), DiskId::Gpt(_)) => item(
            text!("Partition table"),
            true,
            text!("both copies are good and equal"),
        ),
        (Ok(()), DiskId::Mbr(_)) => item(text!("Partition table"), true, text!("MBR without a defect")),
        (Err(_), _) if observation.table.is_whole() => item(
            text!("Partition table"),
            true,
            text!("both copies are good and equal; LBA 0 is a hybrid MBR"),
        ),
        (Err(error), _) => item(text!("Partition table"), false, Text::quoted(error)),
    }
}

/// A changed volume has to be consistent and must not have a single problem, however slight, that it had not before.
fn volume_item(
    disk: &dyn ReadAt,
    observation: &Observation,
    partition: &Partition,
    before: Option<&CheckReport>,
) -> Result<VerificationItem, RepairError> {
    let (report, summary) = check_partition(disk, observation.sector_size, partition, CheckLevel::Full)?;
    let old = |code| before.map_or(0, |before| before.count(code));
    let new = report.counts.iter().find(|&(&code, &count)| count > old(code));
    let item = consistency_item(&summary);
    Ok(match new {
        Some((code, _)) if item.ok => {
            let text = report
                .problems
                .iter()
                .find(|problem| problem.code == *code)
                .map(Text::quoted);
            VerificationItem {
                ok: false,
                detail: text.unwrap_or_else(|| Text::quoted(code)),
                ..item
            }
        }
        _ => item,
    })
}

fn consistency_item(summary: &VolumeCheck) -> VerificationItem {
    let what = text!("NTFS on partition {number}", number = summary.partition);
    match summary
        .problems
        .iter()
        .find(|problem| problem.severity == "error")
    {
        Some(problem) => item(what, false, &problem.text),
        None => item(
            what,
            summary.consistent,
            text!(
                "consistent, {count} files and directories",
                count = summary.records_in_use
            ),
        ),
    }
}

fn reagent_items(after: &Observation, plan: &Plan) -> Vec<VerificationItem> {
    let Some(number) = plan.recovery_partition else {
        return Vec::new();
    };
    let patched = plan.steps.iter().filter_map(|step| match step {
        Step::PatchReAgent {
            partition, to_offset, ..
        } => Some((*partition, *to_offset)),
        _ => None,
    });
    patched
        .map(|(partition, offset)| {
            let windows = after.windows.iter().find(|w| w.partition == partition);
            let ok = windows.is_some_and(|w| w.recovery_partition == Some(number));
            let what = text!("ReAgent.xml of Windows on partition {partition}", partition);
            item(
                what,
                ok,
                text!(
                    "names byte {offset}, where recovery partition {number} begins",
                    offset,
                    number
                ),
            )
        })
        .collect()
}

/// Shadow copies that were given up are none any more, rather than wrong ones.
fn shadow_copy_items(after: &Observation, plan: &Plan) -> Vec<VerificationItem> {
    let dropped = plan.steps.iter().filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped.partition),
        _ => None,
    });
    dropped
        .map(|number| {
            let state = after
                .partition(number)
                .and_then(|p| p.ntfs()?.state.as_ref().ok());
            let none = state.is_some_and(|state| {
                matches!(
                    state.shadow_copies,
                    ShadowCopies::NoHeader | ShadowCopies::NoCatalog
                )
            });
            let what = text!("Shadow copies of partition {number}", number);
            item(what, none, text!("the volume's header names none"))
        })
        .collect()
}
