//! `bench-ntfs`: the NTFS engine beside ntfsresize and dd, on the same volumes, in one run.
//!
//! What is fair here:
//! * All work on image files on the same file system, in the page cache before the clock starts; with `--cold` what
//!   is relocated is not.
//! * Who changes the volume gets a fresh copy each time, written back (`sync`) before the clock starts; all of them end
//!   with their data on the medium: ntfsresize by its fsync, the engine by its flushes, dd by `conv=fsync`.
//! * dd copies as many bytes as the engine moves, in one row, in blocks of 1 MiB: what a disk can do at most.
//! * The contenders take turns, so a busy moment of the machine meets all of them; the median is shown.

use crate::error::Error;
use crate::measure::{self, Usage, output_of};
use crate::ntfs_volume;
use crate::table::{goal, mebibytes, median, sorted};
use clap::Args;
use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// What the volume with data in its tail is shrunk to.
const RELOCATION_NEW_BYTES: u64 = 1400 << 20;
/// Goals.
const CHECK_TIMES_FASTER: f64 = 5.0;
const RELOCATION_TIMES_FASTER: f64 = 3.0;
const OF_DD: f64 = 0.7;
const MEMORY_BYTES: u64 = 100 << 20;
const MEMORY_BYTES_PER_FILE: u64 = 100;

/// Arguments of the command.
#[derive(Debug, Args)]
pub struct BenchNtfsArguments {
    /// Files of the volumes that are checked.
    #[arg(long, default_value_t = 500_000)]
    files: u32,
    /// Timed runs of each contender.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Empty the page cache before each run of a relocation.
    #[arg(long)]
    cold: bool,
    /// Where the volumes are made; some 6 GB are needed.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// One who takes part, with its runs.
struct Contender {
    name: String,
    command: Vec<OsString>,
    runs: Vec<Usage>,
}

impl Contender {
    fn new(name: &str, command: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            command: command.iter().map(Into::into).collect(),
            runs: Vec::new(),
        }
    }

    /// Runs once and demands success: a failure that is quick would win.
    fn run(&self) -> Result<Usage, Error> {
        let usage = measure::run(&self.command)?;
        if usage.exit_code == Some(0) {
            return Ok(usage);
        }
        Err(Error::Answer {
            what: "the outcome of a contender",
            found: format!(
                "{}: {:?}\n{}{}",
                self.name, usage.exit_code, usage.output, usage.errors
            ),
        })
    }

    fn seconds(&self) -> f64 {
        median(&sorted(self.runs.iter().map(|run| run.wall_seconds)))
    }

    fn peak(&self) -> u64 {
        self.runs
            .iter()
            .map(|run| run.peak_memory_bytes)
            .max()
            .unwrap_or(0)
    }
}

/// The command.
///
/// # Errors
/// Files, programs that do not start or fail.
pub fn bench(arguments: &BenchNtfsArguments) -> Result<(), Error> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("winrefit-bench-ntfs-");
    let place = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = builder
        .tempdir_in(&place)
        .map_err(|source| Error::File { path: place, source })?;
    let examples = build()?;
    let mut text = String::new();
    let mut goals = String::from("| goal | measured | |\n|---|---|---|\n");
    relocation(arguments, folder.path(), &examples, &mut text, &mut goals)?;
    for full in [false, true] {
        checking(arguments, folder.path(), &examples, full, &mut text, &mut goals)?;
    }
    print!("{text}\n{goals}");
    Ok(())
}

/// Builds the examples of the engine, and says in which folder they are.
fn build() -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words =
        "build --release --package winrefit-ntfs --example shrink --example check --message-format=json";
    let mut command = vec![cargo];
    command.extend(words.split(' ').map(Into::into));
    let messages = output_of(&command)?;
    let found = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(Path::new(message["executable"].as_str()?).parent()?.to_owned())
    });
    found.ok_or(Error::Answer {
        what: "cargo's list of artifacts",
        found: messages,
    })
}

fn relocation(
    arguments: &BenchNtfsArguments,
    folder: &Path,
    examples: &Path,
    text: &mut String,
    goals: &mut String,
) -> Result<(), Error> {
    let (volume, copy) = (folder.join("relocate.img"), folder.join("copy.img"));
    eprintln!("Making a volume whose tail is in use.");
    ntfs_volume::with_data_in_tail(&volume)?;
    fresh(&volume, &copy)?;
    let (mut contenders, moved) = relocators(&copy, examples)?;
    for round in 1..=arguments.runs {
        for contender in &mut contenders {
            fresh(&volume, &copy)?;
            if arguments.cold {
                drop_page_cache()?;
            }
            contender.runs.push(contender.run()?);
            eprintln!("{}, run {round}", contender.name);
        }
    }
    let clusters = moved / u64::from(ntfs_volume::CLUSTER_SIZE);
    let title = format!("Relocation of {clusters} clusters ({})", mebibytes(moved));
    table(text, &title, &contenders);
    let [ours, theirs, dd] = contenders.each_ref().map(Contender::seconds);
    faster(goals, "relocation", theirs / ours, RELOCATION_TIMES_FASTER);
    let (what, ratio) = (
        format!("relocation reaches {OF_DD} of dd's throughput"),
        dd / ours,
    );
    goal(goals, &what, &format!("{ratio:.2}"), ratio >= OF_DD);
    memory(
        goals,
        "relocation",
        contenders[0].peak(),
        ntfs_volume::TAIL_FILES.into(),
    );
    for path in [&volume, &copy] {
        remove(path)?;
    }
    Ok(())
}

