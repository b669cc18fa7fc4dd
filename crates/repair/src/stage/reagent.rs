//! Telling Windows where the recovery partition begins: ReAgent.xml.

use super::{StageError, Stager, ntfs_error, phase};
use crate::error::RepairError;
use crate::observe::REAGENT_XML;
use crate::plan::Step;
use winrefit_disk::ReadAt;
use winrefit_formats::{ReAgent, set_winre_offset};
use winrefit_ntfs::edit::replace_content;
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// Copy of ReAgent.xml beside the image.
const REAGENT_COPY: &str = r"\Recovery\WindowsRE\ReAgent.xml";
const REAGENT_BYTES_MAX: u64 = 1 << 20;

/// A change of the offset in one ReAgent.xml.
#[derive(Debug, Clone, Copy)]
struct Patch {
    partition: u32,
    path: &'static str,
    from_offset: u64,
    to_offset: u64,
}

pub(super) fn read_small<R: ReadAt>(volume: &Volume<R>, path: &str) -> Result<Option<Vec<u8>>, NtfsError> {
    let Some(file) = volume.lookup(path)? else {
        return Ok(None);
    };
    let stream = file.require(AttributeType::DATA, "")?;
    volume.read_stream(stream, REAGENT_BYTES_MAX).map(Some)
}

impl Stager<'_, '_> {
    /// Writes down what a step tells Windows.
    pub(super) fn tell(&mut self, step: &Step, recovery: u32) -> Result<(), StageError> {
        let Step::PatchReAgent {
            partition,
            from_offset,
            to_offset,
        } = *step
        else {
            return Ok(());
        };
        self.patch_reagent(Patch {
            partition,
            path: REAGENT_XML,
            from_offset,
            to_offset,
        })?;
        self.patch_copy(Patch {
            partition: recovery,
            path: REAGENT_COPY,
            from_offset,
            to_offset,
        })
    }

    /// Changes the offset in Windows' own ReAgent.xml.
    fn patch_reagent(&mut self, step: Patch) -> Result<(), StageError> {
        let Patch { partition, path, .. } = step;
        let (volume, range) = self.volume(partition)?;
        let bytes = read_small(&volume, path).map_err(|source| ntfs_error(partition, source))?;
        let Some(bytes) = bytes else { return Ok(()) };
        let mut new = set_winre_offset(&bytes, step.to_offset)
            .map_err(|source| RepairError::ReAgent { partition, source })?;
        // A number with fewer digits; spaces at the end keep the length, which the directory knows, too.
        new.resize(new.len().max(bytes.len()), b' ');
        let edits =
            replace_content(&volume, path, &new).map_err(|source| RepairError::Edit { partition, source })?;
        drop(volume);
        self.apply(range, &edits, phase::REAGENT)
    }

    /// The same for the copy beside the image, where it is readable and names the old place. It serves people only.
    fn patch_copy(&mut self, step: Patch) -> Result<(), StageError> {
        let (volume, _) = self.volume(step.partition)?;
        let bytes = read_small(&volume, step.path).ok().flatten().unwrap_or_default();
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
