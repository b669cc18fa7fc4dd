//! Refusals for want of space, in words.

use super::{Refusal, space};
use crate::explain::Explained;
use crate::text;
use crate::text::{Bytes, Text};

impl Refusal {
    pub(super) fn explain_space(&self) -> Explained {
        match self {
            Self::NoDonor { number, reason } => space::no_donor(*number, reason),
            Self::DonorTooFull {
                number,
                needed_bytes,
                free_bytes,
                keep_bytes,
                path,
            } => donor_too_full(
                *number,
                [*needed_bytes, *free_bytes, *keep_bytes],
                path.as_deref(),
            ),
            Self::UnreadableData { number, path, offset } => Explained::new(
                text!(
                    "Data of partition {number} that have to move cannot be read",
                    number
                ),
                Text::sentences([
                    match path {
                        Some(path) => text!(
                            "The disk fails to read byte {offset}, which belongs to {path}.",
                            offset,
                            path
                        ),
                        None => text!(
                            "The disk fails to read byte {offset}, which belongs to a file that cannot be named.",
                            offset
                        ),
                    },
                    text!("Nothing that is in use was changed by the attempt."),
                ]),
                text!("Save the data of this disk now and replace it; the repair can be made on the copy."),
            ),
            Self::CannotRelocate {
                number,
                path,
                problem,
            } => Explained::new(
                text!(
                    "Not all that lies at the end of partition {number} can be moved",
                    number
                ),
                match path {
                    Some(path) => text!("{path}: {problem}.", path, problem),
                    None => text!("{problem}.", problem),
                },
                text!(
                    "Defragment the volume or shrink it in Windows (Disk Management), then run the command again, \
                     which will use the space; or ask for less with --size and --free."
                ),
            ),
            _ => self.explain_rest(),
        }
    }
}

fn donor_too_full(
    number: u32,
    [needed_bytes, free_bytes, keep_bytes]: [u64; 3],
    path: Option<&str>,
) -> Explained {
    Explained::new(
        text!("Partition {number} has too little free space", number),
        Text::sentences([
            text!(
                "{needed} are needed from it, {free} are free, and {keep} have to stay free.",
                needed = Bytes(needed_bytes),
                free = Bytes(free_bytes),
                keep = Bytes(keep_bytes)
            ),
            path.map_or(Text::empty(), |path| {
                text!(
                    "Most of what lies in the part that would be given away belongs to {path}.",
                    path
                )
            }),
        ]),
        text!(
            "Free at least {missing} more on it.",
            missing = Bytes(missing_bytes(needed_bytes.saturating_add(keep_bytes), free_bytes))
        ),
    )
}

/// What has to become free, in whole MiB, because a number that is rounded down would not do.
fn missing_bytes(wanted: u64, free: u64) -> u64 {
    wanted.saturating_sub(free).div_ceil(1 << 20) << 20
}
