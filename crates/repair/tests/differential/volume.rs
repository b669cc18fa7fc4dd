//! What the tests of the NTFS engine make and judge volumes with.
#![allow(dead_code)]

pub use crate::common::{image, scatter, tools};

#[path = "../../../ntfs/tests/common/judge.rs"]
pub mod judge;
#[path = "../../../ntfs/tests/common/manifest.rs"]
pub mod manifest;
#[path = "../../../ntfs/tests/common/mount.rs"]
pub mod mount;
#[path = "../../../ntfs/tests/common/random.rs"]
pub mod random;
#[path = "../../../ntfs/tests/common/tree.rs"]
pub mod tree;
