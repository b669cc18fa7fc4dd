//! Everybody's view of the NTFS volumes, before and after.

use crate::counts::Bench;
use crate::volume::image::Image;
use crate::volume::judge::{
    assert_ntfsfix_is_content, assert_ntfsresize_accounts, other_findings, our_report,
};
use crate::volume::manifest::Manifest;
use crate::volume::mount::{Access, Mounted};
use crate::volume::tools::{oracle, try_run};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use winrefit_disk::{ByteRange, Device, MemoryDevice, ReadAt};

/// Files whose content a repair changes.
pub const REWRITTEN: [&str; 2] = ["ReAgent.xml", "BCD"];

/// What a file is about which nothing has to be said: it is rewritten, or the shadow copies go.
fn is_kept(path: &str, drops_shadows: bool) -> bool {
    let path = path.replace('/', "\\");
    let rewritten = REWRITTEN.iter().any(|end| path.ends_with(end));
    let dropped = drops_shadows && path.contains("System Volume Information");
    !rewritten && !dropped
}

/// The directory of ReAgent.xml, whose entry has its length: an offset may get a digit more.
pub fn is_rewritten(file: &str, what: &str) -> bool {
    what.ends_with(":$I30")
        && (file.ends_with(r"\System32\Recovery") || file.ends_with(r"\Recovery\WindowsRE"))
}

/// A volume of a disk as a file of its own.
pub fn image_of(disk: &MemoryDevice, range: ByteRange) -> Image {
    let bytes = disk.read_vec(range.start, range.len() as usize).unwrap();
    Image::of(&bytes, 0, disk.sector_size().bytes() as u32)
}

/// Size by path, and the hash of all contents.
type Listing = (BTreeMap<String, String>, Vec<u8>);

/// A volume before and after.
pub struct Pair {
    pub old: Image,
    pub new: Image,
    /// Sectors before the partition.
    pub hidden: [u64; 2],
    pub drops_shadows: bool,
}

impl Pair {
    /// The volume is as sound as it was, and has the same content.
    pub fn judge(&self, bench: &Bench<'_>) {
        self.judge_damage(bench);
        let mut views = [Manifest::of(&self.old), Manifest::of(&self.new)];
        self.assert_same(&mut views, "our reader");
        bench.judged("our reader: same content");
        if bench.one_in(4) {
            self.compare_mounted(bench);
        }
        if bench.one_in(3) {
            self.compare_seven_zip(bench);
        }
        if bench.one_in(3) {
            self.compare_sleuthkit(bench);
        }
    }

    fn assert_same(&self, views: &mut [Manifest; 2], who: &str) {
        for view in &mut *views {
            view.retain(|file, what| is_kept(file, self.drops_shadows) && !is_rewritten(file, what));
        }
        assert!(views[0].len() > 10, "the manifest is empty");
        views[0].assert_same(&views[1], who);
    }

    /// Nobody finds more than before.
    pub fn judge_damage(&self, bench: &Bench<'_>) {
        let before = our_report(&self.old, self.hidden[0]);
        let after = our_report(&self.new, self.hidden[1]);
        for (code, &count) in &after.counts {
            let allowed = before.counts.get(code).copied().unwrap_or(0);
            assert!(count <= allowed, "{code:?}: {:#?}", after.problems);
        }
        assert_eq!((after.unmarked_clusters, after.shared_clusters), (0, 0));
        assert!(after.leaked_clusters <= before.leaked_clusters);
        bench.judged("our checker");
        let findings = other_findings(&self.new);
        assert!(findings.len() <= other_findings(&self.old).len(), "{findings:#?}");
        bench.judged("rust-fs-ntfs");
        judge_by_ntfsprogs(
            bench,
            &self.new,
            after.bad_clusters > 0,
            after.leaked_clusters > 0,
        );
    }

    fn compare_mounted(&self, bench: &Bench<'_>) {
        let view = |image| Mounted::new(image, Access::ReadOnly).map(|m| Manifest::of_host(m.root()));
        if let (Some(old), Some(new)) = (view(&self.old), view(&self.new)) {
            self.assert_same(&mut [old, new], "ntfs-3g");
            bench.judged("ntfs-3g: same content");
        }
    }

