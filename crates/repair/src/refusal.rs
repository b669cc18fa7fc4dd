//! Reasons to do nothing, each with a stable code and a way out.

mod boot;
mod content;
mod create;
mod donor;
mod reset;
mod rest;
mod selection;
mod space;
mod undo;
mod volume;

pub use create::NoCreate;

use crate::explain::Explained;
use crate::report::RefusalReport;
use crate::table::Manager;
use crate::text;
use crate::text::Text;
use winrefit_ntfs::NtfsError;
use winrefit_ntfs::vss::ShadowCopies;

/// Why a repair is not done. The fields are what the explanation names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Refusal {
    /// The user named a partition that is not there.
    NoSuchPartition { number: u32 },
    /// The partition is not of the recovery type.
    NotRecoveryType {
        number: u32,
        /// Whether the user named it; otherwise a Windows does.
        is_named: bool,
    },
    /// The Windows of this disk use another one.
    NotInUse { number: u32, used: u32 },
    /// WinRE works on the Windows volume, and nobody asked for a partition of its own.
    OnOwnVolume { number: u32 },
    /// No partition of the recovery type.
    NoRecoveryPartition,
    /// The same, and none can be made.
    CannotCreate { reason: NoCreate },
    /// A recovery partition, but no Windows on the disk refers to it.
    NoWindowsReference { number: u32 },
    /// Several Windows installations with recovery partitions of their own.
    SeveralRecoveryPartitions { numbers: Vec<u32> },
    /// The volume is larger than a recovery environment ever is.
    RecoveryTooLarge { number: u32, size_bytes: u64 },
    /// Not NTFS.
    UnknownFilesystem {
        number: u32,
        found: Text,
        is_recovery: bool,
    },
    /// Encrypted by something else than BitLocker, or damaged.
    ForeignBootSector { number: u32 },
    /// Encrypted.
    BitLocker { number: u32 },
    /// ReFS.
    Refs { number: u32 },
    /// A hibernated Windows.
    Hibernated { number: u32 },
    /// The dirty flag.
    Dirty { number: u32 },
    /// $LogFile is not at rest.
    UncleanLog { number: u32, fast_startup: bool },
    /// The disk cannot read what the volume cannot do without.
    UnreadableNtfs { number: u32, problem: Text },
    /// The NTFS check failed.
    DamagedNtfs { number: u32, problem: Text },
    /// An NTFS version other than 3.1.
    NtfsVersion { number: u32, major: u8, minor: u8 },
    /// A Windows may refer to the partition, and nobody can read or change what it says.
    ReAgentUnreadable { number: u32, problem: Text },
    /// Shadow copies, whose catalog holds absolute positions.
    ShadowCopies { number: u32, found: ShadowCopies },
    /// Bad clusters where the other volume would begin.
    BadClusters {
        number: u32,
        count: u64,
        first_byte: u64,
    },
    /// Nothing adjacent can give space.
    NoDonor { number: u32, reason: NoDonor },
    /// The donor would have too little left.
    DonorTooFull {
        number: u32,
        needed_bytes: u64,
        free_bytes: u64,
        keep_bytes: u64,
        /// The file that has most of what would have to move.
        path: Option<String>,
    },
    /// What lies in the donor's tail cannot get another place.
    CannotRelocate {
        number: u32,
        path: Option<String>,
        problem: Text,
    },
    /// Data that have to move cannot be read.
    UnreadableData {
        number: u32,
        path: Option<String>,
        offset: u64,
    },
    /// The target is larger than the cap.
    TargetTooLarge { wanted_bytes: u64 },
    /// A file record has no room for what the move adds.
    CannotRebase { number: u32, problem: Text },
    /// The partition table may not be written.
    Table { problem: Text },
    /// A Windows uses the partition, and the store that starts its WinRE is not on the disk.
    NoBootStore { number: u32 },
    /// A boot store that has to be told of a new start cannot be used.
    BootStore {
        number: u32,
        path: &'static str,
        problem: Text,
    },
    /// Windows has yet to complete a write to the boot store.
    BootStoreDirty { number: u32, path: &'static str },
    /// The machine starts from the recovery partition, which would need a new start.
    ActiveRecovery { number: u32 },
    /// The table has no unused entry.
    NoSlot,
    /// The image cannot be copied as it lies.
    CannotCopyImage {
        number: u32,
        path: String,
        problem: Text,
    },
    /// A hybrid MBR names a partition that would change.
    HybridMbr { number: u32 },
    /// The partition that is to go is not one that nothing uses.
    NotStale { number: u32, problem: Text },
    /// A dynamic disk or Storage Spaces.
    ManagedDisk { number: u32, manager: Manager },
    /// No room for the journal.
    NoJournalSpace { needed_bytes: u64, problem: Text },
    /// The staged result did not pass.
    StagedCheckFailed { what: Text, detail: Text },
    /// No Windows on the disk, or none on the partition that the user named.
    NoWindows { number: Option<u32> },
    /// Several Windows, and none was named.
    SeveralWindows { numbers: Vec<u32> },
    /// The Windows is on an encrypted volume.
    EncryptedWindows { number: u32 },
    /// The first of a repair's two commits is on the disk; another one would take its way back.
    HalfDone,
    /// Every name that a folder could get is taken.
    NoFreeName { number: u32, path: String },
    /// A folder cannot be given another name.
    CannotRename {
        number: u32,
        path: String,
        problem: Text,
    },
    /// A hive that has to be changed cannot be used.
    Hive {
        number: u32,
        path: &'static str,
        problem: Text,
    },
    /// Windows has yet to complete a write to a hive that has to be changed.
    HiveDirty { number: u32, path: &'static str },
    /// Someone else uses the disk.
    TargetInUse { problem: Text, next: Text },
    /// Nothing was repaired.
    NothingToUndo,
    /// Windows has used the free clusters that held what an undo needs.
    UndoOverwritten,
    /// Someone else has changed what the repair changed.
    ChangedSince { offset: u64, place: Text },
    /// The old disk would not be whole, or would lack what was written since.
    UndoWouldDamage { number: u32, problem: Text },
    /// The same of what interrupted work leads to.
    ResumeWouldDamage { number: u32, problem: Text },
    /// A volume that interrupted work concerns was used since, and not shut down.
    ResumeNotAtRest { problem: Text, is_dirty: bool },
    /// A partition has been made where the journal is.
    JournalPlaceTaken { number: u32, offset: u64 },
}

/// Why there is no donor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NoDonor {
    /// The recovery partition is the first one.
    FirstOnDisk,
    /// It is the first logical one.
    FirstLogical {
        /// The logical partition behind it.
        behind: Option<u32>,
    },
    /// What lies before it is the extended partition.
    Extended { number: u32 },
    /// The neighbour is not an NTFS volume.
    Foreign {
        number: u32,
        /// Its type, where that is a known one.
        kind: Option<&'static str>,
        found: Text,
    },
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPartition { .. } => "no-such-partition",
            Self::NotRecoveryType { .. } => "not-recovery-type",
            Self::NotInUse { .. } => "not-in-use",
            Self::OnOwnVolume { .. } => "winre-on-windows-volume",
            Self::NoRecoveryPartition | Self::CannotCreate { .. } => "no-recovery-partition",
            Self::NoWindowsReference { .. } => "no-windows-reference",
            Self::SeveralRecoveryPartitions { .. } => "several-recovery-partitions",
            Self::RecoveryTooLarge { .. } => "recovery-volume-too-large",
            Self::UnknownFilesystem { .. } => "unknown-filesystem",
            Self::ForeignBootSector { .. } => "foreign-boot-sector",
            Self::BitLocker { .. } => "bitlocker",
            Self::Refs { .. } => "refs",
            Self::Hibernated { .. } => "hibernated",
            Self::Dirty { .. } => "dirty",
            Self::UncleanLog {
                fast_startup: true, ..
            } => "fast-startup",
            Self::UncleanLog { .. } => "unclean-log",
            Self::UnreadableNtfs { .. } => "unreadable-sectors",
            Self::DamagedNtfs { .. } => "damaged-ntfs",
            Self::NtfsVersion { .. } => "ntfs-version",
            Self::ReAgentUnreadable { .. } => "reagent-unreadable",
            Self::ShadowCopies { .. } => "shadow-copies",
            Self::BadClusters { .. } => "bad-clusters",
            Self::NoDonor { .. } => "no-donor",
            Self::DonorTooFull { .. } => "donor-too-full",
            Self::CannotRelocate { .. } => "cannot-relocate",
            Self::UnreadableData { .. } => "unreadable-data",
            Self::TargetTooLarge { .. } => "target-too-large",
            Self::CannotRebase { .. } => "cannot-rebase",
            Self::Table { .. } => "partition-table",
            Self::HybridMbr { .. } => "hybrid-mbr",
            Self::NoBootStore { .. } => "no-boot-store",
            Self::BootStore { .. } => "boot-store",
            Self::BootStoreDirty { .. } => "boot-store-dirty",
            Self::ActiveRecovery { .. } => "active-recovery-partition",
            Self::NoSlot => "no-slot",
            Self::CannotCopyImage { .. } => "cannot-copy-image",
            Self::NotStale { .. } => "not-stale",
            Self::ManagedDisk { .. } => "managed-disk",
            Self::NoJournalSpace { .. } => "no-journal-space",
            Self::StagedCheckFailed { .. } => "staged-check-failed",
            Self::NoWindows { .. } => "no-windows",
            Self::SeveralWindows { .. } => "windows-not-named",
            Self::EncryptedWindows { .. } => "bitlocker",
            Self::HalfDone => "repair-half-done",
            Self::NoFreeName { .. } => "no-free-name",
            Self::CannotRename { .. } => "cannot-rename",
            Self::Hive { .. } => "hive",
            Self::HiveDirty { .. } => "hive-dirty",
            Self::TargetInUse { .. } => "target-in-use",
            Self::NothingToUndo => "nothing-to-undo",
            Self::UndoOverwritten => "undo-overwritten",
            Self::ChangedSince { .. } => "changed-since",
            Self::UndoWouldDamage { .. } => "undo-would-damage",
            Self::ResumeWouldDamage { .. } => "resume-would-damage",
            Self::ResumeNotAtRest { .. } => "resume-not-at-rest",
            Self::JournalPlaceTaken { .. } => "journal-place-taken",
        }
    }

    /// What keeps a volume from being read is damage, or a disk that fails: chkdsk is for the first and makes the second
    /// worse.
    pub(crate) fn of_unread(number: u32, error: &NtfsError) -> Self {
        let problem = Text::quoted(error);
        match error.is_of_medium() {
            true => Self::UnreadableNtfs { number, problem },
            false => Self::DamagedNtfs { number, problem },
        }
    }

    /// For the report; `less_bytes` of free space could be had, if the user asked for that.
    pub fn report_with_less(&self, less_bytes: Option<u64>) -> RefusalReport {
        let mut report = self.report();
        if let Some(bytes) = less_bytes {
            let next = std::mem::take(&mut report.explained.next);
            let option = format!("--free {}MiB", bytes >> 20);
            report.explained.next = Text::sentences([
                next,
                text!("Or ask for less: with `{option}` it can be done.", option),
            ]);
        }
        report
    }

    /// For the report.
    pub fn report(&self) -> RefusalReport {
        RefusalReport {
            code: self.code(),
            explained: self.explain(),
        }
    }

    fn explain(&self) -> Explained {
        match self {
            Self::NoSuchPartition { .. }
            | Self::NotRecoveryType { .. }
            | Self::NotInUse { .. }
            | Self::OnOwnVolume { .. }
            | Self::NoRecoveryPartition
            | Self::CannotCreate { .. }
            | Self::NoWindowsReference { .. }
            | Self::SeveralRecoveryPartitions { .. }
            | Self::RecoveryTooLarge { .. } => self.explain_selection(),
            Self::UnknownFilesystem { .. }
            | Self::ForeignBootSector { .. }
            | Self::BitLocker { .. }
            | Self::Refs { .. }
            | Self::Hibernated { .. }
            | Self::Dirty { .. }
            | Self::UncleanLog { .. }
            | Self::UnreadableNtfs { .. }
            | Self::DamagedNtfs { .. }
            | Self::NtfsVersion { .. }
            | Self::ReAgentUnreadable { .. }
            | Self::ShadowCopies { .. }
            | Self::BadClusters { .. } => self.explain_volume(),
            Self::NothingToUndo
            | Self::UndoOverwritten
            | Self::ChangedSince { .. }
            | Self::UndoWouldDamage { .. }
            | Self::ResumeWouldDamage { .. }
            | Self::ResumeNotAtRest { .. }
            | Self::JournalPlaceTaken { .. } => self.explain_undo(),
            Self::NoBootStore { .. }
            | Self::BootStore { .. }
            | Self::BootStoreDirty { .. }
            | Self::ActiveRecovery { .. } => self.explain_boot(),
            Self::NoWindows { .. }
            | Self::SeveralWindows { .. }
            | Self::EncryptedWindows { .. }
            | Self::HalfDone
            | Self::NoFreeName { .. }
            | Self::CannotRename { .. }
            | Self::Hive { .. }
            | Self::HiveDirty { .. } => self.explain_reset(),
            Self::TargetInUse { problem, next } => {
                Explained::new(text!("The disk is in use"), problem.clone(), next.clone())
            }
            _ => self.explain_space(),
        }
    }
}

/// The groups above cover every variant; a test explains each one.
fn unreachable_explanation() -> Explained {
    debug_assert!(false, "a refusal without an explanation");
    Explained::new(Text::raw("Refused"), Text::empty(), Text::empty())
}
