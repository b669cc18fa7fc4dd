//! Telling the boot store where the recovery partition begins. On a GPT disk it knows the partition by its unique GUID,
//! which stays; on an MBR disk by disk signature and byte offset.

use super::Step;
use super::at_rest::check_volume;
use crate::boot::{BIOS_STORE, BootContent, BootStore, FileFact, name_of};
use crate::observation::{Content, Observation, Partition, Windows};
use crate::refusal::Refusal;
use crate::table::DiskId;
use crate::text;
use crate::text::Text;
use winrefit_formats::bcd::Reference;

/// The steps that re-point every store of an MBR disk that may be in use from `recovery`'s start to byte `to_offset`.
pub(super) fn patch(
    observation: &Observation,
    recovery: &Partition,
    to_offset: u64,
) -> Result<Vec<Step>, Refusal> {
    if matches!(observation.table.id, DiskId::Gpt(_)) {
        return Ok(Vec::new());
    }
    let from_offset = recovery.range.start;
    let number = recovery.number;
    let mut steps = Vec::new();
    let in_use = observation.boot_stores.iter();
    for store in in_use.filter(|store| !observation.is_leftover(store)) {
        let content = usable(store, from_offset)?;
        let named = name_of(observation.table.id, recovery, from_offset);
        let elements = named.map_or(0, |named| content.bcd.references(&named).len());
        if elements == 0 {
            continue;
        }
        let partition = store.partition;
        let holder = observation
            .partition(partition)
            .ok_or(Refusal::NoSuchPartition { number: partition })?;
        if !matches!(holder.content, Content::Fat(_)) {
            check_volume(holder)?;
        }
        steps.push(Step::PatchBootStore {
            partition,
            path: store.path,
            from_offset,
            to_offset,
            elements,
        });
    }
    // Another disk's store may name it, unless one of this disk starts the Windows that use it.
    let mut windows = observation.windows.iter();
    let is_foreign = |w: &Windows| w.recovery_partition == Some(number) && !is_started(observation, w);
    if steps.is_empty() && windows.any(is_foreign) {
        return Err(Refusal::NoBootStore { number });
    }
    Ok(steps)
}

/// Whether a store that firmware starts from, with its boot manager beside it, starts a Windows.
fn is_started(observation: &Observation, windows: &Windows) -> bool {
    let mut stores = observation.boot_stores.iter();
    stores.any(|store| {
        matches!(store.boot_manager, FileFact::Present(_))
            && (store.path != BIOS_STORE || observation.is_active(store))
            && store.readable().is_some_and(|content| content.starts(windows))
    })
}

/// The content of a store that may be written, as far as it has to be.
fn usable(store: &BootStore, from_offset: u64) -> Result<&BootContent, Refusal> {
    let (number, path) = (store.partition, store.path);
    let unusable = |problem: Text| Refusal::BootStore {
        number,
        path,
        problem,
    };
    let content = store
        .content
        .as_ref()
        .map_err(|problem| unusable(problem.clone()))?;
    if content.is_dirty {
        return Err(Refusal::BootStoreDirty { number, path });
    }
    let unknown = content.bcd.unknown_devices();
    if let Some(Reference {
        object, element_type, ..
    }) = unknown
        .into_iter()
        .find(|reference| may_name(content, reference, from_offset))
    {
        return Err(unusable(text!(
            "element {element} of object {object} may name the recovery partition in a form that is not known",
            element = format!("{element_type:08x}"),
            object = object.to_string()
        )));
    }
    Ok(content)
}

/// Whether the bytes of a device that is not understood hold the offset.
fn may_name(content: &BootContent, reference: &Reference, offset: u64) -> bool {
    let device = content
        .bcd
        .object(reference.object)
        .and_then(|object| object.device(reference.element_type));
    device.is_some_and(|device| {
        device
            .bytes()
            .windows(8)
            .any(|bytes| bytes == offset.to_le_bytes())
    })
}
