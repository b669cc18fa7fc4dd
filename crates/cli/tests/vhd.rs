//! A VHD of fixed size is a raw image with a footer, which stays where and as it is.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "peer_disk/support.rs"]
#[allow(dead_code)]
mod support;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use support::{hash_of, report, tool_ok};
use winrefit_lab::{CreateOptions, Profile, create_file};

const FOOTER_BYTES: u64 = 512;

fn footer(vhd: &Path) -> Vec<u8> {
    let file = File::open(vhd).unwrap();
    let mut footer = vec![0; FOOTER_BYTES as usize];
    let at = file.metadata().unwrap().len() - FOOTER_BYTES;
    file.read_exact_at(&mut footer, at).unwrap();
    footer
}

/// A GPT whose second copy lies right before the footer. None without qemu-img.
fn vhd(folder: &Path) -> Option<std::path::PathBuf> {
    let (raw, vhd) = (folder.join("raw.img"), folder.join("disk.vhd"));
    let options = CreateOptions {
        size: Some(8 << 30),
        files: Some(20),
        event_log: None,
    };
    create_file(Profile::find("server2022").unwrap(), &options, &raw).unwrap();
    let (from, to) = (raw.to_str().unwrap(), vhd.to_str().unwrap());
    let fixed = ["-O", "vpc", "-o", "subformat=fixed,force_size=on"];
    tool_ok(
        "qemu-img",
        &[&["convert", "-f", "raw"][..], &fixed, &[from, to]].concat(),
    )?;
    Some(vhd)
}

#[test]
fn a_vhd_of_fixed_size_is_repaired_and_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some(vhd) = vhd(folder.path()) else { return };
    let (path, old_footer, old) = (vhd.to_str().unwrap(), footer(&vhd), hash_of(&vhd));
    let before = report(3, &["diagnose", path]);
    assert_eq!(before["disk"]["size_bytes"], 8_u64 << 30);
    let codes = before["findings"].as_array().unwrap().iter();
    assert!(
        codes.clone().all(|finding| finding["code"] != "disk-has-grown"),
        "{before:#}"
    );
    report(0, &["fix", path, "--yes"]);
    assert_eq!(footer(&vhd), old_footer);
    let info = tool_ok("qemu-img", &["info", "-f", "vpc", "--output", "json", path]).unwrap();
    assert!(info.contains("\"virtual-size\": 8589934592"), "{info}");
    // What a virtual machine sees of it.
    let seen = folder.path().join("seen.img");
    let seen = seen.to_str().unwrap();
    tool_ok("qemu-img", &["convert", "-f", "vpc", "-O", "raw", path, seen]).unwrap();
    report(0, &["verify", seen]);
    if let Some(said) = tool_ok("sgdisk", &["-v", seen]) {
        assert!(said.contains("No problems found"), "{said}");
    }
    report(0, &["undo", path, "--yes"]);
    assert_eq!(hash_of(&vhd), old);
}

#[test]
fn a_footer_that_does_not_fit_its_file_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let Some(vhd) = vhd(folder.path()) else { return };
    let file = File::options().write(true).open(&vhd).unwrap();
    let at = file.metadata().unwrap().len() - FOOTER_BYTES;
    // The time stamp, which the checksum covers.
    file.write_all_at(&[0xA5], at + 27).unwrap();
    drop(file);
    let old = hash_of(&vhd);
    for command in [&["diagnose"][..], &["plan"], &["fix", "--yes"]] {
        let arguments = [&command[..1], &[vhd.to_str().unwrap()], &command[1..]].concat();
        let said = support::winrefit(&[&arguments[..], &["--format", "json"]].concat());
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert_eq!(said.status.code(), Some(1), "{text}");
        assert!(
            text.contains("not-raw") && text.contains("the file is a VHD image"),
            "{text}"
        );
    }
    assert_eq!(hash_of(&vhd), old);
}
