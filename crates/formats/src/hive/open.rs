//! A hive with whatever its log files can add to it, in one call.
//!
//! Cost: of a clean hive the base block is read, and nothing is kept. Of a dirty one each log is read once up to 256 MiB,
//! piece by piece; what is kept are the places of the pages in the entries that apply, some 40 bytes for 512. Their
//! content and the hive's file itself are read on demand.

use super::{Hive, HiveError, Replay, ReplayError, ReplayedHive, replay};
use winrefit_disk::{DiskError, ReadAt};

/// A hive as [`open_with_logs`] found it. Read it with [`CurrentHive::hive`].
pub struct CurrentHive<'f> {
    source: Source<'f>,
}

enum Source<'f> {
    Replayed(ReplayedHive<'f>),
    AsStored {
        file: &'f dyn ReadAt,
        primary: u32,
        secondary: u32,
    },
}

/// Opens the hive in `file` with its `logs` applied: `.LOG1` first, then `.LOG2`; those that exist. A dirty hive that no
/// log completes is opened as it stands in its file, which [`CurrentHive::is_current`] tells.
///
/// # Errors
/// [`HiveError`] if it is no hive, or cannot be read.
pub fn open_with_logs<'f>(
    file: &'f dyn ReadAt,
    logs: &[&'f dyn ReadAt],
) -> Result<CurrentHive<'f>, HiveError> {
    let source = match replay(file, logs) {
        Ok(replayed) => Source::Replayed(replayed),
        Err(ReplayError::Hive(error)) => return Err(error),
        Err(ReplayError::NoLogApplies { primary, secondary }) => Source::AsStored {
            file,
            primary,
            secondary,
        },
    };
    Ok(CurrentHive { source })
}

impl CurrentHive<'_> {
    /// The hive.
    ///
    /// # Errors
    /// [`HiveError`] if its base block cannot be read again.
    pub fn hive(&self) -> Result<Hive<'_>, HiveError> {
        Hive::open(self)
    }

    /// Whether this is what Windows would have in memory. If not, the last changes may be missing.
    pub fn is_current(&self) -> bool {
        matches!(self.source, Source::Replayed(_))
    }

    /// What the logs had to do; `None` if none applies.
    pub fn replay(&self) -> Option<Replay> {
        match &self.source {
            Source::Replayed(replayed) => Some(replayed.replay()),
            Source::AsStored { .. } => None,
        }
    }
}

impl ReadAt for CurrentHive<'_> {
    fn size(&self) -> u64 {
        match &self.source {
            Source::Replayed(replayed) => replayed.size(),
            Source::AsStored { file, .. } => file.size(),
        }
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        match &self.source {
            Source::Replayed(replayed) => replayed.read_at(offset, buf),
            Source::AsStored { file, .. } => file.read_at(offset, buf),
        }
    }
}

impl std::fmt::Debug for CurrentHive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.source {
            Source::Replayed(replayed) => replayed.fmt(f),
            Source::AsStored {
                primary, secondary, ..
            } => {
                write!(
                    f,
                    "CurrentHive as stored, sequence numbers {primary} and {secondary}"
                )
            }
        }
    }
}
