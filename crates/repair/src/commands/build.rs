//! Filling the report from what the other parts know.

mod plan;
mod records;
mod reset;
mod summary;

pub(super) use plan::plan;
pub(super) use records::add_records;
pub(super) use reset::told;
pub(super) use summary::idle_reclaim;

use crate::diagnose::Diagnosis;
use crate::diagnose::images::filetime;
use crate::explain::rfc3339;
use crate::observation::{Content, Observation, Partition};
use crate::report::{
    DiskReport, ImageReport, JournalReport, PartitionReport, RangeReport, RecoveryReport, Report, SCHEMA,
    Verdict, WindowsReport,
};
use crate::table::DiskId;
use crate::text;
use crate::text::Text;
use crate::winre::{image_in_use, is_on_own_volume, partition_to_be_used};
use winrefit_disk::journal::Found;
use winrefit_formats::WimArchitecture;

/// Unallocated ranges shorter than this are not worth a line.
const GAP_BYTES_MIN: u64 = 1 << 20;

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
        timeline: Vec::new(),
        sources: Vec::new(),
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
        usage: None,
    });
    report.findings = diagnosis.findings;
    report.verdict = diagnosis.verdict;
    report
}

fn enabled(observation: &Observation, partition: &Partition) -> Option<bool> {
    if partition_to_be_used(observation).is_some_and(|p| p.number == partition.number) {
        // Where WinRE is enabled on its own volume, this partition is not the one that it is enabled on.
        let mut windows = observation.windows.iter();
        return (!windows.any(|w| is_on_own_volume(observation, w))).then_some(false);
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
        registry: None,
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

/// What a found journal says.
pub(super) fn journal(found: &Found, sector_bytes: u64, text: Text) -> JournalReport {
    let memo = &found.header.memo;
    let end = memo.iter().position(|&byte| byte == 0).unwrap_or(memo.len());
    JournalReport {
        state: found.header.state.as_str(),
        memo: Text::raw(String::from_utf8_lossy(&memo[..end])),
        place: text!("LBA {lba}", lba = found.header.header_offset / sector_bytes),
        text,
    }
}
