//! Where another place for a recovery partition is found beside volumes that nobody can look into; and what stands against
//! one is told with its way out, not that no volume has the space.
#![allow(clippy::unwrap_used)]

use std::io::{Seek, SeekFrom, Write};
use winrefit_disk::{DiskFile, ReadAt};
use winrefit_lab::profile::{Quirk, Role};
use winrefit_lab::{CreateOptions, Profile, create_file};
use winrefit_repair::commands::{fix, plan, undo, verify};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Verdict};
use winrefit_repair::target::Target;

/// Plans on the disk of a profile whose C: has something special besides; gives up shadow copies, or does not.
fn planned(profile: &str, quirk: Option<Quirk>) -> [Report; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    let profile = Profile {
        quirk,
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
        let [kept, dropped] = planned(profile, Some(Quirk::ShadowCopies(3)));
        assert_eq!(code(&kept), Some("shadow-copies"), "{profile}");
        let next = kept.refusal.unwrap().explained.next.to_string();
        assert!(next.contains("--drop-shadow-copies"), "{next}");
        assert_eq!(code(&dropped), None, "{profile}: {:?}", dropped.refusal);
        assert_eq!(dropped.plan.unwrap().strategy, strategy);
    }
}

#[test]
fn bad_clusters_of_the_only_donor_were_told_of_as_a_lack_of_space() {
    for report in planned("win10-old-order", Some(Quirk::BadClusters)) {
        assert_eq!(code(&report), Some("bad-clusters"));
    }
}

/// A volume that cannot give space is in the way like a foreign partition; nothing of it has to change.
#[test]
fn a_data_volume_in_the_way_that_nobody_can_read_stopped_a_move_past_it() {
    for (profile, role) in [("refs-between", Role::Refs), ("data-between", Role::Data)] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        let options = CreateOptions {
            files: Some(20),
            ..CreateOptions::default()
        };
        let made = create_file(Profile::find(profile).unwrap(), &options, &path).unwrap();
        let range = made.partition(role).unwrap().range;
        if role == Role::Data {
            let mut file = std::fs::File::options().write(true).open(&path).unwrap();
            file.seek(SeekFrom::Start(range.start)).unwrap();
            file.write_all(b"\xeb\x58\x90-FVE-FS-").unwrap();
        }
        let between = |disk: &DiskFile| {
            let ends = [range.start, range.end - (1 << 20)];
            ends.map(|at| disk.read_vec(at, 1 << 20).unwrap())
        };
        let mut disk = Target::open_write(&path, 0).unwrap();
        let old = between(&disk.device);
        let report = fix(&mut disk, &Request::default(), &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(
            report.verdict,
            Verdict::Repaired,
            "{profile}: {:?}",
            report.refusal
        );
        assert_eq!(report.plan.unwrap().strategy, "relocate");
        let verified = verify(&disk, None, &mut |_| ()).unwrap();
        assert!(verified.verification.iter().all(|item| item.ok), "{profile}");
        assert!(between(&disk.device) == old, "{profile}");
        let report = undo(&mut disk, &mut |_| true, &mut |_| ()).unwrap();
        assert_eq!(report.verdict, Verdict::Undone, "{profile}");
        assert!(between(&disk.device) == old, "{profile}");
    }
}

/// No partition is made while WinRE is in use elsewhere, so a plan alone has nothing to offer.
#[test]
fn winre_on_a_data_volume_was_told_to_plan_what_is_always_refused() {
    let [report, _] = planned("mbr-winre-in-system-reserved", None);
    assert_eq!(code(&report), Some("not-recovery-type"));
    let mut findings = report.findings.iter();
    let finding = findings.find(|finding| finding.code == "winre-on-data-volume");
    let next = finding.unwrap().explained.next.to_string();
    assert!(next.contains("`reagentc /disable`"), "{next}");
}
