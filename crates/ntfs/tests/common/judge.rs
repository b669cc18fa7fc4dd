//! Everyone who can say whether a volume is sound, asked one by one or all together.

use super::image::Image;
use super::manifest::Manifest;
use super::mount::{Access, Mounted};
use super::tools::{oracle, run, try_run};
use std::collections::BTreeMap;
use winrefit_disk::{Device, ReadAt, SectorSize};
use winrefit_ntfs::check::{CheckOptions, CheckReport, PartitionPlace, ProblemCode, check};

/// The report of our own checker, told where the partition is.
pub fn our_report(image: &Image, hidden_sectors: u64) -> CheckReport {
    let sector_size = image.sector_size().bytes();
    let options = CheckOptions {
        partition: Some(PartitionPlace {
            start_lba: hidden_sectors,
            sectors: image.size() / sector_size,
            sector_size: sector_size as u32,
        }),
        problems_max: 5,
        ..CheckOptions::default()
    };
    check(image, &options).unwrap()
}

/// Our own checker finds no problem of any severity.
pub fn assert_our_checker_finds_nothing(image: &Image, hidden_sectors: u64) {
    let report = our_report(image, hidden_sectors);
    assert!(
        report.problems_total == 0,
        "{}: {:#?}",
        image.path(),
        report.problems
    );
    assert_eq!(
        (
            report.leaked_clusters,
            report.unmarked_clusters,
            report.bad_clusters
        ),
        (0, 0, 0)
    );
}

/// What the checker of the crate rust-fs-ntfs finds, which compares records, run lists, $Bitmap and $MFTMirr. Not
/// asked on 4096-byte sectors, where it expects update sequences of that stride; NTFS and ntfs-3g have 512.
pub fn other_findings(image: &Image) -> Vec<String> {
    if image.sector_size() == SectorSize::B4096 {
        return Vec::new();
    }
    let mut io = fs_ntfs::block_io::PathIo::open_ro(image.path().as_ref()).unwrap();
    let report = match fs_ntfs::fsck::check_io(&mut io) {
        // It reads no $LogFile in pieces, which NTFS permits.
        Err(error) if error.to_string().contains("is not a single extent") => return Vec::new(),
        report => report.unwrap(),
    };
    assert!(
        !report.dirty && report.clusters_scanned > 0 && report.records_scanned >= 19,
        "{report:?}"
    );
    report
        .findings
        .iter()
        .map(|finding| format!("{finding:?}"))
        .collect()
}

/// The other crate's checker finds nothing.
pub fn assert_other_checker_finds_nothing(image: &Image) {
    let findings = other_findings(image);
    assert!(findings.is_empty(), "{}: {findings:#?}", image.path());
}

/// ntfsresize accounts for every cluster. `bad` if clusters are recorded as bad, which it wants to be told.
pub fn assert_ntfsresize_accounts(image: &Image, bad: bool) {
    let Some(mut tool) = oracle("ntfsresize") else {
        return;
    };
    tool.args(bad.then_some("--bad-sectors"));
    let (success, printed) = try_run(tool.args(["-i", "-f", "-P"]).arg(image.path()));
    // Having accounted for everything, it computes how small the volume can get, and regrets if that is its size.
    let full = printed.contains("ERROR: Volume is full. To shrink it");
    assert!(
        printed.contains("Accounting clusters") && (full || (success && !printed.contains("ERROR"))),
        "{printed}"
    );
}

/// ntfsfix, told to change nothing, has nothing to do.
pub fn assert_ntfsfix_is_content(image: &Image) {
    let Some(mut tool) = oracle("ntfsfix") else { return };
    let printed = run(tool.arg("-n").arg(image.path()));
    assert!(printed.contains("processed successfully"), "{printed}");
}

/// 7-Zip reads every file. It opens no volume with sectors other than 512 bytes, not even one that mkntfs has just
/// made; such are not shown to it. `Err` is what it complains of.
pub fn seven_zip(image: &Image) -> Result<(), String> {
    if image.sector_size() != SectorSize::B512 {
        return Ok(());
    }
    let Some(mut tool) = oracle("7zz") else {
        return Ok(());
    };
    let (success, printed) = try_run(tool.args(["t", "-tntfs"]).arg(image.path()));
    if success && printed.contains("Everything is Ok") {
        Ok(())
    } else {
        Err(printed)
    }
}

