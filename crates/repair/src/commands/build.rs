//! Filling the report from what the other parts know.

use crate::diagnose::Diagnosis;
use crate::diagnose::images::filetime;
use crate::explain::{rfc3339, size};
use crate::observation::{Content, Observation, Partition};
use crate::plan::{Plan, Sectors, Step, Strategy};
use crate::report::{
    ChangeReport, DiskReport, DroppedReport, ImageReport, JournalReport, PartitionReport, PlanReport,
    RangeReport, RecoveryReport, Report, SCHEMA, Verdict, WindowsReport,
};
use crate::table::DiskId;
use crate::winre::{awaits_image, image_in_use, partition_of_disabled};
use winrefit_disk::JournalPlace;
use winrefit_disk::journal::{Found, Transaction};
use winrefit_formats::WimArchitecture;

/// Unallocated ranges shorter than this are not worth a line.
const GAP_BYTES_MIN: u64 = 1 << 20;
/// What a move leaves behind, unless something takes it.
const OLD_PLACE: &str = "Its old place becomes unallocated.";
/// For the estimate: what a hard disk does.
const MOVE_BYTES_PER_SECOND: u64 = 100_000_000;

pub(super) fn empty(command: &'static str, target: &str) -> Report {
    Report {
        schema: SCHEMA,
        winrefit_version: env!("CARGO_PKG_VERSION"),
        command,
        target: target.to_owned(),
        verdict: Verdict::Healthy,
        disk: None,
        windows: Vec::new(),
        recovery: None,
        findings: Vec::new(),
        refusal: None,
        plan: None,
        verification: Vec::new(),
        checks: Vec::new(),
        journal: None,
    }
}

/// A report with all that a diagnosis tells.
pub(super) fn of_diagnosis(
    command: &'static str,
    target: &str,
    observation: &Observation,
    diagnosis: Diagnosis<'_>,
) -> Report {
    let mut report = empty(command, target);
    report.disk = Some(disk(observation, diagnosis.recovery));
    report.windows = windows(observation);
    report.recovery = diagnosis.recovery.map(|partition| RecoveryReport {
        partition: partition.number,
        size_bytes: partition.range.len(),
        free_bytes: partition.free_bytes(),
        enabled: enabled(observation, partition),
        image: image_in_use(observation, partition)
            .or(partition.winre.as_ref())
            .map(image),
        rules: diagnosis.rules,
    });
    report.findings = diagnosis.findings;
    report.verdict = diagnosis.verdict;
    report
}

fn enabled(observation: &Observation, partition: &Partition) -> Option<bool> {
    if partition_of_disabled(observation).is_some_and(|p| p.number == partition.number) {
        return Some(false);
    }
    let windows = observation
        .windows
        .iter()
        .find(|w| w.recovery_partition == Some(partition.number))?;
    let reagent = windows.reagent.as_ref()?.as_ref().ok()?;
    reagent.install_state.map(|state| state == 1)
}

fn image(winre: &crate::observation::WinRe) -> ImageReport {
    let architecture = winre
        .architecture
        .as_ref()
        .map(|architecture| match architecture {
            WimArchitecture::X86 => "x86",
            WimArchitecture::Amd64 => "x64",
            WimArchitecture::Arm => "arm",
            WimArchitecture::Arm64 => "arm64",
            _ => "unknown",
        });
    let modified = winre.modified.map(|seconds| rfc3339(filetime(seconds)));
    ImageReport {
        path: winre.path.clone(),
        modified,
        version: winre
            .version
            .as_ref()
            .ok()
            .copied()
            .flatten()
            .map(|version| version.to_string()),
        size_bytes: winre.size_bytes,
        architecture: architecture.map(str::to_owned),
    }
}

