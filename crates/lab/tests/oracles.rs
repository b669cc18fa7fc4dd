//! Tools by other people judge a whole disk: table, file systems, contents, hives, image.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "../src/oracle.rs"]
mod oracle;

use oracle::{TempFile, run, skip};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use winrefit_disk::{DiskFile, ReadWindow};
use winrefit_lab::content::{self, EntryKind};
use winrefit_lab::profile::Role;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create_file, fat};

/// A disk in a folder of its own.
struct Disk {
    folder: tempfile::TempDir,
    made: CreatedDisk,
}

impl Disk {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = CreateOptions {
            size: Some(4 << 30),
            files: Some(1500),
            event_log: None,
        };
        let profile = Profile::find(name).unwrap();
        let made = create_file(profile, &options, &folder.path().join("disk.img")).unwrap();
        Self { folder, made }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("disk.img")
    }

    /// A partition as a read-only block device; `None`, with a notice, where that is not possible.
    fn attach(&self, role: Role) -> Option<Loop> {
        if run("id", &["-u"])?.trim() != "0" || !Path::new("/dev/loop-control").exists() {
            skip("loop devices need root and /dev/loop-control");
            return None;
        }
        let range = self.made.partition(role).unwrap().range;
        let (offset, length) = (range.start.to_string(), range.len().to_string());
        let path = self.path();
        let arguments = ["-r", "-f", "--show", "-o", &offset, "--sizelimit", &length];
        let printed = run("losetup", &[&arguments[..], &[path.to_str().unwrap()]].concat())?;
        Some(Loop(printed.trim().to_owned()))
    }

    /// All files of an NTFS partition as ntfs-3g reads them; paths with `/`, `None` for directories.
    fn mounted(&self, role: Role) -> Option<BTreeMap<String, Option<Vec<u8>>>> {
        let device = self.attach(role)?;
        if !Path::new("/dev/fuse").exists() {
            skip("mounting needs /dev/fuse");
            return None;
        }
        let place = self.folder.path().join("mounted");
        std::fs::create_dir_all(&place).unwrap();
        let place_text = place.to_str().unwrap();
        run(
            "ntfs-3g",
            &[
                "-o",
                "ro,show_sys_files,streams_interface=none",
                &device.0,
                place_text,
            ],
        )?;
        let tree = std::panic::catch_unwind(|| read_tree(&place));
        run("umount", &[place_text]);
        Some(tree.unwrap())
    }
}

/// A loop device; detached with its owner.
struct Loop(String);

impl Drop for Loop {
    fn drop(&mut self) {
        // Not `run`, which may panic. ntfs-3g holds the device for a moment after unmounting; the kernel detaches
        // when it lets go.
        let _ = std::process::Command::new("losetup")
            .args(["-d", &self.0])
            .status();
    }
}

fn read_tree(root: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut tree = BTreeMap::new();
    let mut rest = vec![root.to_owned()];
    while let Some(directory) = rest.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            // The files of NTFS itself.
            if name.starts_with('$') {
                continue;
            }
            let content = if path.is_dir() {
                rest.push(path);
                None
            } else {
                Some(std::fs::read(&path).unwrap())
            };
            tree.insert(name, content);
        }
    }
    tree
}

#[test]
fn sgdisk_finds_no_problem() {
    for name in ["server2022", "healthy", "256-entries", "ends-in-reserve"] {
        let disk = Disk::new(name);
        let path = disk.path();
        let Some(report) = run("sgdisk", &["-v", path.to_str().unwrap()]) else {
            return;
        };
        assert!(report.contains("No problems found"), "{report}");
        // Its last partition ends at the last usable sector.
        let odd = name == "ends-in-reserve";
        assert_eq!(report.contains("Caution"), odd, "{report}");
    }
}

#[test]
fn ntfsprogs_account_for_every_cluster() {
    for name in ["server2022", "healthy", "full-tail", "shadow-copies"] {
        let disk = Disk::new(name);
        for role in [Role::Windows, Role::Recovery] {
            let Some(device) = disk.attach(role) else { return };
            if let Some(report) = run("ntfsfix", &["-n", &device.0]) {
                assert!(report.contains("processed successfully"), "{report}");
            }
            if let Some(report) = run("ntfsresize", &["-i", "-f", "-P", &device.0]) {
                assert!(
                    report.contains("Accounting clusters") && !report.contains("ERROR"),
                    "{report}"
                );
            }
            if let Some(listing) = run("fls", &["-f", "ntfs", "-r", "-p", &device.0]) {
                let file = match role {
                    Role::Windows => "Windows/System32/Recovery/ReAgent.xml",
                    _ => "Recovery/WindowsRE/Winre.wim",
                };
                assert!(listing.contains(file), "{listing}");
            }
            // This tool does not go on where a volume has no label, as C: has none.
            if role == Role::Recovery
                && let Some(report) = run("fsstat", &["-f", "ntfs", &device.0])
            {
                assert!(report.contains("Volume Name: Recovery"), "{report}");
            }
        }
    }
}

