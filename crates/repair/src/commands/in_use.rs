//! A disk that someone else uses.

use super::build;
use crate::error::RepairError;
use crate::refusal::Refusal;
use crate::report::{Report, Verdict};
use crate::text;
use crate::text::Text;
use winrefit_disk::{DiskError, InUseBy};

/// The report of a command whose disk is used by someone else: a refusal, not an error. `None` for other errors.
pub fn refused_in_use(command: &'static str, target: &str, error: &RepairError) -> Option<Report> {
    let RepairError::Disk(problem @ DiskError::InUse { path, by }) = error else {
        return None;
    };
    let (problem, next) = words(&path.display().to_string(), by)
        .unwrap_or_else(|| (text!("{problem}.", problem = problem.to_string()), Text::empty()));
    let refusal = Refusal::TargetInUse { problem, next };
    let mut report = build::empty(command, target);
    report.verdict = Verdict::Refused;
    report.refusal = Some(refusal.report());
    Some(report)
}

/// Who uses it, and what to do; `None` for a user that is not known here.
fn words(path: &str, by: &InUseBy) -> Option<(Text, Text)> {
    Some(match by {
        InUseBy::Mount { mount_point } => (
            text!(
                "{path} is in use: it is mounted at {mount_point}.",
                path,
                mount_point
            ),
            text!("Unmount it first."),
        ),
        InUseBy::Holder { device } => (
            text!(
                "{path} is in use: the device {device} is built on it.",
                path,
                device
            ),
            text!("Deactivate that device first."),
        ),
        InUseBy::LoopDevice { device } => (
            text!(
                "{path} is in use: it is attached as {device}.",
                path,
                device = device.display().to_string()
            ),
            text!("Detach it with `losetup -d`, or name the loop device instead of the file."),
        ),
        InUseBy::ImageLock => (
            text!(
                "{path} is in use: a virtual machine or another image tool has locked it.",
                path
            ),
            text!("Shut the virtual machine down first."),
        ),
        InUseBy::Lock => (
            text!("{path} is in use: another program has locked it.", path),
            text!("Wait until that program has ended."),
        ),
        InUseBy::System => (
            text!("{path} is in use: the system has claimed it.", path),
            text!("Close whatever uses it (swap, RAID, a mounted file system)."),
        ),
        _ => return None,
    })
}
