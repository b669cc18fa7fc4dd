//! What a disk is that the power has left: whether winrefit recognises it, whether Windows can use it as it is, and what a
//! resume makes of it.

use super::common::target;
use super::content::{Ground, Op, Probe, State};
use super::memo::Memo;
use super::update::ALL;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use winrefit_disk::{ByteRange, ReadAt, ReadWindow};
use winrefit_formats::read_gpt;
use winrefit_ntfs::check::CheckLevel;
use winrefit_ntfs::check::{CheckOptions, PartitionPlace, Severity, check};
use winrefit_repair::RepairError;
use winrefit_repair::commands::{self, diagnose, fix, plan, resume, undo, verify};
use winrefit_repair::diagnose::diagnose as judge;
use winrefit_repair::observation::{Content, Observation};
use winrefit_repair::observe::{Depth, observe};
use winrefit_repair::plan::Request;
use winrefit_repair::report::{Report, Severity as Weight, Verdict};
use winrefit_repair::target::Target;

/// What is amiss on a disk, in words that are the same for the same kind: "C: record-torn".
pub type Flaws = BTreeSet<String>;

/// A volume to be checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub role: String,
    pub range: ByteRange,
    pub place: PartitionPlaceKey,
}

/// First sector, count, size.
pub type PartitionPlaceKey = (u64, u64, u32);

/// What can be told of a disk without a check of its volumes.
pub struct Seen {
    pub flaws: Flaws,
    pub volumes: Vec<Place>,
}

/// What the two disks are like between which a run leads: what both of them may be, its states may be, too.
#[derive(Debug, Default)]
pub struct Expected {
    /// Entries of the table by number: first sector and count.
    pub entries: BTreeMap<u32, BTreeSet<(u64, u64)>>,
    /// Flaws that one of them has.
    pub flaws: Flaws,
    /// Numbers of partitions that are gone, or not there yet, on one of them.
    pub optional: BTreeSet<u32>,
    /// Numbers of NTFS volumes.
    pub ntfs: BTreeSet<u32>,
}

impl Expected {
    /// What disks in these states may be.
    pub fn of(ends: &[&dyn ReadAt]) -> Self {
        let mut expected = Self::default();
        let all: Vec<Observation> = ends
            .iter()
            .map(|end| observe(*end, None, Depth::Full).expect("an end can be observed"))
            .collect();
        for observation in &all {
            for p in &observation.partitions {
                expected
                    .entries
                    .entry(p.number)
                    .or_default()
                    .insert((p.start_lba, p.sectors));
                if p.ntfs().is_some() {
                    expected.ntfs.insert(p.number);
                }
            }
        }
        let numbers: Vec<u32> = expected.entries.keys().copied().collect();
        let is_optional = |number: &u32| all.iter().any(|o| o.partition(*number).is_none());
        expected.optional = numbers.into_iter().filter(is_optional).collect();
        for (end, observation) in ends.iter().zip(&all) {
            expected.flaws.extend(findings(*end, observation));
            for place in volumes(observation) {
                expected.flaws.extend(check_volume(*end, &place));
            }
        }
        expected
    }
}

/// What a flaw is called that is no fault: one good copy of the table is what is promised, and the checker's warnings are
/// of what chkdsk mends in passing and no reader minds.
pub const HARMLESS: &str = "(harmless)";

/// Whether Windows or WinRE may mind.
pub fn is_harmful(flaw: &str) -> bool {
    !flaw.ends_with(HARMLESS)
}