#[test]
fn ntfs_3g_reads_what_was_generated() {
    let disk = Disk::new("server2022");
    let Some(mut tree) = disk.mounted(Role::Windows) else {
        return;
    };
    for entry in content::tree(disk.made.seed, disk.made.file_count) {
        let path = entry.path.replace('\\', "/");
        let found = tree.remove(&path).unwrap_or_else(|| panic!("{path} is missing"));
        let expected = match entry.kind {
            EntryKind::Directory => None,
            EntryKind::File { size_bytes, seed } => {
                let mut bytes = vec![0; size_bytes as usize];
                content::fill(seed, 0, &mut bytes);
                Some(bytes)
            }
        };
        assert!(found == expected, "{path} has another content");
    }
    // Besides folders: those of the generated tree were found with it.
    let files = tree.iter().filter(|(_, content)| content.is_some());
    let rest: Vec<&str> = files.map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        rest,
        [
            "Windows/Boot/DVD/EFI/boot.sdi",
            "Windows/Boot/DVD/PCAT/boot.sdi",
            "Windows/Logs/CBS/CBS.log",
            "Windows/Logs/ReAgent/ReAgent.log",
            "Windows/Panther/setupact.log",
            "Windows/SoftwareDistribution/DataStore/DataStore.edb",
            "Windows/SoftwareDistribution/DataStore/Logs/edb.log",
            "Windows/SoftwareDistribution/Download/3f2a6c5b0d7e4a19/windows10.0-kb5034122-x64.cab",
            "Windows/SoftwareDistribution/ReportingEvents.log",
            "Windows/System32/Recovery/ReAgent.xml",
            "Windows/System32/catroot2/dberr.txt",
            "Windows/System32/catroot2/edb.log",
            "Windows/System32/catroot2/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}/catdb",
            "Windows/System32/config/SOFTWARE",
            "Windows/System32/config/SYSTEM",
            "Windows/System32/winevt/Logs/Application.evtx",
            "Windows/System32/winevt/Logs/System.evtx",
        ]
    );
    judge_evidence(&tree);
    let software = tree["Windows/System32/config/SOFTWARE"].as_deref().unwrap();
    let hive = TempFile::new("SOFTWARE", software);
    let key = r"\Microsoft\Windows NT\CurrentVersion";
    if let Some(product) = run("hivexget", &[hive.path(), key, "ProductName"]) {
        assert_eq!(product.trim(), "Windows Server 2022 Standard");
    }
    let xml = tree["Windows/System32/Recovery/ReAgent.xml"].as_deref().unwrap();
    let xml = std::str::from_utf8(xml).unwrap();
    let (guid, offset) = (
        disk.made.disk_guid,
        disk.made.partition(Role::Recovery).unwrap().range.start,
    );
    let place = format!(
        "<WinreLocation path=\"\\Recovery\\WindowsRE\" id=\"0\" offset=\"{offset}\" guid=\"{{{guid}}}\"/>"
    );
    assert!(xml.contains(&place), "{xml}");
}

/// Other tools read the SYSTEM hive and the event log of a mounted C:.
fn judge_evidence(tree: &BTreeMap<String, Option<Vec<u8>>>) {
    let file = |path: &str| TempFile::new("file", tree[path].as_deref().unwrap());
    let hive = file("Windows/System32/config/SYSTEM");
    let key = r"\ControlSet001\Services\wuauserv";
    if let Some(start) = run("hivexget", &[hive.path(), key, "Start"]) {
        assert_eq!(start.trim(), "3");
    }
    let log = file("Windows/System32/winevt/Logs/System.evtx");
    let program = "import Evtx.Evtx as evtx\nwith evtx.Evtx(sys.argv[1]) as log:\n  \
                   print(sum('Service Control Manager' in record.xml() for record in log.records()))\n";
    if let Some(count) = oracle::python(&["Evtx"], program, &[log.path()]) {
        let count: u32 = count.trim().parse().unwrap();
        assert!((200..300).contains(&count), "{count}");
    }
}

