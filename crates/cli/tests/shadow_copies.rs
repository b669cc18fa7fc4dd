//! Shadow copies with the binary on a whole lab disk: refused with the way out, given up on demand, back after undo.
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

#[path = "../../ntfs/tests/common/shadow.rs"]
mod shadow;

use support::{hash_of, partition, range_of, report, winrefit};
use winrefit_disk::{ByteRange, DiskFile, Window};

const WINDOWS: u64 = 3;

#[test]
fn refused_then_given_up_on_demand_and_back_after_undo() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("server.img");
    let disk = image.to_str().unwrap();
    let made = winrefit(&["lab", "create", "server2022", disk, "--files", "50"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let range = range_of(partition(&report(3, &["diagnose", disk]), WINDOWS));
    let header = shadow::HEADER;
    {
        let mut device = DiskFile::open_write(&image).unwrap();
        let mut part = Window::new(&mut device, ByteRange::new(range.start, range.end)).unwrap();
        // In space that is free and stays free.
        shadow::write_catalog_at(&mut part, 40 << 30, 3);
    }
    let old = hash_of(&image);

    let refused = report(4, &["plan", disk]);
    assert_eq!(refused["refusal"]["code"], "shadow-copies");
    let next = refused["refusal"]["next"].as_str().unwrap();
    assert!(
        next.contains("--drop-shadow-copies") && next.contains("vssadmin"),
        "{next}"
    );
    assert_eq!(report(4, &["fix", disk, "--yes"])["verdict"], "refused");
    assert_eq!(hash_of(&image), old, "nothing was written");

    let planned = report(3, &["plan", disk, "--drop-shadow-copies"]);
    let dropped = &planned["plan"]["dropped_shadow_copies"][0];
    assert_eq!((&dropped["partition"], &dropped["count"]), (&3.into(), &3.into()));
    assert_eq!(dropped["oldest"], "2024-01-01T00:00:00Z");
    assert_eq!(dropped["newest"], "2024-01-03T00:00:00Z");
    let summary = planned["plan"]["summary"].as_str().unwrap();
    assert!(summary.contains("Partition 3 loses its shadow copies: 3 shadow copies"));
    let page = winrefit(&["plan", disk, "--drop-shadow-copies"]).stdout;
    assert!(String::from_utf8(page).unwrap().contains("Given up"));

    let fixed = report(0, &["fix", disk, "--yes", "--drop-shadow-copies"]);
    assert_eq!(fixed["verdict"], "repaired");
    let offset = |image: &std::path::Path| {
        use std::os::unix::fs::FileExt;
        let mut bytes = [0; 8];
        let file = std::fs::File::open(image).unwrap();
        file.read_exact_at(&mut bytes, range.start + header + 48).unwrap();
        u64::from_le_bytes(bytes)
    };
    assert_eq!(offset(&image), 0);
    assert_eq!(report(0, &["verify", disk])["verdict"], "healthy");
    assert_eq!(report(0, &["undo", disk, "--yes"])["verdict"], "undone");
    assert_eq!(offset(&image), 40 << 30);
    assert_eq!(hash_of(&image), old);
}