/// Findings that tell of a Windows or a WinRE that does not start, or of damage; the state of the table.
fn findings(disk: &dyn ReadAt, observation: &Observation) -> Flaws {
    let findings = judge(observation, None).findings.into_iter();
    let bad = findings.filter(|finding| finding.severity != Weight::Note);
    let has_image = observation
        .partitions
        .iter()
        .any(|p| p.images().any(|image| matches!(image.version, Ok(Some(_)))));
    let flaw = |code: &str| match code {
        code if code.starts_with("partition-table") && observation.table.id.style() == "gpt" => None,
        "winre-image-gone" if has_image => {
            Some("ReAgent.xml names a place that is no partition's".to_owned())
        }
        "no-windows-reference" => None,
        "reagent-unreadable" => Some("ReAgent.xml cannot be read".to_owned()),
        code => Some(code.to_owned()),
    };
    let mut flaws: Flaws = bad.filter_map(|finding| flaw(finding.code)).collect();
    if let Ok(gpt) = read_gpt(disk, observation.sector_size) {
        let state = match (&gpt.primary, &gpt.backup) {
            (Ok(_), Ok(_)) if observation.table.changeable.is_err() => Some("GPT copies differ"),
            (Ok(_), Ok(_)) => None,
            (Ok(_), Err(_)) => Some("GPT backup damaged"),
            (Err(_), _) => Some("GPT primary damaged"),
        };
        flaws.extend(state.map(|state| format!("{state} {HARMLESS}")));
    }
    flaws
}

fn volumes(observation: &Observation) -> Vec<Place> {
    let size = observation.sector_size.bytes() as u32;
    let ntfs = observation.partitions.iter().filter(|p| p.ntfs().is_some());
    ntfs.map(|p| {
        let is_windows = observation.windows.iter().any(|w| w.partition == p.number);
        let role = match (is_windows, p.is_recovery_type()) {
            (true, _) => "C:".to_owned(),
            (_, true) => "RE".to_owned(),
            _ => "other".to_owned(),
        };
        Place {
            role,
            range: p.range,
            place: (p.start_lba, p.sectors, size),
        }
    })
    .collect()
}

fn look(disk: &dyn ReadAt, expected: &Expected) -> Seen {
    let observation = match observe(disk, None, Depth::Full) {
        Ok(observation) => observation,
        Err(error) => {
            return Seen {
                flaws: [format!("table: {error}")].into(),
                volumes: Vec::new(),
            };
        }
    };
    let mut flaws = findings(disk, &observation);
    for (number, places) in &expected.entries {
        match observation.partition(*number) {
            Some(p) if !places.contains(&(p.start_lba, p.sectors)) => {
                flaws.insert("table: an entry of neither disk".to_owned());
            }
            None if !expected.optional.contains(number) => {
                flaws.insert("table: an entry is missing".to_owned());
            }
            _ => {}
        }
    }
    for p in &observation.partitions {
        if !expected.entries.contains_key(&p.number) {
            flaws.insert("table: an entry too many".to_owned());
        }
        if expected.ntfs.contains(&p.number) && !matches!(p.content, Content::Ntfs(_)) {
            flaws.insert("a volume cannot be opened".to_owned());
        }
    }
    flaws.retain(|flaw| !expected.flaws.contains(flaw));
    Seen {
        flaws,
        volumes: volumes(&observation),
    }
}

fn check_volume(disk: &dyn ReadAt, volume: &Place) -> Flaws {
    let (start_lba, sectors, sector_size) = volume.place;
    let options = CheckOptions {
        partition: Some(PartitionPlace {
            start_lba,
            sectors,
            sector_size,
        }),
        ..CheckOptions::default()
    };
    let window = ReadWindow::new(disk, volume.range).expect("observed");
    match check(window, &options) {
        Err(error) => [format!("{}: {error}", volume.role)].into(),
        Ok(report) => report
            .counts
            .keys()
            .filter(|code| code.severity() != Severity::Note)
            .map(|code| {
                let weight = if code.severity() == Severity::Error {
                    String::new()
                } else {
                    format!(" {HARMLESS}")
                };
                format!("{} {}{weight}", volume.role, code.as_str())
            })
            .collect(),
    }
}

