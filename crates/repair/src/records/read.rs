//! Reading the sources of a Windows. The volume is opened once; every source is bounded by itself.

use super::events::{APPLICATION_WANTED, Events, STEPS, SYSTEM_WANTED};
use super::{Logs, Reading, Records, SourceState, State, WorkFolder, registry};
use crate::observation::{Content, Observation, Windows};
use crate::observe::images::modified_filetime;
use crate::observe::{REAGENT_BYTES_MAX, read_small};
use std::fmt::Display;
use winrefit_disk::{Allowance, ReadAt, ReadWindow};
use winrefit_formats::evtx::{EventLog, Group, Limits};
use winrefit_formats::logs::{AgentLog, ServicingState, Tail, read_tail};
use winrefit_formats::{FatVolume, Hive, ReAgent, Replay, open_with_logs};
use winrefit_ntfs::file::File;
use winrefit_ntfs::{AttributeType, NtfsError, Volume};

/// Event logs of Windows.
pub const SYSTEM_LOG: &str = r"\Windows\System32\winevt\Logs\System.evtx";
/// Events of programs.
pub const APPLICATION_LOG: &str = r"\Windows\System32\winevt\Logs\Application.evtx";
/// Settings of programs, and of most of Windows.
pub const SOFTWARE_HIVE: &str = r"\Windows\System32\config\SOFTWARE";
/// Services and devices.
pub const SYSTEM_HIVE: &str = r"\Windows\System32\config\SYSTEM";

/// The copy of ReAgent.xml beside the image.
pub const REAGENT_COPY: &str = r"\Recovery\WindowsRE\ReAgent.xml";
/// Calls of reagentc.
const AGENT_LOG: &str = r"\Windows\Logs\ReAgent\ReAgent.log";
/// Setup of this Windows, and of an upgrade that was begun.
const SETUP_LOGS: [&str; 2] = [
    r"\Windows\Panther\setupact.log",
    r"\$WINDOWS.~BT\Sources\Panther\setupact.log",
];
/// Servicing of Windows and of WinRE.
const SERVICING_LOGS: [&str; 3] = [
    r"\Windows\Logs\CBS\CBS.log",
    r"\Windows\Logs\WinREAgent\setupact.log",
    r"\Windows\Logs\WinREAgent\setuperr.log",
];
/// The history of Windows Update.
const HISTORY_LOG: &str = r"\Windows\SoftwareDistribution\ReportingEvents.log";
/// Bytes of a log that are read, from its end.
const LOG_BYTES: u64 = 1 << 20;
/// CBS.log grows by some MiB with an update.
const SERVICING_LOG_BYTES: u64 = 4 << 20;
/// State of WinRE's servicing.
const SERVICING_STATE: &str = r"\$WinREAgent\WinREServicingManager.xml";
const STATE_BYTES_MAX: u64 = 256 << 10;
/// It says true or false.
const STAGED_CHARS_MAX: usize = 40;
/// What servicing of WinRE works in.
const WORK_FOLDER: &str = r"\$WinREAgent";
/// Largest system partition whose free space is counted.
const SYSTEM_BYTES_MAX: u64 = 2 << 30;
/// Most names in it that are kept; there are three.
const NAMES_MAX: usize = 16;
/// Namespace of a name that belongs to a file which has another one, too.
const DOS_NAME: u8 = 2;
/// Logs of the hives that Windows loads all the time.
const HIVE_LOGS: [&str; 2] = [".LOG1", ".LOG2"];
/// What is said of a hive whose keys or values cost too much.
const ENDLESS: &str = "its lists name the same places again and again; what comes behind them was not read";
/// What is said of a dirty hive that no log completes.
const NOT_CURRENT: &str = "its last write was not finished, and none of its logs applies";
/// What may be read of a hive: a large one with 20,000 packages and 2000 programs takes a third.
const HIVE_READ_BYTES_MAX: u64 = 256 << 20;
/// Windows of one disk whose records are read. An MBR may name one partition hundreds of times.
const WINDOWS_MAX: usize = 8;
/// What is said of the others.
const NOT_LOOKED: &str = "not looked for: the disk has more Windows than 8";
/// Notes of damage that are kept of one source.
const DAMAGE_MAX: usize = 8;

