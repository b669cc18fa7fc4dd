//! What becomes of shadow copies when their volume gets a new end or a new start.
//!
//! All that Windows keeps of them is found by its place on the volume, and nothing here moves or rewrites it. So they
//! are kept as they are where nothing changes, and given up where the user says so; everything else is refused. That
//! holds for a new end in front of which all of them lie, too: they also know how long the volume is.
//!
//! A volume can keep the storage of another volume's shadow copies, of which its own header says nothing. So files of
//! that kind are not moved either, whatever the header says.

use super::Step;
use crate::explain::utc;
use crate::observation::Partition;
use crate::refusal::Refusal;
use crate::text::{Bytes, Text};
use crate::{counted, text};
use serde::Serialize;
use winrefit_ntfs::vss::{ShadowCopies, Structure};

/// Shadow copies that are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// The partition of their volume.
    pub partition: u32,
    /// How many. `None` if nobody can tell: their catalog is damaged, or that of another volume.
    pub count: Option<u64>,
    /// When the oldest was made (FILETIME).
    pub oldest: Option<u64>,
    /// When the newest was made (FILETIME).
    pub newest: Option<u64>,
    /// Bytes of the files that hold them, which stay.
    pub storage_bytes: Option<u64>,
}

/// What happens to a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It ends so many bytes behind its start.
    NewEnd(u64),
    /// It begins elsewhere.
    NewStart,
}

/// The step that gives up the shadow copies of `partition`, if there are some that do not survive `change`.
pub(super) fn step(partition: &Partition, change: Change, allowed: bool) -> Result<Option<Step>, Refusal> {
    let Some(ntfs) = partition.ntfs() else {
        return Ok(None);
    };
    let Ok(state) = &ntfs.state else { return Ok(None) };
    let found = &state.shadow_copies;
    let survives = match (found, change) {
        (ShadowCopies::NoHeader | ShadowCopies::NoCatalog, _) => true,
        (ShadowCopies::Catalog(catalog), Change::NewEnd(end)) => {
            catalog.stores.is_empty() && catalog.end <= end
        }
        (ShadowCopies::Catalog(_), Change::NewStart) | (ShadowCopies::Damaged(_), _) => false,
    };
    let files = ntfs.shadow_storage.unwrap_or_default();
    let files_survive = match change {
        Change::NewEnd(end) => files.end <= end,
        Change::NewStart => files.files == 0,
    };
    if survives && files_survive {
        return Ok(None);
    }
    if !allowed || !can_be_dropped(found) {
        let (number, found) = (partition.number, found.clone());
        return Err(Refusal::ShadowCopies { number, found });
    }
    let stores = found.stores();
    let created = || stores.iter().filter_map(|store| store.created);
    Ok(Some(Step::DropShadowCopies(Dropped {
        partition: partition.number,
        count: match found {
            ShadowCopies::Catalog(_) if files_survive || !stores.is_empty() => Some(stores.len() as u64),
            _ => None,
        },
        oldest: created().min(),
        newest: created().max(),
        storage_bytes: ntfs.shadow_storage.map(|storage| storage.bytes),
    })))
}

/// A header of a form that is not known is not changed by anyone but Windows.
pub(crate) fn can_be_dropped(found: &ShadowCopies) -> bool {
    !matches!(found, ShadowCopies::Damaged(damage) if damage.structure == Structure::Header)
}

/// "3 shadow copies", or what is known instead.
pub(crate) fn shadow_copies_text(count: Option<u64>) -> Text {
    match count {
        None => text!("an unknown number of shadow copies"),
        Some(0) => text!("no shadow copy, only an empty catalog of them"),
        Some(count) => counted!(count, "1 shadow copy", "{n} shadow copies"),
    }
}

/// That the volume of a partition has them.
pub(crate) fn has_shadow_copies(number: u32, count: Option<u64>) -> Text {
    match count {
        None => text!(
            "The volume on partition {number} has an unknown number of shadow copies",
            number
        ),
        Some(0) => text!(
            "The volume on partition {number} has no shadow copy, only an empty catalog of them",
            number
        ),
        Some(count) => counted!(
            count,
            "The volume on partition {number} has 1 shadow copy",
            "The volume on partition {number} has {n} shadow copies",
            number
        ),
    }
}

impl Dropped {
    /// How many there are and from when.
    pub fn what(&self) -> Text {
        let copies = shadow_copies_text(self.count);
        match (self.oldest, self.newest) {
            (Some(oldest), Some(newest)) if oldest != newest => text!(
                "{copies}, made between {oldest} and {newest}",
                copies,
                oldest = utc(oldest),
                newest = utc(newest)
            ),
            (Some(only), _) => text!("{copies}, made at {time}", copies, time = utc(only)),
            _ => copies,
        }
    }

    pub(super) fn text(&self) -> Text {
        let given_up = text!(
            "Give up the shadow copies of partition {number}: {copies}.",
            number = self.partition,
            copies = self.what()
        );
        let files = match self.storage_bytes {
            Some(bytes) if bytes > 0 => text!(
                "The header of the volume says that there are none; their files in System Volume Information ({size}) \
                 stay.",
                size = Bytes(bytes)
            ),
            _ => text!(
                "The header of the volume says that there are none; their files in System Volume Information stay."
            ),
        };
        Text::sentences([given_up, files])
    }
}