/// What a command said, or how it failed.
pub type Said = Result<(Verdict, Option<&'static str>), String>;

/// What a resume did.
pub struct Resumed {
    pub said: Result<Verdict, String>,
    pub ops: Rc<Vec<Op>>,
}

/// Judges disks, each content once.
#[derive(Default)]
pub struct Judges {
    diagnosed: Memo<Said>,
    seen: Memo<Seen>,
    volumes: BTreeMap<Place, Memo<Flaws>>,
    resumed: Memo<Resumed>,
    /// Few different things are done: usually the rest of the phases.
    done: BTreeMap<u128, Rc<Vec<Op>>>,
}

/// The result of a command, or the words of its panic.
fn caught<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

impl Judges {
    pub fn diagnose(&mut self, ground: &Ground, state: &State) -> Rc<Said> {
        self.diagnosed.get(ground, state, |probe| {
            let subject = target(probe);
            let said = caught(|| {
                let report = diagnose(&subject, None).map_err(|error| error.to_string())?;
                Ok((report.verdict, report.journal.map(|journal| journal.state)))
            });
            (said, subject.device.into_parts().0)
        })
    }

    /// What keeps Windows or WinRE from working on the disk as it is, where neither end has it.
    pub fn flaws(&mut self, ground: &Ground, state: &State, expected: &Expected) -> Flaws {
        let seen = self.seen.get(ground, state, |probe| {
            let seen = look(&probe, expected);
            (seen, probe.into_parts().0)
        });
        let mut flaws = seen.flaws.clone();
        for volume in &seen.volumes {
            let memo = self.volumes.entry(volume.clone()).or_default();
            let found = memo.get(ground, state, |probe| {
                (check_volume(&probe, volume), probe.into_parts().0)
            });
            flaws.extend(
                found
                    .iter()
                    .filter(|flaw| !expected.flaws.contains(*flaw))
                    .cloned(),
            );
        }
        flaws
    }

    pub fn resume(&mut self, ground: &Ground, state: &State) -> Rc<Resumed> {
        let done = &mut self.done;
        self.resumed.get(ground, state, |probe: Probe<'_>| {
            let mut subject = target(probe);
            let said = caught(|| {
                let report = resume(&mut subject, &mut |_| ()).map_err(|error| error.to_string())?;
                Ok(report.verdict)
            });
            let (read, ops) = subject.device.into_parts();
            let key = super::memo::digest(ops.iter().flat_map(|op| {
                let pairs: Vec<u32> = match op {
                    Op::Flush => vec![u32::MAX],
                    Op::Write(write) => write
                        .iter()
                        .flat_map(|(slot, content)| [*slot, *content])
                        .collect(),
                };
                pairs
            }));
            let ops = done.entry(key).or_insert_with(|| Rc::new(ops)).clone();
            (Resumed { said, ops }, read)
        })
    }

    /// How often each judgement was made in earnest.
    pub fn calls(&self) -> [u64; 4] {
        let volumes = self.volumes.values().map(|memo| memo.calls).sum();
        [self.diagnosed.calls, self.seen.calls, volumes, self.resumed.calls]
    }
}

/// A command on a disk on which work is unfinished.
type Command<'c> = &'c dyn Fn(&mut Target<Probe<'_>>) -> Result<Report, RepairError>;

/// Whether every other command says first that work is unfinished, and writes nothing.
///
/// # Errors
/// What it does instead.
pub fn others(ground: &Ground, state: &State) -> Result<(), String> {
    let asked = &mut |_: &Report| panic!("no question is due");
    let asked = std::cell::RefCell::new(asked);
    let request = Request::default();
    let all: [(&str, Command<'_>); 6] = [
        ("verify", &|disk| verify(disk, None, &mut |_| ())),
        ("check", &|disk| {
            commands::check(disk, None, CheckLevel::Full, &mut |_| ())
        }),
        ("plan", &|disk| plan(disk, &request, &mut |_| ())),
        ("fix", &|disk| {
            fix(disk, &request, *asked.borrow_mut(), &mut |_| ())
        }),
        ("undo", &|disk| undo(disk, *asked.borrow_mut(), &mut |_| ())),
        ("reset-update", &|disk| {
            commands::reset_update(disk, &ALL, *asked.borrow_mut(), &mut |_| ())
        }),
    ];
    for (name, command) in all {
        let mut subject = target(ground.disk(state));
        let verdict = caught(|| Ok(command(&mut subject).map_err(|error| error.to_string())?.verdict))
            .map_err(|error| format!("{name}: {error}"))?;
        let (_, ops) = subject.device.into_parts();
        if verdict != Verdict::Unfinished || !ops.is_empty() {
            return Err(format!("{name}: {verdict:?}, {} writes", ops.len()));
        }
    }
    Ok(())
}