/// Reads what each Windows of a disk has written down. What cannot be read is a fact, too.
pub fn read(disk: &dyn ReadAt, observation: &Observation) -> Vec<Records> {
    let windows = observation.windows.iter().enumerate();
    windows
        .map(|(index, windows)| match index < WINDOWS_MAX {
            true => of_windows(disk, observation, windows),
            false => not_looked(windows),
        })
        .collect()
}

fn not_looked(windows: &Windows) -> Records {
    let source = SourceState {
        path: SYSTEM_LOG,
        is_expected: true,
        state: State::Unreadable(NOT_LOOKED.to_owned()),
    };
    Records {
        partition: windows.partition,
        sources: vec![source],
        ..Records::default()
    }
}

fn of_windows(disk: &dyn ReadAt, observation: &Observation, windows: &Windows) -> Records {
    let mut records = Records {
        partition: windows.partition,
        ..Records::default()
    };
    let range = observation
        .partition(windows.partition)
        .map(|partition| partition.range);
    let part = range.and_then(|range| ReadWindow::new(disk, range).ok());
    let Some(Ok(volume)) = part.map(Volume::open) else {
        return records;
    };
    let reader = Reader { volume };
    let mut sources = Vec::new();
    let mut take = |path, is_expected, state| {
        sources.push(SourceState {
            path,
            is_expected,
            state,
        });
    };
    let mut events = Events::default();
    take(
        SYSTEM_LOG,
        true,
        reader.log(SYSTEM_LOG, &SYSTEM_WANTED, |log| {
            events.system_span = log.first_time.zip(log.last_time);
            events.add(SYSTEM_LOG, log);
        }),
    );
    take(
        APPLICATION_LOG,
        true,
        reader.log(APPLICATION_LOG, &APPLICATION_WANTED, |log| {
            events.add(APPLICATION_LOG, log)
        }),
    );
    take(
        SOFTWARE_HIVE,
        true,
        reader.hive(SOFTWARE_HIVE, |hive, damage| {
            records.software = Some(registry::software(hive, damage))
        }),
    );
    take(
        SYSTEM_HIVE,
        true,
        reader.hive(SYSTEM_HIVE, |hive, _| {
            records.system = Some(registry::system(hive))
        }),
    );
    reader.text_logs(&mut take, &mut records.logs);
    records.system_partition = system_partition(disk, observation);
    records.reagent_copy = reagent_copy(disk, observation, windows);
    records.work_folder = reader.work_folder().ok().flatten();
    records.events = events;
    records.sources = sources;
    records
}

fn system_partition(disk: &dyn ReadAt, observation: &Observation) -> Option<(u32, u64)> {
    let mut fat = observation
        .partitions
        .iter()
        .filter(|p| matches!(p.content, Content::Fat(_)));
    let system = fat.find(|p| p.kind.is_efi_system() || p.is_active)?;
    // Counting goes through the whole allocation table.
    if system.range.len() > SYSTEM_BYTES_MAX {
        return None;
    }
    let part = ReadWindow::new(disk, system.range).ok()?;
    let free = FatVolume::open(&part).ok()?.free_bytes().ok()?;
    Some((system.number, free))
}

fn reagent_copy(disk: &dyn ReadAt, observation: &Observation, windows: &Windows) -> Option<(u32, ReAgent)> {
    let number = windows
        .recovery_partition
        .filter(|number| *number != windows.partition)?;
    let partition = observation.partition(number)?;
    partition.ntfs()?;
    let volume = Volume::open(ReadWindow::new(disk, partition.range).ok()?).ok()?;
    let bytes = read_small(&volume, REAGENT_COPY, REAGENT_BYTES_MAX).ok()??;
    Some((number, ReAgent::parse(&bytes).ok()?))
}

struct Reader<'d> {
    volume: Volume<ReadWindow<&'d dyn ReadAt>>,
}