/// Every tool that checks a volume accepts this one.
pub fn assert_tools_accept(image: &Image) {
    assert_ntfsfix_is_content(image);
    assert_ntfsresize_accounts(image, false);
    if let Err(printed) = seven_zip(image) {
        panic!("{printed}");
    }
    if let Some(mut tool) = oracle("fsstat") {
        run(tool.args(["-f", "ntfs"]).arg(image.path()));
    }
}

/// What everyone says of a volume before it is resized: none may say anything worse of it afterwards.
pub struct Judge {
    /// What is on the volume.
    pub manifest: Manifest,
    /// The same as ntfs-3g shows it.
    mounted: Option<Manifest>,
    problems: BTreeMap<ProblemCode, u64>,
    leaked: u64,
    bad: u64,
    other_findings: usize,
    /// 7-Zip takes sparse files of ntfs-3g for damaged.
    seven_zip: bool,
    /// ntfsresize refuses volumes with leaked clusters.
    accounted: bool,
}

impl Judge {
    /// Asks everyone about a volume. `Err` if it is damaged already.
    pub fn of(image: &Image) -> Result<Self, String> {
        let report = our_report(
            image,
            winrefit_ntfs::Volume::open(image)
                .unwrap()
                .boot()
                .hidden_sectors()
                .into(),
        );
        if !report.is_consistent() {
            return Err(format!("damaged beforehand: {:#?}", report.problems));
        }
        let accounted = report.leaked_clusters == 0;
        let judge = Self {
            manifest: Manifest::of(image),
            mounted: Mounted::new(image, Access::ReadOnly).map(|m| Manifest::of_host(m.root())),
            problems: report.counts,
            leaked: report.leaked_clusters,
            bad: report.bad_clusters,
            other_findings: other_findings(image).len(),
            seven_zip: seven_zip(image).is_ok(),
            accounted,
        };
        assert!(judge.manifest.len() >= 11, "the manifest is empty");
        Ok(judge)
    }

    /// Asks everyone about the same volume after it was resized, in a partition that it fills.
    pub fn accept(&self, image: &Image, hidden_sectors: u64) {
        self.accept_damage(image, hidden_sectors);
        self.manifest.assert_same(&Manifest::of(image), "our reader");
        if let Some(before) = &self.mounted {
            let mounted = Mounted::new(image, Access::ReadOnly).unwrap();
            before.assert_same(&Manifest::of_host(mounted.root()), "ntfs-3g");
        }
    }

    /// Looks at a volume in the midst of a resize: every file is whole, and no cluster in use is free to be taken.
    pub fn accept_midway(&self, image: &Image) {
        let report = check(image, &CheckOptions::default()).unwrap();
        assert_eq!(report.unmarked_clusters, 0, "{:#?}", report.problems);
        // An attribute that spills is there twice for a step: where nothing names it yet, or no more.
        let spills = report.count(ProblemCode::AttributeUnlisted) > 0;
        assert!(spills || report.shared_clusters == 0, "{:#?}", report.problems);
        self.manifest
            .assert_same(&Manifest::of(image), "our reader, midway");
    }

    /// The checkers only, without a look at the content.
    fn accept_damage(&self, image: &Image, hidden_sectors: u64) {
        let report = our_report(image, hidden_sectors);
        for (code, &count) in &report.counts {
            let before = self.problems.get(code).copied().unwrap_or(0);
            assert!(
                count <= before,
                "{code:?}: {before} before, {count} now: {:#?}",
                report.problems
            );
        }
        assert_eq!((report.unmarked_clusters, report.shared_clusters), (0, 0));
        assert!(
            report.leaked_clusters <= self.leaked && report.bad_clusters <= self.bad,
            "leaked {} (before: {}), bad {} (before: {})",
            report.leaked_clusters,
            self.leaked,
            report.bad_clusters,
            self.bad
        );
        let findings = other_findings(image);
        assert!(findings.len() <= self.other_findings, "{findings:#?}");
        assert_ntfsfix_is_content(image);
        if self.accounted {
            assert_ntfsresize_accounts(image, report.bad_clusters > 0);
        }
        if self.seven_zip
            && let Err(printed) = seven_zip(image)
        {
            panic!("{printed}");
        }
    }
}
