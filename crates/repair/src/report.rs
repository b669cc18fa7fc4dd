//! The one report. Every command fills it, every rendering reads it and nothing else. Serialised it is the JSON that
//! scripts depend on: `schema` names its version, and fields are only added within one version.

use crate::explain::Explained;
use crate::text;
use crate::text::Text;
use serde::Serialize;

/// Name and version of the report's form.
pub const SCHEMA: &str = "winrefit.report/1";

/// What a command found or did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of winrefit.
    pub winrefit_version: &'static str,
    /// The command: `diagnose`, `plan`, `fix`, ...
    pub command: &'static str,
    /// The disk as the user named it.
    pub target: String,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The disk and its partitions; absent if there is no readable partition table.
    pub disk: Option<DiskReport>,
    /// Windows installations found.
    pub windows: Vec<WindowsReport>,
    /// The recovery partition that is, or would be, worked on.
    pub recovery: Option<RecoveryReport>,
    /// What was found, most severe first.
    pub findings: Vec<FindingReport>,
    /// What Windows has written down about its updates, oldest first.
    pub timeline: Vec<TimelineReport>,
    /// The records of Windows that were looked for.
    pub sources: Vec<SourceReport>,
    /// Why nothing is done, where that is so.
    pub refusal: Option<RefusalReport>,
    /// What would be done, is to be done, or was done.
    pub plan: Option<PlanReport>,
    /// What verification looked at.
    pub verification: Vec<VerificationItem>,
    /// Consistency of NTFS volumes that were checked.
    pub checks: Vec<VolumeCheck>,
    /// Unfinished or undoable earlier work found on the disk.
    pub journal: Option<JournalReport>,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing needs to be done.
    Healthy,
    /// Something has to be repaired; a plan says what winrefit can do.
    NeedsRepair,
    /// Something wants a person's action in Windows, which winrefit cannot do: WinRE is disabled, for example.
    Attention,
    /// A repair would be needed, or was asked for, and is refused.
    Refused,
    /// Earlier work was interrupted; run resume.
    Unfinished,
    /// The repair is done and verified.
    Repaired,
    /// The last repair was put back.
    Undone,
    /// A structure on the disk is damaged.
    Damaged,
}

/// A disk.
#[derive(Debug, Clone, Serialize)]
pub struct DiskReport {
    /// Length in bytes.
    pub size_bytes: u64,
    /// Bytes in a logical sector.
    pub sector_size_bytes: u64,
    /// Partition table style: `gpt` or `mbr`.
    pub style: &'static str,
    /// GPT: identity of the disk.
    pub disk_guid: Option<String>,
    /// MBR: identity of the disk, 8 hexadecimal digits with `0x`.
    pub disk_signature: Option<String>,
    /// Partitions in order of their place.
    pub partitions: Vec<PartitionReport>,
    /// Unallocated ranges of at least 1 MiB inside the usable range, as (start_lba, sectors).
    pub unallocated: Vec<RangeReport>,
}

/// A range of sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RangeReport {
    /// First sector.
    pub start_lba: u64,
    /// Number of sectors.
    pub sectors: u64,
}

/// A partition.
#[derive(Debug, Clone, Serialize)]
pub struct PartitionReport {
    /// Number in the table, as Windows counts.
    pub number: u32,
    /// First sector.
    pub start_lba: u64,
    /// Number of sectors.
    pub sectors: u64,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Partition type: a GUID, or on an MBR disk two hexadecimal digits with `0x`.
    #[serde(rename = "type")]
    pub type_guid: String,
    /// Name of the type, where it is a known one.
    pub type_name: Option<&'static str>,
    /// GPT: unique partition GUID.
    pub unique_guid: Option<String>,
    /// GPT: attributes as 16 hexadecimal digits with `0x`.
    pub attributes: Option<String>,
    /// Name in the table.
    pub name: String,
    /// File system: `ntfs`, `fat32`, `bitlocker`, `refs`, `unknown`, ...
    pub filesystem: &'static str,
    /// Label of the volume.
    pub label: Option<String>,
    /// Free bytes of the volume, where they were measured.
    pub free_bytes: Option<u64>,
    /// What the partition is in this report: `windows`, `recovery`, `efi-system`, `reserved`, `active`, `donor`.
    pub roles: Vec<&'static str>,
    /// WinRE images in its volume, in use or not.
    pub images: Vec<ImageReport>,
}

/// A Windows installation.
#[derive(Debug, Clone, Serialize)]
pub struct WindowsReport {
    /// The partition that holds it.
    pub partition: u32,
    /// Product name, e.g. `Windows Server 2022 Standard`.
    pub product: Option<String>,
    /// Version people know, e.g. `21H2`.
    pub display_version: Option<String>,
    /// Build and revision, e.g. `20348.2113`.
    pub build: Option<String>,
    /// Whether its WinRE is enabled according to ReAgent.xml.
    pub recovery_enabled: Option<bool>,
    /// The partition that its ReAgent.xml names.
    pub recovery_partition: Option<u32>,
    /// What its registry says beyond that, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<RegistryReport>,
}

