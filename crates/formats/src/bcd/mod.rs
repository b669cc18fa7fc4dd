//! Boot Configuration Data: the store from which the boot manager starts Windows and WinRE, as typed values.
//!
//! A store is a registry hive. It holds objects, each with elements; an element's number says of what form its value
//! is. Elements of the form "device" name partitions: by unique GUID on a GPT disk, by disk signature and byte offset on
//! an MBR disk. So nothing in the store changes when a GPT partition keeps its GUID, and on an MBR disk every element
//! that names a partition must change when that partition begins elsewhere: [`Bcd::references`], [`Bcd::repoint`].
//!
//! No document describes the bytes of a device element. Where each part of the layout is known from, and how well, is
//! told in `docs/formats/bcd.md`, and by [`Confidence`] for each value. What is not understood is kept as bytes.

mod chain;
mod device;
mod error;
mod references;
mod store;
#[cfg(test)]
mod tests;
pub mod types;

pub use chain::{ChainBreak, WinreChain};
pub use device::{BcdDevice, BcdPartition, Confidence, DeviceKind};
pub use error::BcdError;
pub use references::{ElementEdit, Reference};
pub use store::{Bcd, BcdElement, BcdObject, ElementValue};
