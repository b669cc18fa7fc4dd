#![doc = include_str!("../README.md")]
//!
//! ## Where things are
//!
//! | module | what it knows |
//! |---|---|
//! | [`types`] | clusters, record numbers, file references, attribute types, geometry |
//! | [`boot`] | the boot sector ($Boot) |
//! | [`fixup`] | update sequence arrays, which detect torn multi-sector records |
//! | [`runs`] | run lists and their mapping pairs |
//! | [`record`], [`attribute`] | file records of the $MFT and the attributes in them |
//! | [`file`](mod@file) | a file with its extension records; its streams |
//! | [`volume`] | an opened volume: records, files, paths |
//! | [`index`], [`upcase`] | directories and their collation |
//! | [`check`] | is the volume consistent? |
//! | [`mod@format`] | making volumes |
//! | [`resize`] | moving either end of a volume |
//! | [`edit`] | changing the content of files |
//! | [`rename`](mod@rename) | giving files and directories another name in their directory |
//! | [`bitmap`], [`bad_clusters()`] | free clusters, and those that cannot be used |
//! | [`logfile`], [`state`] | whether Windows left the volume at rest |
//! | [`vss`] | volume shadow copies |

pub mod attribute;
mod bad_clusters;
pub mod bitmap;
pub mod boot;
mod bytes;
pub mod check;
pub mod edit;
pub mod error;
pub mod file;
pub mod fixup;
pub mod format;
pub mod index;
pub mod logfile;
mod mft;
mod reader;
pub mod record;
pub mod rename;
pub mod resize;
pub mod runs;
mod secure;
mod sizes;
pub mod state;
pub mod types;
pub mod upcase;
pub mod volume;
pub mod vss;

pub use bad_clusters::bad_clusters;
pub use error::NtfsError;
pub use types::{AttributeType, FileReference, Geometry, Lcn, RecordNumber, Vcn};
pub use volume::Volume;
