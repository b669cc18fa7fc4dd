//! Which elements name a partition, and how to make them name another.

use super::store::{Bcd, ELEMENT, ElementValue, element_path};
use super::{BcdDevice, BcdError, BcdPartition, Confidence};
use crate::Guid;
use crate::hive::{HiveEdit, HiveEditError};

/// An element that names a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Name of the object.
    pub object: Guid,
    /// Number of the element.
    pub element_type: u32,
    /// How well the layout of its value is known.
    pub confidence: Confidence,
}

/// New data for one element, as long as the old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementEdit {
    /// Path of the element's key in the hive. Its data is in the value "Element".
    pub path: String,
    /// The new data.
    pub data: Vec<u8>,
}

impl ElementEdit {
    /// Adds this edit to those of the store's hive.
    ///
    /// # Errors
    /// [`HiveEditError`] if the hive has no such element, or one of another length.
    pub fn apply(&self, edit: &mut HiveEdit<'_>) -> Result<(), HiveEditError> {
        edit.overwrite(&self.path, ELEMENT, &self.data)
    }
}

impl Bcd {
    /// The elements that name a partition: on a GPT disk by its unique GUID, on an MBR disk by signature and offset.
    pub fn references(&self, partition: &BcdPartition) -> Vec<Reference> {
        self.devices()
            .filter(|(_, _, device)| device.names(partition))
            .map(reference)
            .collect()
    }

    /// The device elements that are not understood, wholly or in part: whether they name a partition cannot be told.
    pub fn unknown_devices(&self) -> Vec<Reference> {
        let references = self.devices().map(reference);
        references
            .filter(|reference| reference.confidence == Confidence::Unknown)
            .collect()
    }

    /// The edits with which every element that names `from` names `to`. On a GPT disk the disk's GUID is set as well.
    ///
    /// # Errors
    /// [`BcdError::OtherScheme`] if one is on a GPT disk and the other on an MBR disk.
    pub fn repoint(&self, from: &BcdPartition, to: &BcdPartition) -> Result<Vec<ElementEdit>, BcdError> {
        if std::mem::discriminant(from) != std::mem::discriminant(to) {
            return Err(BcdError::OtherScheme { from: *from, to: *to });
        }
        let edits = self.devices().filter_map(|(object, element_type, device)| {
            let data = device.repointed(from, to)?;
            let path = element_path(object, element_type);
            Some(ElementEdit { path, data })
        });
        Ok(edits.collect())
    }

    fn devices(&self) -> impl Iterator<Item = (Guid, u32, &BcdDevice)> {
        self.objects().iter().flat_map(|object| {
            object.elements.iter().filter_map(|element| match &element.value {
                ElementValue::Device(device) => Some((object.id, element.element_type, device)),
                _ => None,
            })
        })
    }
}

fn reference((object, element_type, device): (Guid, u32, &BcdDevice)) -> Reference {
    Reference {
        object,
        element_type,
        confidence: device.kind.confidence(),
    }
}
