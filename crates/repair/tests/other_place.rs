//! What stands against another place for a recovery partition is told with its way out, not that no volume has the space.
#![allow(clippy::unwrap_used)]

use winrefit_disk::DiskFile;
use winrefit_lab::profile::Quirk;
use winrefit_lab::{CreateOptions, Profile, create_file};
use winrefit_repair::commands::plan;
use winrefit_repair::plan::Request;
use winrefit_repair::report::Report;
use winrefit_repair::target::Target;

/// Plans on the disk of a profile whose C: has something special besides; gives up shadow copies, or does not.
fn planned(profile: &str, quirk: Quirk) -> [Report; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    let profile = Profile {
        quirk: Some(quirk),
        ..*Profile::find(profile).unwrap()
    };
    let options = CreateOptions {
        files: Some(20),
        ..CreateOptions::default()
    };
    create_file(&profile, &options, &path).unwrap();
    let disk: Target<DiskFile> = Target::open_read(&path, 0).unwrap();
    [false, true].map(|drop_shadow_copies| {
        let request = Request {
            drop_shadow_copies,
            ..Request::default()
        };
        plan(&disk, &request, &mut |_| ()).unwrap()
    })
}

fn code(report: &Report) -> Option<&'static str> {
    report.refusal.as_ref().map(|refusal| refusal.code)
}

#[test]
fn shadow_copies_of_the_only_donor_were_told_of_as_a_lack_of_space() {
    for (profile, strategy) in [("win10-old-order", "relocate"), ("no-re", "create")] {
        let [kept, dropped] = planned(profile, Quirk::ShadowCopies(3));
        assert_eq!(code(&kept), Some("shadow-copies"), "{profile}");
        let next = kept.refusal.unwrap().explained.next.to_string();
        assert!(next.contains("--drop-shadow-copies"), "{next}");
        assert_eq!(code(&dropped), None, "{profile}: {:?}", dropped.refusal);
        assert_eq!(dropped.plan.unwrap().strategy, strategy);
    }
}

#[test]
fn bad_clusters_of_the_only_donor_were_told_of_as_a_lack_of_space() {
    for report in planned("win10-old-order", Quirk::BadClusters) {
        assert_eq!(code(&report), Some("bad-clusters"));
    }
}
