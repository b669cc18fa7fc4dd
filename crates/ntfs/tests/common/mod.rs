//! Help for the tests of this crate: volumes, and other people's tools as judges of them.

// Each test program uses a part of this; in all of it a failure is to fail the test.
#![allow(dead_code, clippy::unwrap_used)]

pub mod image;
pub mod judge;
pub mod lab;
pub mod manifest;
pub mod mount;
pub mod random;
pub mod renaming;
pub mod resized;
pub mod scatter;
pub mod tail;
pub mod tools;
pub mod tree;
