//! What is wrong with a way to WinRE, for people.

use super::outcome::{Break, End};
use crate::text;
use crate::text::Text;
use winrefit_formats::Guid;
use winrefit_formats::bcd::{BcdPartition, ChainBreak, types};

impl Break {
    /// Where it is, and what is wrong there.
    pub(crate) fn text(&self) -> Text {
        match self {
            Self::Link(error) => link_text(error),
            Self::NoPartition { object, end, named } => not_here(*object, *end, *named),
            Self::NoFile {
                object,
                end,
                partition,
                path,
                problem: None,
            } => missing(*object, *end, *partition, path),
            Self::NoFile {
                object,
                end,
                partition,
                path,
                problem: Some(problem),
            } => unreadable((*object, *end), *partition, path, problem),
        }
    }
}

fn not_here(object: Guid, end: End, named: BcdPartition) -> Text {
    let (object, named) = (object.to_string(), partition_text(&named));
    match end {
        End::Image => text!(
            "object {object} takes the WinRE image from {named}, which is not on this disk",
            object,
            named
        ),
        End::Sdi => text!(
            "object {object} takes the RAM disk's frame (boot.sdi) from {named}, which is not on this disk",
            object,
            named
        ),
    }
}

fn missing(object: Guid, end: End, partition: u32, path: &str) -> Text {
    let object = object.to_string();
    match end {
        End::Image => text!(
            "object {object} takes the WinRE image from {path} on partition {partition}, which is not there",
            object,
            path,
            partition
        ),
        End::Sdi => text!(
            "object {object} takes the RAM disk's frame (boot.sdi) from {path} on partition {partition}, which is not \
             there",
            object,
            path,
            partition
        ),
    }
}

fn unreadable((object, end): (Guid, End), partition: u32, path: &str, problem: &Text) -> Text {
    let object = object.to_string();
    match end {
        End::Image => text!(
            "object {object} takes the WinRE image from {path} on partition {partition}, which cannot be read: \
             {problem}",
            object,
            path,
            partition,
            problem
        ),
        End::Sdi => text!(
            "object {object} takes the RAM disk's frame (boot.sdi) from {path} on partition {partition}, which cannot \
             be read: {problem}",
            object,
            path,
            partition,
            problem
        ),
    }
}

/// A break in the store, with what the element is for.
fn link_text(error: &ChainBreak) -> Text {
    match error {
        ChainBreak::NoObject { id } => {
            text!("object {id} is named and not in the store", id = id.to_string())
        }
        ChainBreak::NoElement { id, element_type } => {
            let (is_manager, id) = (*id == types::BOOT_MANAGER, id.to_string());
            let (element, purpose) = (hex(*element_type), element_name(*element_type));
            if is_manager {
                text!(
                    "the boot manager {id} has no valid element {element} ({purpose})",
                    id,
                    element,
                    purpose
                )
            } else {
                text!(
                    "object {id} has no valid element {element} ({purpose})",
                    id,
                    element,
                    purpose
                )
            }
        }
        ChainBreak::NoRamdisk { id, element_type } => text!(
            "element {element} of WinRE's loader {id} is no RAM disk with an image",
            element = hex(*element_type),
            id = id.to_string()
        ),
        ChainBreak::DevicesDiffer { id } => text!(
            "WinRE's loader {id} names two different RAM disks in elements 11000001 and 21000001",
            id = id.to_string()
        ),
        ChainBreak::NoOptions { id } => text!(
            "the RAM disk of WinRE's loader {id} has no options, so its frame (boot.sdi) is not known",
            id = id.to_string()
        ),
        other => Text::quoted(other),
    }
}

/// A partition as a store names it.
pub(crate) fn partition_text(named: &BcdPartition) -> Text {
    match named {
        BcdPartition::Gpt { disk, partition } => text!(
            "partition {partition} of disk {disk}",
            partition = partition.to_string(),
            disk = disk.to_string()
        ),
        BcdPartition::Mbr { signature, offset } => text!(
            "the partition at byte {offset} of disk {disk}",
            offset,
            disk = hex(*signature)
        ),
    }
}

/// The number of an element, or a disk's signature, as tools show it.
pub(crate) fn hex(element: u32) -> String {
    format!("{element:08x}")
}

/// What an element on the way is for.
pub(crate) fn element_name(element: u32) -> Text {
    match element {
        types::DEFAULT_OBJECT => text!("the default loader"),
        types::RECOVERY_SEQUENCE => text!("the recovery sequence"),
        types::APPLICATION_DEVICE => text!("where the loader is"),
        types::OS_DEVICE => text!("where the system is"),
        types::SDI_DEVICE => text!("where boot.sdi is"),
        types::SDI_PATH => text!("the path of boot.sdi"),
        _ => text!("an element on the way to WinRE"),
    }
}
