//! The cases: their disks are sound, and the evidence that they are about is where others find it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use winrefit_disk::{DiskFile, ReadAt, ReadWindow};
use winrefit_formats::hive::{Hive, RegistryValue, replay};
use winrefit_lab::evtx::NEW_LOG_BYTES;
use winrefit_lab::profile::Role;
use winrefit_lab::{CreateOptions, CreatedDisk, Profile, create_file, profiles};
use winrefit_ntfs::check::{CheckOptions, check};
use winrefit_ntfs::{AttributeType, Volume};
use winrefit_repair::commands::plan;
use winrefit_repair::plan::Request;
use winrefit_repair::target::Target;

/// A case on a disk.
struct Case {
    _folder: tempfile::TempDir,
    disk: DiskFile,
    made: CreatedDisk,
}

impl Case {
    fn new(name: &str, options: &CreateOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        let made = create_file(Profile::find(name).unwrap(), options, &path).unwrap();
        let disk = DiskFile::open_read(&path).unwrap();
        Self {
            _folder: folder,
            disk,
            made,
        }
    }

    fn plain(name: &str) -> Self {
        Self::new(name, &CreateOptions::default())
    }

    /// The content of a file of C:, if it is there.
    fn file(&self, path: &str) -> Option<Vec<u8>> {
        let windows = self.made.partition(Role::Windows).unwrap();
        let volume = Volume::open(ReadWindow::new(&self.disk, windows.range).unwrap()).unwrap();
        let file = volume.lookup(path).unwrap()?;
        let stream = file.require(AttributeType::DATA, "").unwrap();
        let length = stream.len() as usize;
        let reader = stream.reader(volume.reader(), volume.geometry()).unwrap();
        Some(reader.read_vec(0, length).unwrap())
    }

    fn has(&self, path: &str) -> bool {
        let windows = self.made.partition(Role::Windows).unwrap();
        let volume = Volume::open(ReadWindow::new(&self.disk, windows.range).unwrap()).unwrap();
        volume.lookup(path).unwrap().is_some()
    }

    fn text(&self, path: &str) -> String {
        let text = String::from_utf8(self.file(path).unwrap()).unwrap();
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{path}");
        text
    }

    fn config(&self, name: &str) -> Option<Vec<u8>> {
        self.file(&format!(r"Windows\System32\config\{name}"))
    }

    /// Every record of a log that can be read, as XML.
    fn log(&self, name: &str) -> Vec<String> {
        let bytes = self.file(&format!(r"Windows\System32\winevt\Logs\{name}"));
        xml_of(bytes.unwrap())
    }

    /// The one record of that event.
    fn event(&self, log: &str, provider: &str, id: u16) -> String {
        let mut found = self.log(log).into_iter().filter(|xml| {
            let is = format!("{id}</EventID>");
            xml.contains(&format!("Provider Name=\"{provider}\"")) && xml.contains(&is)
        });
        let xml = found
            .next()
            .unwrap_or_else(|| panic!("no event {id} of {provider}"));
        assert!(found.next().is_none(), "several events {id} of {provider}");
        xml
    }
}

fn xml_of(log: Vec<u8>) -> Vec<String> {
    let settings = evtx::ParserSettings::new().validate_checksums(true).indent(false);
    let mut parser = evtx::EvtxParser::from_buffer(log)
        .unwrap()
        .with_configuration(settings);
    let records = parser.records().filter_map(Result::ok);
    records.map(|record| record.data).collect()
}

#[test]
fn every_case_is_a_sound_disk_on_which_plan_answers_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.img");
    let mut names = BTreeSet::new();
    for case in profiles::cases() {
        assert!(
            case.name.starts_with("case-") && names.insert(case.name),
            "{}",
            case.name
        );
        assert_eq!(Profile::find(case.name), Some(case));
        let start = Instant::now();
        let made = create_file(case, &CreateOptions::default(), &path).unwrap();
        let built = start.elapsed();
        assert!(built.as_secs() < 10, "{} took {built:?}", case.name);
        check_volumes(case, &made, &path);
        let answer = plan(
            &Target::open_read(&path, 0).unwrap(),
            &Request::default(),
            &mut |_| (),
        );
        let answer = answer.unwrap();
        let answer = match (&answer.refusal, &answer.plan) {
            (Some(refusal), _) => refusal.code,
            (None, plan) => plan.as_ref().unwrap().strategy,
        };
        assert_eq!(answer, case.expected, "{}", case.name);
        std::fs::remove_file(&path).unwrap();
    }
    assert!(names.len() >= 36);
    assert!(profiles::all().all(|profile| !names.contains(profile.name)));
}

