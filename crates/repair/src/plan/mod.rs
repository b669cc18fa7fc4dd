//! The plan: a value that says all that will be done. Making one is a pure function of an observation.

pub(crate) mod at_rest;
mod boot;
mod create;
mod donor;
mod less;
mod neighbourhood;
mod planner;
mod relocate;
mod shadow_copies;
mod stale;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use create::can_create;
pub use less::less;
pub use planner::plan;
pub use shadow_copies::Dropped;
pub(crate) use shadow_copies::{can_be_dropped, has_shadow_copies, shadow_copies_text};

use crate::text::Text;
use serde::Serialize;

/// What the user asks for beyond the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request {
    /// Size that the recovery partition is to have at least.
    pub size_bytes: Option<u64>,
    /// Free bytes that its volume is to have at least.
    pub free_bytes: Option<u64>,
    /// The recovery partition, where the user names it.
    pub recovery_partition: Option<u32>,
    /// Whether shadow copies that a repair would make unusable may be given up.
    pub drop_shadow_copies: bool,
    /// Whether the old place of a recovery partition that moves goes to the volume right before it.
    pub reclaim: bool,
    /// A recovery partition that nothing uses any more, and that is to go.
    pub remove_stale: Option<u32>,
    /// Whether a recovery partition is made although WinRE works on the Windows volume.
    pub create: bool,
}

/// How room is made, least invasive first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// There is enough room already.
    Keep,
    /// Unallocated space right behind the partition.
    GrowEnd,
    /// Unallocated space right before it.
    GrowFront,
    /// The volume before it gives space.
    #[serde(rename = "shrink+grow-front")]
    ShrinkGrowFront,
    /// The partition gets another place on the disk.
    Relocate,
    /// A recovery partition that nothing uses goes, and nothing else changes.
    RemoveStale,
    /// There is none yet.
    Create,
    /// Nothing about room: the components of Windows Update are put back.
    ResetUpdate,
}

impl Strategy {
    /// The name used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::GrowEnd => "grow-end",
            Self::GrowFront => "grow-front",
            Self::ShrinkGrowFront => "shrink+grow-front",
            Self::Relocate => "relocate",
            Self::RemoveStale => "remove-stale",
            Self::Create => "create",
            Self::ResetUpdate => "reset-update",
        }
    }
}

/// Sectors of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sectors {
    /// First sector.
    pub start: u64,
    /// First sector behind.
    pub end: u64,
}

impl Sectors {
    /// How many.
    pub fn count(self) -> u64 {
        self.end - self.start
    }
}

/// One step. All of them take effect together, in one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// The volume of a partition has no shadow copies any more.
    DropShadowCopies(Dropped),
    /// The volume of `partition` ends earlier.
    ShrinkEnd {
        /// The donor.
        partition: u32,
        /// Its new length in sectors.
        sectors: u64,
    },
    /// The volume of `partition` begins earlier; no file is copied.
    GrowFront {
        /// The recovery partition.
        partition: u32,
        /// By how many bytes.
        by_bytes: u64,
    },
    /// The volume of `partition` ends later.
    GrowEnd {
        /// The recovery partition.
        partition: u32,
        /// Its new length in sectors.
        sectors: u64,
    },
    /// The volume of `partition` is copied to another place and ends later there.
    MoveVolume {
        /// The recovery partition.
        partition: u32,
        /// Where it was.
        before: Sectors,
        /// Where it will be.
        after: Sectors,
    },
    /// A recovery partition with an image copied from a Windows.
    CreatePartition {
        /// Its number.
        partition: u32,
        /// Where it will be.
        at: Sectors,
        /// The partition of that Windows.
        windows: u32,
        /// Path of the image there.
        image: String,
        /// Length of the image.
        image_bytes: u64,
    },
    /// The partition table gets back a copy that was damaged or in the wrong place.
    MendTable {
        /// What was wrong, and what becomes of it.
        what: Text,
    },
    /// The entry of `partition` in the table goes.
    RemovePartition {
        /// The partition.
        partition: u32,
        /// Where it was.
        before: Sectors,
    },
    /// The entry of `partition` in the table.
    SetPartition {
        /// The partition.
        partition: u32,
        /// Where it was.
        before: Sectors,
        /// Where it will be.
        after: Sectors,
    },
    /// The byte offset of the recovery partition in a boot store of an MBR disk.
    PatchBootStore {
        /// The partition that holds the store.
        partition: u32,
        /// Path of the store there.
        path: &'static str,
        /// Where the recovery partition began.
        from_offset: u64,
        /// Where it will begin.
        to_offset: u64,
        /// How many elements name it.
        elements: usize,
    },
    /// A folder gets another name; Windows makes a new one when it starts.
    RenameFolder {
        /// The partition of that Windows.
        partition: u32,
        /// Path of the directory that holds the folder.
        folder: &'static str,
        /// Its name.
        from: &'static str,
        /// Its new name.
        to: String,
        /// When, as a FILETIME.
        filetime: u64,
    },
    /// How Windows starts a service, in the control set that it starts with.
    SetServiceStart {
        /// The partition of that Windows.
        partition: u32,
        /// Name of the service's key.
        service: &'static str,
        /// `Start` now.
        from: u32,
        /// `Start` as it will be.
        to: u32,
    },
    /// The byte offset of the recovery partition in a Windows' ReAgent.xml.
    PatchReAgent {
        /// The partition of that Windows.
        partition: u32,
        /// Where the recovery partition began.
        from_offset: u64,
        /// Where it will begin.
        to_offset: u64,
    },
}

