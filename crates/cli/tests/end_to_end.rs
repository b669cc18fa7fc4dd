//! The main job with the binary on a whole lab disk of 64 GiB: what the README promises, step by step.
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use support::{extract, hash_of, partition, range_of, report, tool_ok, winrefit};
use winrefit_disk::{ByteRange, DiskFile, ReadAt, ReadWindow};
use winrefit_ntfs::{AttributeType, RecordNumber, Volume};

const WINDOWS: u64 = 3;
const RECOVERY: u64 = 4;
const REAGENT: &str = r"\Windows\System32\Recovery\ReAgent.xml";

/// Every stream of every file of a volume, by path and name; contents as hashes.
fn files(image: &Path, within: std::ops::Range<u64>) -> BTreeMap<String, u64> {
    let disk = DiskFile::open_read(image).unwrap();
    let volume =
        Volume::open(ReadWindow::new(&disk, ByteRange::new(within.start, within.end)).unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for number in 24..volume.records() {
        let Ok(file) = volume.file(RecordNumber(number)) else {
            continue;
        };
        if !file.base().is_in_use() || file.base().base().is_some() {
            continue;
        }
        let path = winrefit_ntfs::check::path_of(&volume, RecordNumber(number)).unwrap();
        let hash = match file.stream(AttributeType::DATA, "").unwrap() {
            Some(stream) => hash(&volume.stream_reader(stream).unwrap()),
            None => 0,
        };
        all.insert(path, hash);
    }
    all
}

/// FNV-1a in 8-byte steps: a change of any byte changes it.
fn hash(reader: &dyn ReadAt) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64 ^ reader.size();
    let mut at = 0;
    while at < reader.size() {
        let chunk = reader
            .read_vec(at, (reader.size() - at).min(1 << 20) as usize)
            .unwrap();
        for word in chunk.chunks(8) {
            let mut bytes = [0; 8];
            bytes[..word.len()].copy_from_slice(word);
            hash = (hash ^ u64::from_le_bytes(bytes))
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(29);
        }
        at += chunk.len() as u64;
    }
    hash
}

fn read_file(image: &Path, within: std::ops::Range<u64>, path: &str) -> String {
    let disk = DiskFile::open_read(image).unwrap();
    let volume =
        Volume::open(ReadWindow::new(&disk, ByteRange::new(within.start, within.end)).unwrap()).unwrap();
    let stream = volume
        .lookup(path)
        .unwrap()
        .unwrap()
        .require(AttributeType::DATA, "")
        .unwrap();
    String::from_utf8(volume.read_stream(stream, 1 << 20).unwrap()).unwrap()
}

fn codes(report: &serde_json::Value) -> Vec<&str> {
    report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["code"].as_str().unwrap())
        .collect()
}

/// Every file is as it was, but for the one number in ReAgent.xml.
fn assert_files_kept(
    image: &Path,
    old_files: &[BTreeMap<String, u64>; 2],
    old_start: u64,
    new_ranges: [std::ops::Range<u64>; 2],
    old_xml: &str,
) {
    let new_xml = read_file(image, new_ranges[0].clone(), REAGENT);
    let expected = old_xml.replace(&old_start.to_string(), &new_ranges[1].start.to_string());
    assert_eq!(new_xml, expected, "ReAgent.xml differs in its one number");
    assert_ne!(new_xml, old_xml);
    for (old, new_range) in old_files.iter().zip(new_ranges) {
        let new = files(image, new_range);
        assert!(new.keys().eq(old.keys()), "a file has come or gone");
        let changed: Vec<_> = old.iter().filter(|(path, hash)| new[*path] != **hash).collect();
        assert!(
            changed.iter().all(|(path, _)| path.ends_with(r"\ReAgent.xml")),
            "{changed:?}"
        );
    }
}