fn windows(observation: &Observation) -> Vec<WindowsReport> {
    let enabled = |w: &crate::observation::Windows| {
        w.reagent
            .as_ref()?
            .as_ref()
            .ok()?
            .install_state
            .map(|state| state == 1)
    };
    let all = observation.windows.iter();
    all.map(|w| WindowsReport {
        partition: w.partition,
        product: w.product.clone(),
        display_version: w.display_version.clone(),
        build: w.build.clone(),
        recovery_enabled: enabled(w),
        recovery_partition: w.recovery_partition,
    })
    .collect()
}

pub(super) fn disk(observation: &Observation, recovery: Option<&Partition>) -> DiskReport {
    let partitions = observation
        .partitions
        .iter()
        .map(|p| partition(observation, p, recovery))
        .collect();
    DiskReport {
        size_bytes: observation.size_bytes,
        sector_size_bytes: observation.sector_size.bytes(),
        style: observation.table.id.style(),
        disk_guid: match observation.table.id {
            DiskId::Gpt(guid) => Some(guid.to_string()),
            DiskId::Mbr(_) => None,
        },
        disk_signature: match observation.table.id {
            DiskId::Gpt(_) => None,
            DiskId::Mbr(signature) => Some(format!("{signature:#010x}")),
        },
        partitions,
        unallocated: unallocated(observation),
    }
}

fn partition(observation: &Observation, p: &Partition, recovery: Option<&Partition>) -> PartitionReport {
    let mut roles = Vec::new();
    if observation.windows.iter().any(|w| w.partition == p.number) {
        roles.push("windows");
    }
    if recovery.is_some_and(|recovery| recovery.number == p.number) {
        roles.push("recovery");
    }
    if p.kind.is_efi_system() {
        roles.push("efi-system");
    }
    if p.kind.is_reserved() {
        roles.push("reserved");
    }
    if p.is_active {
        roles.push("active");
    }
    let label = match &p.content {
        Content::Ntfs(ntfs) => ntfs.state.as_ref().ok().map(|state| state.label.clone()),
        _ => None,
    };
    PartitionReport {
        number: p.number,
        start_lba: p.start_lba,
        sectors: p.sectors,
        size_bytes: p.range.len(),
        type_guid: p.kind.to_string(),
        type_name: p.kind.name(),
        unique_guid: p.unique_guid.map(|guid| guid.to_string()),
        attributes: p.attributes.map(|bits| format!("{bits:#018x}")),
        name: p.name.clone(),
        filesystem: p.content.name(),
        label: label.filter(|label| !label.is_empty()),
        free_bytes: p.free_bytes(),
        roles,
        images: p.images().map(image).collect(),
    }
}

fn unallocated(observation: &Observation) -> Vec<RangeReport> {
    let usable = observation.table.usable;
    let sector = observation.sector_size.bytes();
    let mut ranges = Vec::new();
    let mut at = usable.start.0;
    let ends = observation
        .partitions
        .iter()
        .map(|p| (p.start_lba, p.start_lba + p.sectors));
    for (start, end) in ends.chain([(usable.end.0, usable.end.0)]) {
        if start.saturating_sub(at) * sector >= GAP_BYTES_MIN {
            ranges.push(RangeReport {
                start_lba: at,
                sectors: start - at,
            });
        }
        at = at.max(end);
    }
    ranges
}