/// A complete plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// How.
    pub strategy: Strategy,
    /// The partition that gets room; none where the plan is about something else.
    pub recovery_partition: Option<u32>,
    /// Free bytes of its volume now.
    pub free_bytes: u64,
    /// Free bytes that it is to have at least afterwards.
    pub target_free_bytes: u64,
    /// Bytes that it gets.
    pub growth_bytes: u64,
    /// What is done.
    pub steps: Vec<Step>,
    /// What a second commit does, on the disk that this one leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Box<Plan>>,
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The commits that it takes, in their order.
    pub fn commits(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.then.as_deref())
    }

    /// Partitions whose volumes have to be sound: those that change, and those that files are copied from or that may
    /// hold the journal.
    pub fn needed_partitions(&self) -> Vec<u32> {
        let sources = self.steps.iter().filter_map(|step| match step {
            Step::CreatePartition { windows, .. } => Some(*windows),
            _ => None,
        });
        self.changed_partitions().into_iter().chain(sources).collect()
    }

    /// Where a partition lies afterwards, if the plan moves a border of it or makes it.
    pub fn place_of(&self, number: u32) -> Option<Sectors> {
        self.steps.iter().find_map(|step| match step {
            Step::SetPartition { partition, after, .. } if *partition == number => Some(*after),
            Step::CreatePartition { partition, at, .. } if *partition == number => Some(*at),
            _ => None,
        })
    }

    /// Whether the volume of a partition gets another place.
    pub fn moves_volume(&self, number: u32) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::MoveVolume { partition, .. } if *partition == number))
    }

    /// Whether it uses space that a commit before it may have made for just that.
    pub fn uses_new_place(&self) -> bool {
        self.recovery_partition
            .is_some_and(|number| self.moves_volume(number) || self.creates(number))
    }

    /// Whether the partition table is written.
    pub fn changes_table(&self) -> bool {
        self.strategy != Strategy::ResetUpdate
    }

    /// Whether a partition goes.
    pub fn removes(&self, number: u32) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::RemovePartition { partition, .. } if *partition == number))
    }

    /// Whether a partition is new.
    pub fn creates(&self, number: u32) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(step, Step::CreatePartition { partition, .. } if *partition == number))
    }

    /// Partitions whose volumes are changed.
    pub fn changed_partitions(&self) -> Vec<u32> {
        let mut numbers: Vec<u32> = self.steps.iter().filter_map(Step::partition).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

impl Step {
    /// The partition whose volume or entry the step changes, if it is one's.
    pub fn partition(&self) -> Option<u32> {
        match *self {
            Self::ShrinkEnd { partition, .. }
            | Self::GrowFront { partition, .. }
            | Self::GrowEnd { partition, .. }
            | Self::MoveVolume { partition, .. }
            | Self::RemovePartition { partition, .. }
            | Self::CreatePartition { partition, .. }
            | Self::SetPartition { partition, .. }
            | Self::PatchBootStore { partition, .. }
            | Self::RenameFolder { partition, .. }
            | Self::SetServiceStart { partition, .. }
            | Self::PatchReAgent { partition, .. } => Some(partition),
            Self::DropShadowCopies(dropped) => Some(dropped.partition),
            Self::MendTable { .. } => None,
        }
    }

    /// The step in a sentence.
    pub fn text(&self, sector_bytes: u64, move_bytes: u64) -> Text {
        words::of_step(self, sector_bytes, move_bytes)
    }
}
