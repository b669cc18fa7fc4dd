//! Reasons to do nothing, each with a stable code and a way out.

mod boot;
mod content;
mod create;
mod rest;
mod space;
mod undo;

pub use create::NoCreate;

use crate::explain::{Explained, size};
use crate::report::RefusalReport;
use winrefit_ntfs::vss::ShadowCopies;

/// Why a repair is not done. The fields are what the explanation names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Refusal {
    /// The user named a partition that is not there.
    NoSuchPartition { number: u32 },
    /// The partition is not of the recovery type.
    NotRecoveryType { number: u32 },
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
    UnknownFilesystem { number: u32, found: &'static str },
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
    /// The NTFS check failed.
    DamagedNtfs { number: u32, problem: String },
    /// An NTFS version other than 3.1.
    NtfsVersion { number: u32, major: u8, minor: u8 },
    /// A Windows may refer to the partition, and nobody can read or change what it says.
    ReAgentUnreadable { number: u32, problem: String },
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
        problem: String,
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
    CannotRebase { number: u32, problem: String },
    /// The partition table may not be written.
    Table { problem: String },
    /// A Windows uses the partition, and the store that starts its WinRE is not on the disk.
    NoBootStore { number: u32 },
    /// A boot store that has to be told of a new start cannot be used.
    BootStore {
        number: u32,
        path: &'static str,
        problem: String,
    },
    /// Windows has yet to complete a write to the boot store.
    BootStoreDirty { number: u32, path: &'static str },
    /// The table has no unused entry.
    NoSlot,
    /// The image cannot be copied as it lies.
    CannotCopyImage {
        number: u32,
        path: String,
        problem: &'static str,
    },
    /// A hybrid MBR names a partition that would change.
    HybridMbr { number: u32 },
    /// The partition that is to go is not one that nothing uses.
    NotStale { number: u32, problem: &'static str },
    /// A dynamic disk or Storage Spaces.
    ManagedDisk { number: u32, what: &'static str },
    /// No room for the journal.
    NoJournalSpace { needed_bytes: u64, problem: String },
    /// The staged result did not pass.
    StagedCheckFailed { what: String, detail: String },
    /// Someone else uses the disk.
    TargetInUse { problem: String, next: String },
    /// Nothing was repaired.
    NothingToUndo,
    /// Windows has used the free clusters that held what an undo needs.
    UndoOverwritten,
    /// Someone else has changed what the repair changed.
    ChangedSince { offset: u64, place: String },
}

/// Why there is no donor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NoDonor {
    /// The recovery partition is the first one.
    FirstOnDisk,
    /// It is the first logical one.
    FirstLogical,
    /// What lies before it is the extended partition.
    Extended { number: u32 },
    /// The neighbour is not an NTFS volume.
    Foreign { number: u32, what: String },
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
            Self::NoSlot => "no-slot",
            Self::CannotCopyImage { .. } => "cannot-copy-image",
            Self::NotStale { .. } => "not-stale",
            Self::ManagedDisk { .. } => "managed-disk",
            Self::NoJournalSpace { .. } => "no-journal-space",
            Self::StagedCheckFailed { .. } => "staged-check-failed",
            Self::TargetInUse { .. } => "target-in-use",
            Self::NothingToUndo => "nothing-to-undo",
            Self::UndoOverwritten => "undo-overwritten",
            Self::ChangedSince { .. } => "changed-since",
        }
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
            | Self::DamagedNtfs { .. }
            | Self::NtfsVersion { .. }
            | Self::ReAgentUnreadable { .. }
            | Self::ShadowCopies { .. }
            | Self::BadClusters { .. } => self.explain_volume(),
            Self::NothingToUndo | Self::UndoOverwritten | Self::ChangedSince { .. } => self.explain_undo(),
            Self::NoBootStore { .. } | Self::BootStore { .. } | Self::BootStoreDirty { .. } => {
                self.explain_boot()
            }
            Self::TargetInUse { problem, next } => {
                Explained::new("The disk is in use", format!("{problem}."), next.clone())
            }
            _ => self.explain_space(),
        }
    }

    fn explain_selection(&self) -> Explained {
        match self {
            Self::NoSuchPartition { number } => Explained::new(
                format!("There is no partition {number}"),
                "The partition table has no entry of that number.",
                "Run `winrefit diagnose` to see the partitions.",
            ),
            Self::NotRecoveryType { number } => Explained::new(
                format!("Partition {number} is not a recovery partition"),
                "Its type is not the recovery type (on GPT de94bba4-06d1-4d40-a16a-bfd50179d6ac, on MBR 0x27), and only a \
                 partition of that type is ever enlarged.",
                "If there is a recovery partition, name it with --recovery-partition. WinRE in a partition of another kind \
                 gets its room with Windows' own tools.",
            ),
            Self::NotInUse { number, used } => Explained::new(
                format!("Recovery partition {number} is not the one in use"),
                format!(
                    "Every Windows on this disk has its WinRE on another one, the first of them on partition {used}. More \
                     space in partition {number} would help no update."
                ),
                format!("Run the command without --recovery-partition, or with {used}."),
            ),
            Self::OnOwnVolume { number } => Explained::new(
                "WinRE works, on the Windows volume itself",
                format!(
                    "Partition {number} holds Windows and its WinRE, and the disk has no recovery partition. Nothing has to \
                     be done while 250 MiB are free there and BitLocker is off."
                ),
                "To have a recovery partition made, add --create.",
            ),
            Self::NoRecoveryPartition => Explained::new(
                "There is no recovery partition",
                "No partition of this disk has the recovery type. WinRE may be switched off or live on the Windows \
                 volume itself.",
                "Look at `reagentc /info` in Windows. `winrefit plan` shows whether a recovery partition can be made.",
            ),
            Self::CannotCreate { reason } => create::explain(reason),
            Self::NoWindowsReference { number } => Explained::new(
                format!("No Windows on this disk refers to recovery partition {number}"),
                "It may belong to a Windows on another disk, or be a leftover of an upgrade or a factory image.",
                format!("If you know that it is the right one, add --recovery-partition {number}."),
            ),
            Self::SeveralRecoveryPartitions { numbers } => Explained::new(
                "Several Windows installations use different recovery partitions",
                format!(
                    "Their ReAgent.xml files name the partitions {}.",
                    listed(numbers, "and")
                ),
                format!(
                    "Say which one to enlarge: add --recovery-partition with {}. Each is enlarged by a run of its own.",
                    listed(numbers, "or")
                ),
            ),
            Self::RecoveryTooLarge { number, size_bytes } => Explained::new(
                format!("Partition {number} is too large to be a WinRE partition"),
                format!(
                    "It has {}. Volumes of this type over 2 GiB are makers' factory images.",
                    size(*size_bytes)
                ),
                "Leave it alone. If WinRE really lies there, it does not lack space.",
            ),
            _ => unreachable_explanation(),
        }
    }

    fn explain_volume(&self) -> Explained {
        match self {
            Self::UnknownFilesystem { number, found } => Explained::new(
                format!("Partition {number} does not hold an NTFS volume"),
                format!("Its first sector is that of: {found}."),
                "winrefit changes NTFS volumes only. If this one is encrypted, decrypt it first: a Windows in it has to be \
                 told where its recovery partition begins.",
            ),
            Self::ForeignBootSector { number } => content::foreign_boot_sector(*number),
            Self::BitLocker { number } => Explained::new(
                format!("Partition {number} is encrypted by BitLocker"),
                "Nothing in it can be changed from outside: it cannot give space, and its ReAgent.xml cannot be told \
                 that the recovery partition begins elsewhere.",
                "Decrypt the volume in Windows (manage-bde -off), let it finish, shut down, and run the command again.",
            ),
            Self::Refs { number } => Explained::new(
                format!("Partition {number} is a ReFS volume"),
                "ReFS volumes cannot be shrunk by anyone.",
                "Free space right before the recovery partition in another way.",
            ),
            Self::Hibernated { number } => Explained::new(
                format!("Windows on partition {number} is hibernated"),
                "hiberfil.sys holds a running Windows; a changed volume would be damaged when it resumes.",
                "Start that Windows and shut it down fully: shutdown /s /t 0",
            ),
            Self::Dirty { number } => Explained::new(
                format!("The volume on partition {number} is marked dirty"),
                "Windows wants chkdsk to look at it before anything else does.",
                "Run `chkdsk /f` on it in Windows, shut down, and run the command again.",
            ),
            Self::UncleanLog { number, fast_startup } => content::unclean_log(*number, *fast_startup),
            Self::DamagedNtfs { number, problem } => Explained::new(
                format!("The NTFS volume on partition {number} is damaged"),
                problem.clone(),
                format!(
                    "Run `winrefit check --partition {number}` for all problems, then `chkdsk /f` in Windows."
                ),
            ),
            Self::NtfsVersion { number, major, minor } => content::ntfs_version(*number, *major, *minor),
            Self::ReAgentUnreadable { number, problem } => content::reagent_unreadable(*number, problem),
            Self::ShadowCopies { number, found } => content::shadow_copies(*number, found),
            Self::BadClusters {
                number,
                count,
                first_byte,
            } => content::bad_clusters(*number, *count, *first_byte),
            _ => unreachable_explanation(),
        }
    }

    fn explain_space(&self) -> Explained {
        match self {
            Self::NoDonor { number, reason } => space::no_donor(*number, reason),
            Self::DonorTooFull {
                number,
                needed_bytes,
                free_bytes,
                keep_bytes,
                path,
            } => Explained::new(
                format!("Partition {number} has too little free space"),
                format!(
                    "{} are needed from it, {} are free, and {} have to stay free.{}",
                    size(*needed_bytes),
                    size(*free_bytes),
                    size(*keep_bytes),
                    path.as_ref().map_or(String::new(), |path| format!(
                        " Most of what lies in the part that would be given away belongs to {path}."
                    ))
                ),
                "Free space on it, or ask for less with --size and --free.",
            ),
            Self::UnreadableData { number, path, offset } => Explained::new(
                format!("Data of partition {number} that have to move cannot be read"),
                format!(
                    "The disk fails to read byte {offset}, which belongs to {}. Nothing that is in use was changed by \
                     the attempt.",
                    path.as_deref().unwrap_or("a file that cannot be named")
                ),
                "Save the data of this disk now and replace it; the repair can be made on the copy.",
            ),
            Self::CannotRelocate {
                number,
                path,
                problem,
            } => Explained::new(
                format!("Not all that lies at the end of partition {number} can be moved"),
                match path {
                    Some(path) => format!("{path}: {problem}."),
                    None => format!("{problem}."),
                },
                "Defragment the volume or shrink it in Windows (Disk Management), then run the command again, which \
                 will use the space; or ask for less with --size and --free.",
            ),
            _ => self.explain_rest(),
        }
    }
}

/// Numbers as one says them: `4, 5 and 6`.
fn listed(numbers: &[u32], word: &str) -> String {
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    match numbers.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => numbers.concat(),
    }
}

/// The groups above cover every variant; a test explains each one.
fn unreachable_explanation() -> Explained {
    debug_assert!(false, "a refusal without an explanation");
    Explained::new("Refused", "", "")
}