/// The plan's part of the report, with what each of its commits writes.
pub(super) fn plan(
    observation: &Observation,
    plan: &Plan,
    transactions: &[&Transaction],
    journal: Option<(JournalPlace, u64)>,
) -> PlanReport {
    let moves = transactions.iter().flat_map(|transaction| &transaction.moves);
    let move_bytes = moves.map(|m| m.length).sum();
    let extents = transactions.iter().flat_map(|transaction| &transaction.extents);
    let sector = observation.sector_size.bytes();
    let steps = || plan.commits().flat_map(|commit| &commit.steps);
    let range = |sectors: &Sectors| RangeReport {
        start_lba: sectors.start,
        sectors: sectors.count(),
    };
    let changes = steps().filter_map(|step| match step {
        Step::SetPartition {
            partition,
            before,
            after,
        } => Some(ChangeReport {
            partition: *partition,
            before: range(before),
            after: range(after),
        }),
        _ => None,
    });
    PlanReport {
        strategy: plan.strategy.name(),
        summary: summary(plan) + &loss(plan),
        steps: steps().map(|step| step.text(sector, move_bytes)).collect(),
        changes: changes.collect(),
        move_bytes,
        // Read, written, and both read again to compare them.
        move_seconds: (4 * move_bytes).div_ceil(MOVE_BYTES_PER_SECOND),
        bytes_written: extents.map(|extent| extent.after.len() as u64).sum(),
        journal_bytes: journal.map_or(0, |(_, bytes)| bytes),
        journal_place: journal.map(|(place, _)| place_text(observation, place)),
        dropped_shadow_copies: dropped(plan),
        untouched: untouched(observation, plan, move_bytes),
        afterwards: afterwards(observation, plan),
        undo: undo_text(
            plan,
            journal.is_some_and(|(place, _)| !place.is_in_gap(observation.sector_size)),
        ),
        recovery_free_bytes_after: None,
    }
}

fn untouched(observation: &Observation, plan: &Plan, move_bytes: u64) -> Vec<String> {
    if plan.is_empty() {
        return Vec::new();
    }
    let changed: Vec<u32> = plan.commits().flat_map(Plan::changed_partitions).collect();
    let others = observation
        .partitions
        .iter()
        .filter(|p| !changed.contains(&p.number))
        .map(|p| p.number.to_string());
    let others: Vec<String> = others.collect();
    let mut untouched = vec![
        untouched_files(observation, plan, move_bytes).to_owned(),
        untouched_identity(observation, plan.recovery_partition),
    ];
    if !others.is_empty() {
        untouched.push(format!("Partitions {} as a whole", others.join(", ")));
    }
    untouched
}

fn untouched_files(observation: &Observation, plan: &Plan, move_bytes: u64) -> &'static str {
    let number = plan.recovery_partition;
    let has_image = observation.partition(number).is_some_and(|p| p.winre.is_some());
    if plan.commits().any(|commit| commit.moves_volume(number)) {
        "Winre.wim, boot.sdi and every other file of the recovery volume: never absent; the old volume stays whole until \
         the partition table names the copy"
    } else if !has_image {
        "Every file of the recovery volume: not copied, not moved, never absent"
    } else if move_bytes == 0 {
        "Winre.wim, boot.sdi and every other file: not copied, not moved, never absent"
    } else {
        "Winre.wim, boot.sdi and every other file of the recovery volume: not copied, not moved, never absent"
    }
}

fn untouched_identity(observation: &Observation, number: u32) -> String {
    match observation.table.id {
        DiskId::Gpt(_) => format!(
            "Partition {number}'s number, type, unique GUID, attributes and name; so the boot store (BCD) stays true"
        ),
        DiskId::Mbr(_) => {
            format!("Partition {number}'s number and type, the disk signature, the boot code in LBA 0")
        }
    }
}

/// A partition that is made large enough for an image that is not there yet is no use by itself.
fn afterwards(observation: &Observation, plan: &Plan) -> Vec<String> {
    let recovery = observation.partition(plan.recovery_partition);
    let is_awaited = recovery.is_some_and(|recovery| awaits_image(observation, recovery));
    let text = format!(
        "The WinRE image is not on partition {} yet. In Windows, `reagentc /enable` puts it there; `winrefit diagnose` has \
         the steps.",
        plan.recovery_partition
    );
    is_awaited.then_some(text).into_iter().collect()
}

fn dropped(plan: &Plan) -> Vec<DroppedReport> {
    let steps = plan.commits().flat_map(|commit| &commit.steps);
    let dropped = steps.filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped),
        _ => None,
    });
    dropped
        .map(|dropped| DroppedReport {
            partition: dropped.partition,
            count: dropped.count,
            oldest: dropped.oldest.map(rfc3339),
            newest: dropped.newest.map(rfc3339),
            storage_bytes: dropped.storage_bytes,
            text: format!("On partition {}: {}", dropped.partition, dropped.what()),
        })
        .collect()
}