#[test]
fn the_recovery_volume_has_an_image_that_wimlib_reads() {
    let disk = Disk::new("server2022");
    let Some(tree) = disk.mounted(Role::Recovery) else {
        return;
    };
    let sizes: Vec<(&str, Option<usize>)> = tree
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_ref().map(Vec::len)))
        .collect();
    let image = tree["Recovery/WindowsRE/Winre.wim"].as_deref().unwrap();
    assert_eq!(
        sizes,
        [
            ("Recovery", None),
            ("Recovery/Logs", None),
            ("Recovery/WindowsRE", None),
            (
                "Recovery/WindowsRE/ReAgent.xml",
                tree["Recovery/WindowsRE/ReAgent.xml"].as_ref().map(Vec::len)
            ),
            ("Recovery/WindowsRE/Winre.wim", Some(image.len())),
            ("Recovery/WindowsRE/boot.sdi", Some(3_170_304)),
            ("System Volume Information", None),
        ]
    );
    assert!((400 << 20..450 << 20).contains(&image.len()), "{}", image.len());
    let file = TempFile::new("Winre.wim", image);
    if let Some(report) = run("wimlib-imagex", &["info", file.path()]) {
        let has = |name: &str, value: &str| {
            report
                .lines()
                .any(|line| line.starts_with(name) && line.ends_with(value))
        };
        for (name, value) in [
            ("Boot Index:", " 1"),
            ("Architecture:", " x86_64"),
            ("Build:", " 20348"),
            ("Service Pack Build:", " 587"),
            ("Name:", "Microsoft Windows Recovery Environment (amd64)"),
        ] {
            assert!(has(name, value), "{name} {value}: {report}");
        }
    }
    let device = disk.attach(Role::Recovery).unwrap();
    for name in ["Winre.wim", "boot.sdi", "ReAgent.xml"] {
        let path = format!("Recovery/WindowsRE/{name}");
        if let Some(report) = run("ntfsinfo", &["-f", "-F", &path, &device.0]) {
            let flags = report.lines().find(|line| line.contains("File attributes:"));
            let flags = flags.unwrap_or_else(|| panic!("{report}"));
            assert!(
                flags.contains("HIDDEN") && flags.contains("SYSTEM"),
                "{name}: {flags}"
            );
        }
    }
}

#[test]
fn the_boot_store_is_on_a_sound_fat_volume() {
    let disk = Disk::new("server2022");
    if let Some(device) = disk.attach(Role::EfiSystem)
        && let Some(report) = run("fsck.fat", &["-n", "-v", &device.0])
    {
        assert!(report.contains("6 files, 29/101602 clusters"), "{report}");
    }
    let opened = DiskFile::open_read(&disk.path()).unwrap();
    let esp = disk.made.partition(Role::EfiSystem).unwrap();
    let volume = ReadWindow::new(&opened, esp.range).unwrap();
    let store = TempFile::new(
        "BCD",
        &fat::read_file(&volume, r"EFI\Microsoft\Boot\BCD").unwrap(),
    );
    let manager = r"\Objects\{9dea862c-5cdd-4e70-acc1-f32b344d4795}\Elements";
    let Some(loader) = run(
        "hivexget",
        &[store.path(), &format!(r"{manager}\23000003"), "Element"],
    ) else {
        return;
    };
    let sequence = run(
        "hivexget",
        &[
            store.path(),
            &format!(r"\Objects\{}\Elements\14000008", loader.trim()),
            "Element",
        ],
    );
    let sequence = sequence.unwrap();
    let path = format!(r"\Objects\{}\Elements\11000001", sequence.trim());
    // Binary data, so not as text.
    let element = std::process::Command::new("hivexget")
        .args([store.path(), &path, "Element"])
        .output()
        .unwrap()
        .stdout;
    for (what, guid) in [
        ("disk", disk.made.disk_guid),
        (
            "partition",
            disk.made.partition(Role::Recovery).unwrap().unique_guid,
        ),
    ] {
        let bytes = guid.to_bytes_le();
        let is_there = element.windows(16).any(|part| part == bytes);
        assert!(is_there, "the {what} is not in the recovery loader's device");
    }
}