/// What the registry of a Windows says.
#[derive(Debug, Clone, Serialize)]
pub struct RegistryReport {
    /// Name of the computer.
    pub computer_name: Option<String>,
    /// Edition, e.g. `ServerStandard`.
    pub edition: Option<String>,
    /// `Client`, `Server`, `Server Core`.
    pub installation_type: Option<String>,
    /// `WinREVersion`, which is a claim.
    pub winre_version: Option<String>,
    /// Whether updates wait for a restart.
    pub restart_pending: bool,
    /// `ImageState` of Windows Setup.
    pub setup_state: Option<String>,
    /// Updates of WinRE among the installed packages.
    pub winre_packages: Vec<String>,
    /// The services that updates need.
    pub services: Vec<ServiceReport>,
    /// Antivirus programs and optimisers.
    pub programs: Vec<String>,
    /// Whether the firewall is on for domain, private and public networks; absent where it is not said.
    pub firewall: Vec<Option<bool>>,
}

/// The recovery partition.
#[derive(Debug, Clone, Serialize)]
pub struct RecoveryReport {
    /// Its number.
    pub partition: u32,
    /// Length in bytes.
    pub size_bytes: u64,
    /// Free bytes of its volume.
    pub free_bytes: Option<u64>,
    /// Whether WinRE is enabled; absent where no Windows refers to the partition.
    pub enabled: Option<bool>,
    /// The WinRE image.
    pub image: Option<ImageReport>,
    /// The space rules with their arithmetic.
    pub rules: Vec<RuleReport>,
    /// Where its space goes, where that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageReport>,
}

/// A WinRE image.
#[derive(Debug, Clone, Serialize)]
pub struct ImageReport {
    /// Path on its volume.
    pub path: String,
    /// Version with service pack build, e.g. `10.0.20348.2201`.
    pub version: Option<String>,
    /// Length in bytes.
    pub size_bytes: u64,
    /// `x64`, `arm64`, ...
    pub architecture: Option<String>,
    /// When its content was changed last (RFC 3339).
    pub modified: Option<String>,
}

/// A space rule applied.
#[derive(Debug, Clone, Serialize)]
pub struct RuleReport {
    /// `servicing` or `placement`.
    pub code: &'static str,
    /// What the rule asks for, in words.
    pub rule: Text,
    /// Bytes that have to be available.
    pub required_bytes: u64,
    /// Bytes that are.
    pub available_bytes: u64,
    /// The sum in words.
    pub arithmetic: Text,
    /// Whether the rule is met.
    pub met: bool,
}

impl RuleReport {
    /// The code for people.
    pub fn name(&self) -> Text {
        match self.code {
            "servicing" => text!("servicing"),
            "placement" => text!("placement"),
            other => Text::raw(other),
        }
    }

    /// The sum, and of which rule it is.
    pub fn named_arithmetic(&self) -> Text {
        text!("{rule}: {sum}", rule = self.name(), sum = &self.arithmetic)
    }
}

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Has to be cured.
    Problem,
    /// Worth knowing before acting.
    Warning,
    /// For the record.
    Note,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct TimelineReport {
    /// When (RFC 3339, UTC).
    pub time: String,
    /// The partition of the Windows concerned.
    pub partition: u32,
    /// Where it stands, e.g. `System.evtx, record 4711`.
    pub source: Text,
    /// What happened.
    pub what: Text,
    /// `failure`, `success` or `other`.
    pub kind: &'static str,
}

/// A source of records.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// The partition that it is on.
    pub partition: u32,
    /// Its path.
    pub path: String,
    /// `read`, `newest-part`, `damaged`, `missing`, `unreadable`.
    pub state: &'static str,
    /// More about that; empty if there is nothing to say.
    pub detail: Text,
}

/// What takes space on the recovery volume.
#[derive(Debug, Clone, Serialize)]
pub struct UsageReport {
    /// The largest files, the largest first.
    pub files: Vec<FileUsageReport>,
    /// Bytes of other files.
    pub other_bytes: u64,
    /// Bytes of the file system itself.
    pub metadata_bytes: u64,
}

/// What a file takes.
#[derive(Debug, Clone, Serialize)]
pub struct FileUsageReport {
    /// Its path on the volume.
    pub path: String,
    /// Bytes in clusters.
    pub bytes: u64,
    /// Whether it is part of WinRE; else it is a leftover or somebody's file.
    pub is_winre: bool,
}

/// A service that updates need.
#[derive(Debug, Clone, Serialize)]
pub struct ServiceReport {
    /// Name of its key in the registry.
    pub name: &'static str,
    /// Name that people know.
    pub title: &'static str,
    /// `automatic`, `manual`, `disabled`, `missing`, or a number.
    pub start: String,
    /// What Windows sets.
    pub default: &'static str,
    /// Whether it differs from what Windows sets in a way that matters.
    pub is_disabled: bool,
}

/// How certain a judgement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Measured, or said alike by independent sources.
    Certain,
    /// The evidence fits, and nothing speaks against it.
    Likely,
    /// One reading among several.
    Possible,
}