/// What is lost, where something is: said where nobody can overlook it.
fn loss(plan: &Plan) -> String {
    let steps = plan.commits().flat_map(|commit| &commit.steps);
    let dropped = steps.filter_map(|step| match step {
        Step::DropShadowCopies(dropped) => Some(dropped),
        _ => None,
    });
    dropped
        .map(|d| {
            format!(
                " Partition {} loses its shadow copies: {}.",
                d.partition,
                d.what()
            )
        })
        .collect()
}

fn undo_text(plan: &Plan, is_in_clusters: bool) -> String {
    let text = match (plan.is_empty(), is_in_clusters) {
        (true, _) => "Nothing is done, so there is nothing to undo.",
        (_, false) => {
            "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since."
        }
        (_, true) => {
            "`winrefit undo` puts every changed sector back, as long as nothing else has changed one since or has used \
             the free clusters that hold the journal."
        }
    };
    text.to_owned()
}

fn place_text(observation: &Observation, place: JournalPlace) -> String {
    let (header, body) = (
        place.header / observation.sector_size.bytes(),
        place.body.start / observation.sector_size.bytes(),
    );
    let holder = observation
        .partitions
        .iter()
        .find(|p| p.range.overlaps(&place.body));
    match holder {
        None => format!("unallocated sectors from LBA {header} on, used by no partition"),
        Some(p) => format!(
            "free clusters of partition {} from LBA {body} on, and the unallocated sector at LBA {header}",
            p.number
        ),
    }
}

fn summary(plan: &Plan) -> String {
    let number = plan.recovery_partition;
    let growth = size(plan.growth_bytes);
    let find = |wanted: &dyn Fn(&Step) -> Option<u32>| plan.steps.iter().find_map(wanted);
    let donor = find(&|step| match step {
        Step::ShrinkEnd { partition, .. } => Some(*partition),
        _ => None,
    });
    let removed = find(&|step| match step {
        Step::RemovePartition { partition, .. } => Some(*partition),
        _ => None,
    });
    match (plan.strategy, donor) {
        (Strategy::Keep, _) => {
            format!(
                "Recovery partition {number} has {} free: it needs no more room.",
                size(plan.free_bytes)
            )
        }
        (Strategy::GrowEnd, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right behind it.")
        }
        (Strategy::ShrinkGrowFront, Some(donor)) => format!(
            "The border between partition {donor} and recovery partition {number} moves: {growth} go from the end of \
             the former to the front of the latter."
        ),
        (Strategy::Relocate, Some(donor)) => format!(
            "Partition {donor} gives the space for a new place behind it, in a first commit; recovery partition {number} \
             moves there and gets {growth} more, in a second one. {OLD_PLACE}"
        ),
        (Strategy::Relocate, None) => format!(
            "Recovery partition {number} moves into unallocated space and gets {growth} more. {OLD_PLACE}"
        ),
        (Strategy::RemoveStale, _) => format!(
            "Partition {}, an old recovery partition that nothing uses, goes; its place becomes unallocated.",
            removed.unwrap_or_default()
        ),
        (Strategy::GrowFront | Strategy::ShrinkGrowFront, _) => {
            format!("Recovery partition {number} gets {growth} of the unallocated space right before it.")
        }
    }
}

/// What a found journal says.
pub(super) fn journal(found: &Found, sector_bytes: u64, text: impl Into<String>) -> JournalReport {
    let memo = &found.header.memo;
    let end = memo.iter().position(|&byte| byte == 0).unwrap_or(memo.len());
    JournalReport {
        state: found.header.state.as_str(),
        memo: String::from_utf8_lossy(&memo[..end]).into_owned(),
        place: format!("LBA {}", found.header.header_offset / sector_bytes),
        text: text.into(),
    }
}
