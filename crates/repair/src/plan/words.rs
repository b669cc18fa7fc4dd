//! What a step says of itself.

use super::{Sectors, Step};
use crate::text::{Bytes, Text};
use crate::{counted, text};

/// The step in a sentence. `move_bytes` is what its commit copies.
pub(super) fn of_step(step: &Step, sector_bytes: u64, move_bytes: u64) -> Text {
    match step {
        Step::DropShadowCopies(dropped) => dropped.text(),
        Step::ShrinkEnd { partition, sectors } => shrink_end(*partition, sectors * sector_bytes, move_bytes),
        Step::GrowFront { partition, by_bytes } => text!(
            "Let the volume on partition {partition} begin {size} earlier: its cluster numbers are rewritten, its \
             files stay where they are.",
            partition,
            size = Bytes(*by_bytes)
        ),
        Step::GrowEnd { partition, sectors } => text!(
            "Let the volume on partition {partition} grow at its end, to {size}.",
            partition,
            size = Bytes(sectors * sector_bytes)
        ),
        Step::MoveVolume {
            partition,
            before,
            after,
        } => text!(
            "Copy what is in use of the volume on partition {partition} from LBA {from} on to unallocated space from \
             LBA {to} on, and let it grow there to {size}. The old volume stays whole until the partition table names \
             the copy.",
            partition,
            from = before.start,
            to = after.start,
            size = Bytes(after.count() * sector_bytes)
        ),
        Step::CreatePartition {
            partition,
            at,
            windows,
            image,
            image_bytes,
        } => text!(
            "Make partition {partition} in unallocated space, from LBA {first} to {last}: an NTFS volume of {size} \
             with a copy of {image} of partition {windows} ({image_size}). Its entry in the partition table is that \
             of a recovery partition from the first instant on, so Windows gives it no letter.",
            partition,
            first = at.start,
            last = last(*at),
            size = Bytes(at.count() * sector_bytes),
            image,
            windows,
            image_size = Bytes(*image_bytes)
        ),
        Step::MendTable { what } => what.clone(),
        other => of_table_and_pointers(other),
    }
}

fn shrink_end(partition: u32, end_bytes: u64, move_bytes: u64) -> Text {
    let end = Bytes(end_bytes);
    if move_bytes == 0 {
        text!(
            "Shrink the volume on partition {partition} to {end} at most; what lies behind is free, so no data moves.",
            partition,
            end
        )
    } else {
        text!(
            "Shrink the volume on partition {partition} to {end} at most; {size} of data that lie behind are copied \
             to its free space first.",
            partition,
            end,
            size = Bytes(move_bytes)
        )
    }
}

/// What changes besides volumes.
fn of_table_and_pointers(step: &Step) -> Text {
    match step {
        Step::RemovePartition { partition, before } => text!(
            "Remove partition {partition}, which nothing uses, from the partition table: LBA {first} to {last} become \
             unallocated.",
            partition,
            first = before.start,
            last = last(*before)
        ),
        Step::SetPartition {
            partition,
            before,
            after,
        } => text!(
            "Move the borders of partition {partition} in the partition table: LBA {first} to {last} becomes \
             {new_first} to {new_last}. All else that the table says of it stays.",
            partition,
            first = before.start,
            last = last(*before),
            new_first = after.start,
            new_last = last(*after)
        ),
        Step::PatchBootStore {
            partition,
            path,
            from_offset,
            to_offset,
            elements,
        } => counted!(
            *elements,
            "In the boot store {path} on partition {partition}, change the offset {from} to {to} in the element that \
             names the recovery partition.",
            "In the boot store {path} on partition {partition}, change the offset {from} to {to} in the {n} elements that \
             name the recovery partition.",
            path = *path,
            partition,
            from = from_offset,
            to = to_offset
        ),
        Step::PatchReAgent {
            partition,
            from_offset,
            to_offset,
        } => text!(
            "In ReAgent.xml on partition {partition}, and in a copy beside the image, change the offset {from} to \
             {to}.",
            partition,
            from = from_offset,
            to = to_offset
        ),
        Step::RenameFolder {
            partition,
            folder,
            from,
            to,
            ..
        } => text!(
            "On partition {partition}, rename the folder {path} to {to}. What is in it stays as it is.",
            partition,
            path = format!(r"{folder}\{from}"),
            to
        ),
        Step::SetServiceStart {
            partition,
            service,
            from,
            to,
        } => text!(
            "In the registry of Windows on partition {partition}, set Start of the service {service} from {from} to {to}.",
            partition,
            service = *service,
            from,
            to
        ),
        // All others are told with the volumes.
        _ => Text::empty(),
    }
}

/// The last sector of a range.
fn last(sectors: Sectors) -> u64 {
    sectors.end.saturating_sub(1)
}