impl Reader<'_> {
    /// What `look` makes of a file.
    fn file(&self, path: &str, look: impl FnOnce(&dyn ReadAt) -> Result<Reading, String>) -> State {
        let file = match self.volume.lookup(path) {
            Ok(Some(file)) if !file.is_directory() => file,
            Ok(_) => return State::Missing,
            Err(error) => return State::Unreadable(error.to_string()),
        };
        let stream = file.require(AttributeType::DATA, "");
        let reader = match stream.and_then(|stream| self.volume.stream_reader(stream)) {
            Ok(reader) => reader,
            Err(error) => return State::Unreadable(error.to_string()),
        };
        look(&reader).map_or_else(State::Unreadable, State::Read)
    }

    fn log(&self, path: &str, groups: &[Group<'_>], take: impl FnOnce(&EventLog)) -> State {
        self.file(path, |file| {
            let log = EventLog::read_groups(file, groups, Limits::default().bytes_max).map_err(words)?;
            take(&log);
            let is_cut = |(group, cut): (&Group<'_>, &bool)| *cut && *group != STEPS;
            Ok(Reading {
                newest_part: log.truncated || groups.iter().zip(&log.cut).any(is_cut),
                damage: log.damage.iter().take(DAMAGE_MAX).map(words).collect(),
                from_logs: false,
            })
        })
    }

    /// A hive as Windows would load it. Where it is dirty and no log completes it, it is read as it stands.
    fn hive(&self, path: &str, take: impl FnOnce(&Hive<'_>, &mut Vec<String>)) -> State {
        let logs: Vec<_> = HIVE_LOGS
            .iter()
            .map(|name| format!("{path}{name}"))
            .filter_map(|path| self.stream(&path))
            .collect();
        let logs: Vec<&dyn ReadAt> = logs.iter().map(|log| log.as_ref() as &dyn ReadAt).collect();
        self.file(path, |file| {
            let mut reading = Reading::default();
            let current = open_with_logs(file, &logs).map_err(words)?;
            reading.from_logs = current.replay().is_some_and(|replay| replay != Replay::Clean);
            let bounded = Allowance::new(&current, HIVE_READ_BYTES_MAX);
            take(&Hive::open(&bounded).map_err(words)?, &mut reading.damage);
            if bounded.is_spent() && reading.damage.is_empty() {
                reading.damage.push(ENDLESS.to_owned());
            }
            if !current.is_current() {
                reading.damage.push(NOT_CURRENT.to_owned());
            }
            reading.damage.truncate(DAMAGE_MAX);
            Ok(reading)
        })
    }

    /// The ends of the text logs, which no Windows has all of.
    fn text_logs(&self, take: &mut dyn FnMut(&'static str, bool, State), logs: &mut Logs) {
        let mut tail = |path, bytes_max, add: &mut dyn FnMut(&Tail)| {
            let state = self.file(path, |file| {
                let tail = read_tail(file, bytes_max).map_err(words)?;
                add(&tail);
                Ok(Reading {
                    newest_part: tail.truncated,
                    ..Reading::default()
                })
            });
            take(path, false, state);
        };
        tail(AGENT_LOG, LOG_BYTES, &mut |tail| {
            logs.add_agent(AGENT_LOG, &AgentLog::parse(tail))
        });
        for path in SETUP_LOGS {
            tail(path, LOG_BYTES, &mut |tail| logs.add_setup(path, tail));
        }
        for path in SERVICING_LOGS {
            tail(path, SERVICING_LOG_BYTES, &mut |tail| {
                logs.add_servicing(path, tail)
            });
        }
        tail(HISTORY_LOG, LOG_BYTES, &mut |tail| {
            logs.add_history(HISTORY_LOG, tail)
        });
    }

    /// The folder of WinRE's servicing.
    fn work_folder(&self) -> Result<Option<WorkFolder>, NtfsError> {
        let Some(folder) = self.volume.lookup(WORK_FOLDER)?.filter(File::is_directory) else {
            return Ok(None);
        };
        let mut names = Vec::new();
        self.volume.directory(&folder)?.each(|_, name| {
            if name.namespace != DOS_NAME {
                names.push(name.display_name());
            }
            names.len() < NAMES_MAX
        })?;
        Ok(Some(WorkFolder {
            modified: modified_filetime(&folder),
            names,
            staged: self.staged(),
        }))
    }

    /// What the state file of servicing says of an update that is staged.
    fn staged(&self) -> Option<String> {
        let state = read_small(&self.volume, SERVICING_STATE, STATE_BYTES_MAX).ok()??;
        let staged = ServicingState::parse(&state).ok()?.staged?;
        Some(staged.chars().take(STAGED_CHARS_MAX).collect())
    }

    fn stream(&self, path: &str) -> Option<Box<dyn ReadAt + '_>> {
        let file = self.volume.lookup(path).ok()??;
        let stream = file.require(AttributeType::DATA, "").ok()?;
        Some(Box::new(self.volume.stream_reader(stream).ok()?))
    }
}

fn words(error: impl Display) -> String {
    error.to_string()
}
