//! The domain of winrefit: observe, diagnose, plan, stage, verify, commit, resume, undo. One file per verb.

pub mod explain;
pub mod report;