    /// It opens no volumes with large sectors, and takes some sparse files of ntfs-3g for damaged.
    fn compare_seven_zip(&self, bench: &Bench<'_>) {
        if let (Some(Some(old)), Some(new)) = (self.seven_zip(&self.old), self.seven_zip(&self.new)) {
            assert_eq!(new, Some(old), "7-Zip");
            bench.judged("7zz: same content");
        }
    }

    fn compare_sleuthkit(&self, bench: &Bench<'_>) {
        let (Some(mut old), Some(mut new)) = (oracle("fls"), oracle("fls")) else {
            return;
        };
        let lines = |tool: &mut Command, image: &Image| {
            let (success, printed) = try_run(tool.args(["-f", "ntfs", "-r", "-p"]).arg(image.path()));
            let lines = printed.lines().filter_map(listed);
            let lines =
                lines.filter(|line| !self.drops_shadows || !line.contains("System Volume Information"));
            (success, lines.collect::<BTreeSet<_>>())
        };
        let (old, new) = (lines(&mut old, &self.old), lines(&mut new, &self.new));
        if old.0 {
            assert!(old.1.len() > 10);
            let differ: Vec<_> = old.1.symmetric_difference(&new.1).take(5).collect();
            assert!(new.0 && differ.is_empty(), "fls: {differ:#?}");
            bench.judged("fls: same paths");
        }
        let stat = |image: &Image| Some(try_run(oracle("fsstat")?.args(["-f", "ntfs"]).arg(image.path())));
        if let (Some(old), Some(new)) = (stat(&self.old), stat(&self.new)) {
            assert!(new.0 || !old.0, "{}", new.1);
            if old.0 {
                bench.judged("fsstat");
            }
        }
    }

    /// Path, size and hash of all files; `Some(None)` where 7-Zip does not read the volume.
    fn seven_zip(&self, image: &Image) -> Option<Option<Listing>> {
        let (success, printed) = try_run(oracle("7zz")?.args(["l", "-slt", "-tntfs", image.path()]));
        if !success {
            return Some(None);
        }
        let mut sizes = BTreeMap::new();
        let mut path = "";
        for line in printed.lines() {
            if let Some(found) = line.strip_prefix("Path = ") {
                path = found;
            } else if let Some(size) = line.strip_prefix("Size = ")
                && !path.starts_with("[SYSTEM]")
                && is_kept(path, self.drops_shadows)
            {
                sizes.insert(path.to_owned(), size.to_owned());
            }
        }
        let mut extract = oracle("7zz")?;
        extract.args(["x", "-so", "-tntfs", "-x![SYSTEM]"]);
        extract.args(REWRITTEN.map(|name| format!("-xr!{name}")));
        if self.drops_shadows {
            extract.arg("-xr!System Volume Information");
        }
        let output = extract.arg(image.path()).output().unwrap();
        let hash = Sha256::digest(&output.stdout).to_vec();
        Some(output.status.success().then_some((sizes, hash)))
    }
}

/// Type, record and path of an allocated file in a line of fls, without the identifiers of its attributes, which are new
/// where an attribute has moved to another record.
fn listed(line: &str) -> Option<String> {
    let (entry, path) = line.split_once(":\t")?;
    let record = entry.split('-').next()?;
    (!entry.contains('*') && !path.starts_with("$OrphanFiles")).then(|| format!("{record} {path}"))
}

/// ntfsfix and ntfsresize on a volume of the repaired disk.
pub fn judge_by_ntfsprogs(bench: &Bench<'_>, image: &Image, has_bad: bool, has_leaks: bool) {
    if oracle("ntfsfix").is_some() {
        assert_ntfsfix_is_content(image);
        bench.judged("ntfsfix -n");
    }
    // It refuses volumes with leaked clusters.
    if !has_leaks && oracle("ntfsresize").is_some() {
        assert_ntfsresize_accounts(image, has_bad);
        bench.judged("ntfsresize -i");
    }
}