fn check_volumes(case: &Profile, made: &CreatedDisk, path: &Path) {
    let disk = DiskFile::open_read(path).unwrap();
    for partition in made.partitions.iter().filter(|p| p.free_bytes.is_some()) {
        let volume = ReadWindow::new(&disk, partition.range).unwrap();
        let report = check(volume, &CheckOptions::default()).unwrap();
        assert!(
            report.problems.is_empty(),
            "{} {:?}: {:?}",
            case.name,
            partition.role,
            report.problems
        );
        assert_eq!(Some(report.free_clusters * 4096), partition.free_bytes);
    }
}

#[test]
fn a_failure_is_in_the_logs_with_its_code_and_title() {
    let case = Case::plain("case-kb5034441-german");
    let client = "Microsoft-Windows-WindowsUpdateClient";
    let failure = case.event("System.evtx", client, 20);
    let title = "2024-01 Sicherheitsupdate f\u{fc}r Windows 10 Version 22H2 f\u{fc}r x64-basierte Systeme (KB5034441)";
    for part in [
        "<Data Name=\"errorCode\">0x80070643</Data>",
        &format!("<Data Name=\"updateTitle\">{title}</Data>"),
        "SystemTime=\"2024-01-10T03:12:00",
        "<Channel>System</Channel>",
    ] {
        assert!(failure.contains(part), "{part} is not in\n{failure}");
    }
    let agent = "Microsoft-Windows-WinREAgent";
    case.event("System.evtx", agent, 4500);
    let failure = case.event("System.evtx", agent, 4502);
    for part in [
        r#"Guid="{1f7a6c55-5532-573b-35b7-2107e43a6ef5}""#,
        "<Data Name=\"ErrorPhase\">2</Data><Data Name=\"Errorcode\">-2147024784</Data>",
        "UserID=\"S-1-5-18\"",
        "ActivityID=",
    ] {
        assert!(failure.contains(part), "{part} is not in\n{failure}");
    }
    let bytes = case
        .file(r"Windows\SoftwareDistribution\ReportingEvents.log")
        .unwrap();
    let units = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let report: String = char::decode_utf16(units).map(Result::unwrap).collect();
    let line = report
        .lines()
        .find(|line| line.contains("AGENT_INSTALLING_FAILED"))
        .unwrap();
    let fields: Vec<&str> = line.split('\t').collect();
    assert!(report.starts_with('\u{feff}') && fields.len() == 12, "{fields:?}");
    assert!(
        fields[7] == "80070643" && fields[11].ends_with(title),
        "{fields:?}"
    );
}

#[test]
fn records_are_in_the_order_of_their_times() {
    for (name, log) in [
        ("case-repaired-since", "System.evtx"),
        ("case-dotnet", "Application.evtx"),
    ] {
        let times: Vec<String> = Case::plain(name)
            .log(log)
            .iter()
            .map(|xml| xml.split("SystemTime=\"").nth(1).unwrap()[..24].to_owned())
            .collect();
        assert!(times.len() > 40 && times.is_sorted(), "{name}: {times:?}");
    }
}

#[test]
fn an_installer_that_failed_is_a_classic_event_of_the_application_log() {
    let case = Case::plain("case-dotnet");
    let failure = case.event("Application.evtx", "MsiInstaller", 11_708);
    for part in [
        "<Provider Name=\"MsiInstaller\"/><EventID Qualifiers=\"0\">11708</EventID>",
        "Product: Microsoft .NET Framework 4.8.1 -- Installation failed.",
        "<Channel>Application</Channel>",
    ] {
        assert!(failure.contains(part), "{part} is not in\n{failure}");
    }
    assert!(
        case.event("Application.evtx", "MsiInstaller", 1033)
            .contains("1603")
    );
}

#[test]
fn damaged_logs_are_damaged_as_they_say() {
    let logs = r"Windows\System32\winevt\Logs\System.evtx";
    assert_eq!(Case::plain("case-no-log").file(logs), None);
    let failed = |xml: &String| xml.contains("KB5034441");
    let truncated = Case::plain("case-truncated-log");
    assert_eq!(truncated.file(logs).unwrap().len(), 100_000);
    let records = truncated.log("System.evtx");
    assert!(
        records.len() > 50 && !records.iter().any(failed),
        "{}",
        records.len()
    );
    let dirty = Case::plain("case-dirty-log");
    let bytes = dirty.file(logs).unwrap();
    assert_eq!((bytes[120], bytes.len() as u64), (1, NEW_LOG_BYTES));
    // The failure is in a chunk that the header does not count.
    let counted = u16::from_le_bytes([bytes[42], bytes[43]]);
    let counted_bytes = 4096 + usize::from(counted) * 65_536;
    assert!(!xml_of(bytes[..counted_bytes].to_vec()).iter().any(failed));
    assert!(dirty.log("System.evtx").iter().any(failed));
}

