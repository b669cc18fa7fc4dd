//! What can be wrong with a store.

use super::BcdPartition;
use crate::{Guid, HiveEditError, HiveError};

/// Why a store cannot be read or changed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BcdError {
    /// The hive is damaged.
    #[error(transparent)]
    Hive(#[from] HiveError),
    /// The hive has no key "Objects", so it is no store.
    #[error("the hive has no boot configuration objects")]
    NoObjects,
    /// More in the store than is accepted.
    #[error("the store has more than {limit} {what}")]
    TooMuch {
        /// Objects, elements or bytes.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
    /// Two objects of one name, or an object with two elements of one number: which of them counts cannot be told.
    #[error("object {object} or its element {element_type:08x?} is in the store twice")]
    Twice {
        /// Name of the object.
        object: Guid,
        /// Number of the element, if it is one.
        element_type: Option<u32>,
    },
    /// A partition of a GPT disk cannot take the place of one on an MBR disk, nor the other way round.
    #[error("elements that name {from} cannot name {to}")]
    OtherScheme {
        /// The partition that is named.
        from: BcdPartition,
        /// The partition that should be.
        to: BcdPartition,
    },
    /// The hive cannot be edited.
    #[error(transparent)]
    Edit(#[from] HiveEditError),
}