#[test]
fn server_2022_from_the_failing_update_to_undo() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("server.img");
    let disk = image.to_str().unwrap();
    let made = winrefit(&["lab", "create", "server2022", disk]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let old_hash = hash_of(&image);

    let diagnosis = report(3, &["diagnose", disk]);
    assert_eq!(diagnosis["verdict"], "needs-repair");
    assert_eq!(codes(&diagnosis), ["re-too-small", "winre-image-vulnerable"]);
    assert_eq!(diagnosis["recovery"]["size_bytes"], 525u64 << 20);
    assert_eq!(diagnosis["recovery"]["free_bytes"], 86_372_352u64, "82.37 MiB");
    assert_eq!(diagnosis["recovery"]["enabled"], true);
    assert_eq!(diagnosis["windows"][0]["product"], "Windows Server 2022 Standard");
    let (old_os, old_re) = (
        partition(&diagnosis, WINDOWS).clone(),
        partition(&diagnosis, RECOVERY).clone(),
    );
    let old_files = [files(&image, range_of(&old_os)), files(&image, range_of(&old_re))];
    let efi = range_of(partition(&diagnosis, 1));
    let (old_efi, new_efi) = (directory.path().join("efi.old"), directory.path().join("efi.new"));
    extract(&image, efi.clone(), &old_efi);
    let old_xml = read_file(&image, range_of(&old_os), REAGENT);

    let plan = report(3, &["plan", disk]);
    assert_eq!(plan["plan"]["strategy"], "shrink+grow-front");
    assert!(plan["plan"]["bytes_written"].as_u64().unwrap() < 2 << 20);
    assert_eq!(hash_of(&image), old_hash, "plan has written");

    let fixed = report(0, &["fix", disk, "--yes"]);
    assert_eq!(fixed["verdict"], "repaired");
    assert_eq!(fixed["plan"]["bytes_written"], plan["plan"]["bytes_written"]);
    assert_eq!(report(0, &["verify", disk])["verdict"], "healthy");
    assert_eq!(report(0, &["check", disk])["verdict"], "healthy");

    // There is room; the image has yet to be updated by Windows.
    let after = report(7, &["diagnose", disk]);
    assert_eq!(codes(&after), ["winre-image-vulnerable"]);
    let (new_os, new_re) = (partition(&after, WINDOWS), partition(&after, RECOVERY));
    for field in ["number", "unique_guid", "type", "attributes", "name"] {
        assert_eq!(new_re[field], old_re[field], "{field} of the recovery partition");
        assert_eq!(new_os[field], old_os[field], "{field} of the Windows partition");
    }
    assert_eq!(new_re["size_bytes"], 1000u64 << 20);
    extract(&image, efi, &new_efi);
    assert!(
        std::fs::read(&old_efi).unwrap() == std::fs::read(&new_efi).unwrap(),
        "the boot store's volume"
    );

    let new_ranges = [range_of(new_os), range_of(new_re)];
    assert_files_kept(&image, &old_files, range_of(&old_re).start, new_ranges, &old_xml);
    tool_ok("sgdisk", &["-v", disk]);

    let again = report(0, &["fix", disk, "--yes"]);
    assert_eq!(
        (&again["verdict"], &again["plan"]["strategy"]),
        (&"healthy".into(), &"keep".into())
    );
    let undone = report(0, &["undo", disk, "--yes"]);
    assert_eq!(
        (&undone["verdict"], &undone["journal"]["state"]),
        (&"undone".into(), &"removed".into())
    );
    assert_eq!(
        hash_of(&image),
        old_hash,
        "undo has not given back the old image bit for bit"
    );
    assert_eq!(
        report(4, &["undo", disk, "--yes"])["refusal"]["code"],
        "nothing-to-undo"
    );
}

#[test]
fn exit_codes_and_refusals_of_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("healthy.img");
    let disk = image.to_str().unwrap();
    let made = winrefit(&[
        "lab", "create", "healthy", disk, "--size", "8GiB", "--files", "200",
    ]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(report(0, &["diagnose", disk])["verdict"], "healthy");
    assert_eq!(report(0, &["plan", disk])["plan"]["strategy"], "keep");
    assert_eq!(report(0, &["resume", disk])["verdict"], "healthy");
    let exit = |arguments: &[&str]| winrefit(arguments).status.code();
    assert_eq!(
        exit(&["lab", "create", "healthy", disk]),
        Some(1),
        "an existing file"
    );
    assert_eq!(exit(&["diagnose", "/nonexistent/disk.img"]), Some(1));
    assert_eq!(exit(&["diagnose"]), Some(2));
    assert_eq!(exit(&["lab", "create", "no-such-profile", "x.img"]), Some(2));
    assert_eq!(
        exit(&["fix", disk, "--size", "1900MiB"]),
        Some(2),
        "no question is answered by a pipe"
    );
    assert_eq!(
        report(4, &["plan", disk, "--recovery-partition", "3"])["refusal"]["code"],
        "not-recovery-type"
    );
    assert_eq!(
        report(4, &["plan", disk, "--size", "3GiB"])["refusal"]["code"],
        "target-too-large"
    );

    let held = DiskFile::open_write(&image).unwrap();
    assert_eq!(
        report(4, &["fix", disk, "--yes"])["refusal"]["code"],
        "target-in-use"
    );
    drop(held);
    std::fs::write(directory.path().join("text.img"), vec![b'x'; 1 << 20]).unwrap();
    assert_eq!(
        exit(&["diagnose", directory.path().join("text.img").to_str().unwrap()]),
        Some(1)
    );
}

#[test]
fn the_demo_runs_and_keeps_its_disk_when_asked() {
    let directory = tempfile::tempdir().unwrap();
    let kept = directory.path().join("kept");
    let output = winrefit(&["demo", "--keep", kept.to_str().unwrap()]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    for word in ["0x80070643", "525 MiB", "1000 MiB", "before", "after", "verified"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let disk = std::fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    assert_eq!(
        report(0, &["verify", disk.to_str().unwrap()])["verdict"],
        "healthy"
    );
}