#[test]
fn what_only_the_log_of_a_hive_has_is_not_in_the_hive() {
    let case = Case::plain("case-dirty-software");
    let (hive, log) = (
        case.config("SOFTWARE").unwrap(),
        case.config("SOFTWARE.LOG1").unwrap(),
    );
    let (hive, log) = (&&hive[..], &&log[..]);
    let waits = |hive: &dyn ReadAt| {
        let key = r"Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired";
        Hive::open(hive).unwrap().key(key).unwrap().is_some()
    };
    assert!(!waits(hive) && waits(&replay(hive, &[log]).unwrap()));

    let case = Case::plain("case-dirty-system");
    let (hive, log) = (
        case.config("SYSTEM").unwrap(),
        case.config("SYSTEM.LOG1").unwrap(),
    );
    let (hive, log) = (&&hive[..], &&log[..]);
    let start = |hive: &dyn ReadAt| {
        let key = r"ControlSet001\Services\wuauserv";
        Hive::open(hive).unwrap().value(key, "Start").unwrap()
    };
    assert_eq!(start(hive), Some(RegistryValue::Dword(3)));
    assert_eq!(
        start(&replay(hive, &[log]).unwrap()),
        Some(RegistryValue::Dword(4))
    );
    assert_eq!(Case::plain("case-no-system-hive").config("SYSTEM"), None);
}

#[test]
fn log_files_have_the_lines_that_matter() {
    let case = Case::plain("case-setup-refused");
    let log = case.text(r"Windows\Panther\setupact.log");
    for part in [
        "2023-11-20 09:30:00, Info                  [SetupPlatform.exe] MeetPartitionRequirements ",
        "Not enough free space, required: 749677882, available: 301125632",
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    let log = Case::plain("case-enable-failed").text(r"Windows\Logs\ReAgent\ReAgent.log");
    for part in [
        "Error                 [ReAgentc.exe] No suitable partition could be found for installing WinRE",
        "-----Exiting command line: reagentc  /enable, Error: 2-----",
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    let log = Case::plain("case-large-cbs-log").text(r"Windows\Logs\CBS\CBS.log");
    assert!(log.len() > 6 << 20);
    assert!(log.contains("[HRESULT = 0x800f0828 - CBS_E_INSUFFICIENT_DISK_SPACE]"));
    let case = Case::plain("case-kb5034441");
    let log = case.text(r"Windows\Logs\WinREAgent\setuperr.log");
    assert!(log.contains("0x80070070"), "{log}");
    assert!(case.text(r"Windows\Logs\WinREAgent\setupact.log").contains(&log));
    let log = Case::plain("case-image-in-backup").text(r"Windows\Logs\ReAgent\ReAgent.log");
    assert!(log.contains(r"/setreimage /path C:\$WinREAgent\Backup"), "{log}");
}

#[test]
fn a_servicing_that_did_not_end_leaves_its_folder() {
    for name in [
        "case-image-in-backup",
        "case-4500-without-end",
        "case-leftover-folder",
    ] {
        let case = Case::plain(name);
        for (path, start) in [
            (r"$WinREAgent\Scratch\update.wim", &b"MSWIM"[..]),
            (r"$WinREAgent\WinREServicingManager.xml", b"<?xml"),
        ] {
            assert!(case.file(path).unwrap().starts_with(start), "{name}: {path}");
        }
        assert!(case.has(r"$WinREAgent\Backup\Winre.wim"), "{name}");
    }
    assert!(!Case::plain("case-kb5034441").has(r"$WinREAgent"));
}

#[test]
fn every_windows_has_logs_hives_and_the_folders_of_windows_update() {
    let options = CreateOptions {
        files: Some(50),
        ..CreateOptions::default()
    };
    for name in ["healthy", "two-windows", "mbr"] {
        let disk = Case::new(name, &options);
        assert!((300..400).contains(&disk.log("System.evtx").len()), "{name}");
        assert!(
            !disk
                .log("System.evtx")
                .iter()
                .any(|xml| xml.contains("WinREAgent"))
        );
        assert!(disk.log("Application.evtx").len() >= 40);
        for path in [
            r"Windows\System32\config\SYSTEM",
            r"Windows\System32\catroot2\edb.log",
            r"Windows\SoftwareDistribution\DataStore\DataStore.edb",
            r"Windows\Logs\CBS\CBS.log",
        ] {
            assert!(disk.file(path).is_some(), "{name}: {path}");
        }
    }
}

#[test]
fn a_log_of_a_wished_size_has_it_and_all_that_happened() {
    let options = CreateOptions {
        event_log: Some(20 << 20),
        ..CreateOptions::default()
    };
    let start = Instant::now();
    let case = Case::new("case-kb5034441", &options);
    // Unloaded, some tenths of a second.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    let bytes = case.file(r"Windows\System32\winevt\Logs\System.evtx").unwrap();
    // 20 MiB of chunks behind the header, as Windows has it when the log is full.
    assert_eq!(bytes.len(), 20_975_616);
    case.event("System.evtx", "Microsoft-Windows-WinREAgent", 4502);
    assert!(case.log("System.evtx").len() > 30_000);
}