/// A finding with what it rests on.
#[derive(Debug, Clone, Serialize)]
pub struct FindingReport {
    /// Stable code.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How certain it is.
    pub confidence: Confidence,
    /// Meaning and next action.
    #[serde(flatten)]
    pub explained: Explained,
    /// Facts, with their places.
    pub evidence: Vec<Evidence>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Where it was read, e.g. `partition 3, \Windows\System32\Recovery\ReAgent.xml`.
    pub source: Text,
    /// What stands there.
    pub value: Text,
    /// When it was written there (RFC 3339, UTC), where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// Why nothing is done.
#[derive(Debug, Clone, Serialize)]
pub struct RefusalReport {
    /// Stable code.
    pub code: &'static str,
    /// Meaning and way out.
    #[serde(flatten)]
    pub explained: Explained,
}

/// A plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// `keep`, `grow-end`, `grow-front`, `shrink+grow-front`, `relocate`, `create`, `remove-stale`,
    /// `reset-update`.
    pub strategy: &'static str,
    /// The strategy in a sentence.
    pub summary: Text,
    /// Steps in order.
    pub steps: Vec<Text>,
    /// How many of the steps each commit has: as many numbers as there are commits.
    pub commit_steps: Vec<u64>,
    /// Partitions that change: before and after.
    pub changes: Vec<ChangeReport>,
    /// Bytes of data that are copied to space that nothing uses.
    pub move_bytes: u64,
    /// How long copying takes, estimated for a disk that reads and writes 100 MB a second.
    pub move_seconds: u64,
    /// Bytes that are written in place, the journal not counted.
    pub bytes_written: u64,
    /// Bytes of the journal.
    pub journal_bytes: u64,
    /// Where the journal lies, in words.
    pub journal_place: Option<Text>,
    /// Shadow copies that are given up.
    pub dropped_shadow_copies: Vec<DroppedReport>,
    /// What is not touched.
    pub untouched: Vec<Text>,
    /// What is to be done in Windows afterwards.
    pub afterwards: Vec<Text>,
    /// What would undo it.
    pub undo: Text,
    /// Free bytes of the recovery volume before; absent where there is none yet.
    pub recovery_free_bytes_before: Option<u64>,
    /// Free bytes of the recovery volume afterwards.
    pub recovery_free_bytes_after: Option<u64>,
}

/// Shadow copies that are given up.
#[derive(Debug, Clone, Serialize)]
pub struct DroppedReport {
    /// The partition of their volume.
    pub partition: u32,
    /// How many; absent if their catalog is damaged.
    pub count: Option<u64>,
    /// When the oldest was made (RFC 3339).
    pub oldest: Option<String>,
    /// When the newest was made (RFC 3339).
    pub newest: Option<String>,
    /// Bytes of the files that hold them, which stay.
    pub storage_bytes: Option<u64>,
    /// The loss in a sentence.
    pub text: Text,
}

/// Where a partition lies before and after; no sectors before for one that is made, none after for one that goes.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeReport {
    /// Its number.
    pub partition: u32,
    /// Before.
    pub before: RangeReport,
    /// After.
    pub after: RangeReport,
}

/// One thing that verification looked at.
#[derive(Debug, Clone, Serialize)]
pub struct VerificationItem {
    /// What was looked at.
    pub what: Text,
    /// Whether it is as it has to be.
    pub ok: bool,
    /// What was found.
    pub detail: Text,
    /// Whether something is to be noticed although it is no failure.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub noted: bool,
}

/// Consistency of one volume.
#[derive(Debug, Clone, Serialize)]
pub struct VolumeCheck {
    /// The partition.
    pub partition: u32,
    /// How much was checked: `quick` or `full`.
    pub level: &'static str,
    /// Whether no error was found.
    pub consistent: bool,
    /// Records of the $MFT, and how many are in use.
    pub records: u64,
    /// Records in use.
    pub records_in_use: u64,
    /// Problems, in words; the worst ones first.
    pub problems: Vec<CheckProblem>,
    /// All problems, those not listed included.
    pub problems_total: u64,
}

/// One problem of a volume.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckProblem {
    /// Stable code.
    pub code: &'static str,
    /// `error`, `warning`, `note`.
    pub severity: &'static str,
    /// The problem in a sentence.
    pub text: Text,
    /// The file record concerned.
    pub record: Option<u64>,
    /// Path of its file, where it could be found.
    pub path: Option<String>,
    /// Type of the attribute concerned, with its name behind a colon if it has one.
    pub attribute: Option<String>,
    /// Byte offset on the volume.
    pub volume_byte: Option<u64>,
    /// The value that is due.
    pub expected: Option<u64>,
    /// The value found.
    pub actual: Option<u64>,
}

/// A journal found on the disk.
#[derive(Debug, Clone, Serialize)]
pub struct JournalReport {
    /// `preparing`, `committed`, `applied`, `undoing`, `removed`, `damaged`.
    pub state: &'static str,
    /// What the work was.
    pub memo: Text,
    /// Where the journal lies.
    pub place: Text,
    /// What was done about it, or is to be done.
    pub text: Text,
}
