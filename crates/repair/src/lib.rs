//! The domain of winrefit: observe, diagnose, plan, stage, verify, commit, resume, undo. One file per verb.

mod advice;
pub mod boot;
pub mod codes;
pub mod commands;
pub mod diagnose;
pub mod error;
pub mod explain;
pub mod kb;
pub mod observation;
pub mod observe;
mod phases;
pub mod places;
pub mod plan;
pub mod records;
pub mod refusal;
pub mod report;
pub mod reset;
pub mod rules;
pub mod select;
mod shrink;
pub mod stage;
pub mod table;
pub mod target;
pub mod text;
pub mod verify;
pub mod winre;

pub use error::RepairError;