/// Those who relocate on `copy`, and how many bytes that is.
fn relocators(copy: &Path, examples: &Path) -> Result<([Contender; 3], u64), Error> {
    let (shrink, size) = (examples.join("shrink"), RELOCATION_NEW_BYTES.to_string());
    let (shrink, image) = (shrink.to_string_lossy(), copy.to_string_lossy());
    let first = Contender::new("winrefit-ntfs", &[&shrink, &image, &size]);
    let said = first.run()?.output;
    let moved = said
        .lines()
        .find_map(|line| line.split_once(" bytes to copy")?.0.parse().ok());
    let moved: u64 = moved.ok_or(Error::Answer {
        what: "what the shrink said",
        found: said,
    })?;
    let blocks = (moved >> 20).to_string();
    let (input, output) = (format!("if={image}"), format!("of={image}"));
    let (count, skip) = (
        format!("count={blocks}"),
        format!("skip={}", RELOCATION_NEW_BYTES >> 20),
    );
    let contenders = [
        first,
        Contender::new(
            "ntfsresize -s",
            &["ntfsresize", "-f", "-f", "-P", "-s", &size, &image],
        ),
        Contender::new(
            "dd",
            &[
                "dd",
                &input,
                &output,
                "bs=1M",
                &count,
                &skip,
                "conv=notrunc,fsync",
            ],
        ),
    ];
    Ok((contenders, moved))
}

fn checking(
    arguments: &BenchNtfsArguments,
    folder: &Path,
    examples: &Path,
    full: bool,
    text: &mut String,
    goals: &mut String,
) -> Result<(), Error> {
    let volume = folder.join("check.img");
    let tail = if full { "full tail" } else { "free tail" };
    eprintln!("Making a volume with {} files and a {tail}.", arguments.files);
    ntfs_volume::with_files(&volume, arguments.files, full)?;
    output_of(&["sync".into()])?;
    let (check, image) = (examples.join("check"), volume.to_string_lossy());
    let mut contenders = [
        Contender::new("winrefit-ntfs", &[&check.to_string_lossy(), &image]),
        Contender::new("ntfsresize -i", &["ntfsresize", "-i", "-f", "-P", &image]),
    ];
    for round in 0..=arguments.runs {
        for contender in &mut contenders {
            let usage = contender.run()?;
            eprintln!("{}, run {round}: {:.3} s", contender.name, usage.wall_seconds);
            // The first one fills the page cache.
            contender.runs.extend((round > 0).then_some(usage));
        }
    }
    for usage in &contenders[0].runs {
        let found = usage
            .output
            .split_once(" problems; ")
            .and_then(|(problems, rest)| {
                let in_use: u32 = rest.split_once(" of ")?.0.parse().ok()?;
                (problems == "0" && in_use > arguments.files).then_some(())
            });
        found.ok_or_else(|| Error::Answer {
            what: "what the check said",
            found: usage.output.clone(),
        })?;
    }
    let what = format!("check of {} files, {tail}", arguments.files);
    table(text, &what, &contenders);
    let [ours, theirs] = contenders.each_ref().map(Contender::seconds);
    faster(goals, &what, theirs / ours, CHECK_TIMES_FASTER);
    memory(goals, &what, contenders[0].peak(), arguments.files.into());
    remove(&volume)
}

fn faster(goals: &mut String, what: &str, times: f64, wanted: f64) {
    let what = format!("{what}: at least {wanted} times as fast as ntfsresize");
    goal(goals, &what, &format!("{times:.1} times"), times >= wanted);
}

fn memory(goals: &mut String, what: &str, peak: u64, files: u64) {
    let limit = MEMORY_BYTES + MEMORY_BYTES_PER_FILE * files;
    let what = format!("{what}: peak memory under {}", mebibytes(limit));
    goal(goals, &what, &mebibytes(peak), peak < limit);
}

fn table(text: &mut String, title: &str, contenders: &[Contender]) {
    let _ = writeln!(
        text,
        "{title}\n\n| | median | fastest | slowest | peak memory |\n|---|---|---|---|---|"
    );
    for contender in contenders {
        let times = sorted(contender.runs.iter().map(|run| run.wall_seconds));
        let ends = [times.first(), times.last()].map(|time| time.copied().unwrap_or(f64::NAN));
        let (name, median, peak) = (&contender.name, median(&times), mebibytes(contender.peak()));
        let _ = writeln!(
            text,
            "| {name} | {median:.3} s | {:.3} s | {:.3} s | {peak} |",
            ends[0], ends[1]
        );
    }
    text.push('\n');
}

/// A copy of the volume that is on the medium and in the page cache.
fn fresh(volume: &Path, copy: &Path) -> Result<(), Error> {
    output_of(&["cp".into(), "--sparse=always".into(), volume.into(), copy.into()])?;
    output_of(&["sync".into()]).map(drop)
}

fn drop_page_cache() -> Result<(), Error> {
    let path = Path::new("/proc/sys/vm/drop_caches");
    std::fs::write(path, "3").map_err(|source| Error::File {
        path: path.into(),
        source,
    })
}

fn remove(path: &Path) -> Result<(), Error> {
    std::fs::remove_file(path).map_err(|source| Error::File {
        path: path.into(),
        source,
    })
}
