//! A disk as a row of segments, partitions and gaps, in the state before or after a plan.

use super::page::Tone;
use std::ops::Range;
use winrefit_repair::report::{DiskReport, PartitionReport, PlanReport, RangeReport};
use winrefit_repair::text;
use winrefit_repair::text::Text;

/// Gaps below this are alignment and tables.
const SMALLEST_GAP_BYTES: u64 = 1 << 20;

/// What lies before a logical partition for its table: a MiB as a rule, two where its start was rounded up.
const LOGICAL_TABLE_BYTES: u64 = 2 << 20;

/// The role of a recovery partition that is not there any more.
const REMOVED: &str = "removed";

/// Which state of the disk is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As the report found it.
    Reported,
    /// Before the plan's changes.
    Before,
    /// After the plan's changes.
    After,
}

/// A partition or a gap.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    /// The partition; a gap has none.
    pub partition: Option<&'a PartitionReport>,
    /// Where it lies, in bytes.
    pub range: Range<u64>,
    /// Used bytes of its volume, where they are known. Moving a border leaves them as they are.
    pub used_bytes: Option<u64>,
}

impl Segment<'_> {
    /// Length in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.range.end.saturating_sub(self.range.start)
    }

    /// Short name.
    pub fn name(&self) -> Text {
        self.partition.map_or_else(|| text!("unallocated"), name)
    }

    /// Colour by role.
    pub fn tone(&self) -> Tone {
        self.partition.map_or(Tone::Quiet, |partition| {
            if is(partition, "recovery") {
                Tone::Recovery
            } else if is(partition, "windows") || is(partition, "donor") {
                Tone::Windows
            } else if is(partition, "efi-system") || is(partition, "reserved") {
                Tone::System
            } else {
                Tone::Plain
            }
        })
    }
}

/// What people call a partition: by its role, else its label, its name, its type.
pub fn name(partition: &PartitionReport) -> Text {
    if is(partition, "windows") {
        return Text::raw("Windows");
    }
    if is(partition, "recovery") || is(partition, REMOVED) {
        return text!("Recovery");
    }
    for (role, name) in [("efi-system", "EFI"), ("reserved", "MSR")] {
        if is(partition, role) {
            return Text::raw(name);
        }
    }
    // Nothing else tells more of a volume that cannot be read.
    if partition.filesystem == "bitlocker" {
        return Text::raw("BitLocker");
    }
    let label = partition.label.as_deref().unwrap_or_default();
    let names = [
        label,
        &partition.name,
        partition.type_name.unwrap_or_default(),
        partition.filesystem,
    ];
    let name = names.into_iter().map(str::trim).find(|name| !name.is_empty());
    Text::raw(name.unwrap_or("?"))
}

fn is(partition: &PartitionReport, role: &str) -> bool {
    partition.roles.contains(&role)
}

/// The row of segments from the first partition's alignment to the end of the usable space.
pub fn segments<'a>(disk: &'a DiskReport, plan: Option<&PlanReport>, state: State) -> Vec<Segment<'a>> {
    let mut partitions: Vec<Segment<'a>> = disk
        .partitions
        .iter()
        .map(|partition| {
            let reported = RangeReport {
                start_lba: partition.start_lba,
                sectors: partition.sectors,
            };
            // One that is not there in this state has no sectors.
            let range = plan
                .and_then(|plan| {
                    plan.changes
                        .iter()
                        .find(|change| change.partition == partition.number)
                })
                .map_or(reported, |change| match state {
                    State::Reported => reported,
                    State::Before => change.before,
                    State::After => change.after,
                });
            Segment {
                partition: Some(partition),
                range: bytes(range, disk.sector_size_bytes),
                used_bytes: partition
                    .free_bytes
                    .map(|free| partition.size_bytes.saturating_sub(free)),
            }
        })
        .collect();
    partitions.retain(|segment| plan.is_none() || segment.size_bytes() > 0);
    partitions.sort_by_key(|segment| segment.range.start);
    with_gaps(partitions, disk)
}

/// The disk with the partitions that `plan` makes or removes, whichever of them it has now, so that both states can be
/// drawn and named.
pub fn with_all(disk: &DiskReport, plan: &PlanReport) -> DiskReport {
    let mut all = disk.clone();
    for change in &plan.changes {
        if all.partitions.iter().any(|p| p.number == change.partition) {
            continue;
        }
        let is_new = change.before.sectors == 0;
        let range = if is_new { change.after } else { change.before };
        let free_bytes = plan.recovery_free_bytes_after.filter(|_| is_new);
        all.partitions.push(PartitionReport {
            number: change.partition,
            start_lba: range.start_lba,
            sectors: range.sectors,
            size_bytes: range.sectors.saturating_mul(disk.sector_size_bytes),
            type_guid: String::new(),
            type_name: None,
            unique_guid: None,
            attributes: None,
            name: String::new(),
            filesystem: "ntfs",
            label: None,
            free_bytes,
            // Only recovery partitions come and go.
            roles: vec![if is_new { "recovery" } else { REMOVED }],
            images: Vec::new(),
        });
    }
    all
}

/// What an MBR says of a partition beside its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The machine starts from it.
    Active,
    /// It is in the chain of an extended partition.
    Logical,
}

impl Mark {
    /// The word for it.
    pub fn text(self) -> Text {
        match self {
            Self::Active => text!("active"),
            Self::Logical => text!("logical"),
        }
    }
}

/// The mark of a partition.
pub fn mbr_mark(disk: &DiskReport, partition: &PartitionReport) -> Option<Mark> {
    if is(partition, "active") {
        Some(Mark::Active)
    } else if is_logical(disk, partition) {
        Some(Mark::Logical)
    } else {
        None
    }
}

/// An MBR has four entries of its own; the others are in the chain of an extended one.
fn is_logical(disk: &DiskReport, partition: &PartitionReport) -> bool {
    disk.style == "mbr" && partition.number > 4
}

/// A range of sectors in bytes.
pub fn bytes(range: RangeReport, sector_size_bytes: u64) -> Range<u64> {
    let end_lba = range.start_lba.saturating_add(range.sectors);
    range.start_lba.saturating_mul(sector_size_bytes)..end_lba.saturating_mul(sector_size_bytes)
}

/// The first and the last MiB belong to the tables, so they are no gaps; nor is the place of a logical partition's
/// table before it.
fn with_gaps<'a>(partitions: Vec<Segment<'a>>, disk: &DiskReport) -> Vec<Segment<'a>> {
    let mut row = Vec::with_capacity(partitions.len() * 2 + 1);
    let mut reached = SMALLEST_GAP_BYTES;
    let end = disk.size_bytes.saturating_sub(SMALLEST_GAP_BYTES);
    for segment in partitions {
        let gap = reached..segment.range.start;
        let holds_table = segment.partition.is_some_and(|p| is_logical(disk, p))
            && gap.end.saturating_sub(gap.start) <= LOGICAL_TABLE_BYTES;
        if !holds_table {
            push_gap(&mut row, gap);
        }
        reached = reached.max(segment.range.end);
        row.push(segment);
    }
    push_gap(&mut row, reached..end);
    row
}

fn push_gap(row: &mut Vec<Segment<'_>>, range: Range<u64>) {
    if range.end.saturating_sub(range.start) >= SMALLEST_GAP_BYTES {
        row.push(Segment {
            partition: None,
            range,
            used_bytes: None,
        });
    }
}
