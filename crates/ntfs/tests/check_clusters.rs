//! Clusters with two owners.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use common::lab::{Lab, SPLIT};
use winrefit_ntfs::AttributeType as Type;
use winrefit_ntfs::check::ProblemCode as Code;

/// $UpCase.
const FILE: u64 = 10;

#[test]
fn both_owners_of_a_cluster_are_named_exactly() {
    let Some(mut lab) = Lab::new() else { return };
    let lcn = lab.split_lcn + 6;
    let (low, high) = (lcn as u8, (lcn >> 8) as u8);
    lab.edit_attribute(FILE, Type::DATA, "", |bytes| {
        bytes[0x40..0x45].copy_from_slice(&[0x21, 32, low, high, 0]);
    });
    let report = lab.check();
    let twice: Vec<_> = report
        .problems
        .iter()
        .filter(|p| p.code == Code::ClusterOwnedTwice)
        .collect();
    let [problem] = twice[..] else {
        panic!("{report:?}")
    };
    let other = problem.other.as_ref().unwrap();
    let mut records = [problem.record.unwrap().0, other.record.0];
    records.sort_unstable();
    assert_eq!(records, [FILE, SPLIT]);
    assert_eq!((problem.lcn.unwrap().0, problem.clusters), (lcn, Some(2)));
    assert_eq!(report.shared_clusters, 2);
}
