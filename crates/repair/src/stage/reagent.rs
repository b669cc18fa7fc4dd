//! Telling Windows where the recovery partition begins: ReAgent.xml.

use super::{StageError, Stager, ntfs_error, phase};
use crate::error::RepairError;
use crate::observe::{REAGENT_BYTES_MAX, REAGENT_XML, read_small};
use crate::records::REAGENT_COPY;
use winrefit_formats::{ReAgent, set_winre_offset};
use winrefit_ntfs::edit::replace_content;

/// A change of the offset in one ReAgent.xml.
#[derive(Debug, Clone, Copy)]
struct Patch {
    partition: u32,
    path: &'static str,
    from_offset: u64,
    to_offset: u64,
    phase: u8,
}

impl Stager<'_, '_> {
    /// Changes the offset in ReAgent.xml of the Windows on the first partition, and in its copy on the second.
    pub(super) fn patch_reagents(
        &mut self,
        [windows, recovery]: [u32; 2],
        from_offset: u64,
        to_offset: u64,
    ) -> Result<(), StageError> {
        self.patch_reagent(Patch {
            partition: windows,
            path: REAGENT_XML,
            from_offset,
            to_offset,
            phase: phase::REAGENT,
        })?;
        self.patch_copy(Patch {
            partition: recovery,
            path: REAGENT_COPY,
            from_offset,
            to_offset,
            phase: phase::REAGENT_COPY,
        })
    }

    /// Changes the offset in Windows' own ReAgent.xml.
    fn patch_reagent(&mut self, step: Patch) -> Result<(), StageError> {
        let Patch { partition, path, .. } = step;
        let (volume, range) = self.volume(partition)?;
        let bytes =
            read_small(&volume, path, REAGENT_BYTES_MAX).map_err(|source| ntfs_error(partition, source))?;
        let Some(bytes) = bytes else { return Ok(()) };
        let mut new = set_winre_offset(&bytes, step.to_offset)
            .map_err(|source| RepairError::ReAgent { partition, source })?;
        // A number with fewer digits; spaces at the end keep the length, which the directory knows, too.
        new.resize(new.len().max(bytes.len()), b' ');
        let edits =
            replace_content(&volume, path, &new).map_err(|source| RepairError::Edit { partition, source })?;
        drop(volume);
        self.apply(range, &edits, step.phase)
    }

    /// The same for the copy beside the image, where it is readable and names the old place. It serves people only.
    fn patch_copy(&mut self, step: Patch) -> Result<(), StageError> {
        let (volume, _) = self.volume(step.partition)?;
        let bytes = read_small(&volume, step.path, REAGENT_BYTES_MAX)
            .ok()
            .flatten()
            .unwrap_or_default();
        drop(volume);
        let location = ReAgent::parse(&bytes)
            .ok()
            .and_then(|reagent| reagent.winre_location);
        let disk = self.table.id();
        if location.is_some_and(|l| l.offset == step.from_offset && disk.is_of(&l)) {
            self.patch_reagent(step)?;
        }
        Ok(())
    }
}
