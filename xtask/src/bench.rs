//! `bench`: winrefit and the peers' scripts on copies of one disk, in one run.
//!
//! What is fair here:
//! * Every run gets a fresh copy, written back (`sync`) before the clock starts, so that nobody's own flush pays for
//!   the copying. The copy is in the page cache for all of them.
//! * The contenders take turns, so a busy moment of the machine meets all of them; the median is shown.
//! * Each ends with its data on the medium: the scripts by their `sync`, winrefit by the flushes of its commit. All
//!   work on the image file; the scripts put loop devices over parts of it, which is a part of their way.
//! * All of them grow the partition by the same 475 MiB. Only winrefit checks both volumes before and after.
//! * Every contender works on the same disk. With `--free-tail` what lies at the end of its Windows volume is moved away
//!   beforehand, with ntfsresize, which spares all of them the moving.
//! * Bytes written come from runs of their own with the image behind a loop device, whose block layer counts whole
//!   pages of 4 KiB, for everybody.

use crate::contender::{Contender, Run};
use crate::error::Error;
use crate::image::Copy;
use crate::measure::{self, Usage, output_of};
use crate::table;
use clap::Args;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Runs of `diagnose`; they are short.
const DIAGNOSE_RUNS: usize = 21;

/// What [`empty_tail`] runs.
const EMPTY_TAIL: &str = r#"
. "$1.env"
bytes=$(( (re_start - os_start) * 512 ))
loop=$(losetup -f --show -o $(( os_start * 512 )) --sizelimit $bytes "$1")
trap 'losetup -d $loop' EXIT
ntfsresize -f -f -P -s $(( bytes - (1 << 30) )) $loop
ntfsresize -f -f -P $loop
ntfsfix -d $loop
"#;

/// What is asked of the benchmark.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Files on the Windows volume.
    #[arg(long, default_value_t = 100_000)]
    files: u32,
    /// Timed runs of each contender.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Folder of make-disk.sh, expert-pipeline.sh and copy-pipeline.sh.
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/peer"))]
    peer: PathBuf,
    /// Use this disk, made by make-disk.sh before, instead of making one.
    #[arg(long, value_name = "IMAGE")]
    disk: Option<PathBuf>,
    /// Empty the end of the Windows volume beforehand.
    #[arg(long)]
    free_tail: bool,
}

/// All that was measured.
#[derive(Debug)]
pub struct Results {
    /// Files on the Windows volume; `None` for a disk made before.
    pub files: Option<u32>,
    /// The contenders, winrefit first.
    pub contenders: Vec<(Contender, Vec<Run>, u64)>,
    /// Whether the tail was emptied beforehand.
    pub free_tail: bool,
    /// Runs of `diagnose`.
    pub diagnose: Vec<Usage>,
}

/// Runs the benchmark and prints its table.
///
/// # Errors
/// Those of its programs and files.
pub fn bench(arguments: &BenchArguments) -> Result<(), Error> {
    let script = |name: &str| arguments.peer.join(name);
    let peers = [script("expert-pipeline.sh"), script("copy-pipeline.sh")];
    let needed = peers
        .iter()
        .chain(arguments.disk.is_none().then_some(&arguments.peer));
    if let Some(missing) = needed.into_iter().find(|path| !path.exists()) {
        println!("skipped: {} is not there; see --peer", missing.display());
        return Ok(());
    }
    let winrefit = build()?;
    let folder = tempfile::Builder::new().prefix("winrefit-bench-").tempdir();
    let folder = folder.map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let disk = match &arguments.disk {
        Some(disk) => disk.clone(),
        None => make_disk(&script("make-disk.sh"), folder.path(), arguments.files)?,
    };
    let free_tail = arguments.free_tail;
    let emptied = free_tail.then(|| empty_tail(&disk, folder.path())).transpose()?;
    let disk = emptied.as_ref().map_or(disk.as_path(), Copy::path);
    let mut contenders = vec![(Contender::Winrefit(winrefit.clone()), Vec::new(), 0)];
    contenders.extend(peers.map(|peer| (Contender::Script(peer), Vec::new(), 0)));
    for round in 1..=arguments.runs {
        for (contender, runs, _) in &mut contenders {
            let run = contender.time(disk, folder.path())?;
            eprintln!(
                "{}, run {round}: {:.3} s",
                contender.name(),
                run.usage.wall_seconds
            );
            runs.push(run);
        }
    }
    for (contender, _, written) in &mut contenders {
        *written = contender.written_bytes(disk, folder.path())?;
        eprintln!("{}: {written} bytes written", contender.name());
    }
    let diagnose = diagnose(&winrefit, disk)?;
    let files = arguments.disk.is_none().then_some(arguments.files);
    print!(
        "{}",
        table::render(&Results {
            files,
            contenders,
            free_tail,
            diagnose
        })
    );
    Ok(())
}

/// Builds the binary as users get it, and says where it is.
fn build() -> Result<PathBuf, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = vec![cargo];
    command.extend(
        [
            "build",
            "--release",
            "--package",
            "winrefit",
            "--bin",
            "winrefit",
            "--message-format=json",
        ]
        .map(Into::into),
    );
    let messages = output_of(&command)?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executable.ok_or(Error::Answer {
        what: "cargo's list of artifacts",
        found: messages,
    })
}

fn make_disk(script: &Path, folder: &Path, files: u32) -> Result<PathBuf, Error> {
    let disk = folder.join("disk.img");
    eprintln!("Making a disk with {files} files; this takes some minutes.");
    output_of(&[
        "bash".into(),
        script.into(),
        disk.clone().into(),
        files.to_string().into(),
    ])?;
    Ok(disk)
}

/// A copy of the disk whose Windows volume has no data in its last GiB: ntfsresize makes it shorter and long again.
/// ntfsfix takes off the dirty flag that ntfsresize leaves.
fn empty_tail(disk: &Path, folder: &Path) -> Result<Copy, Error> {
    let copy = Copy::of(disk, folder.join("emptied.img"))?;
    output_of(&[
        "bash".into(),
        "-euc".into(),
        EMPTY_TAIL.into(),
        "bash".into(),
        copy.path().into(),
    ])?;
    Ok(copy)
}

/// Runs `diagnose` on the disk as it is, once for the page cache and then for the measurements.
fn diagnose(winrefit: &Path, disk: &Path) -> Result<Vec<Usage>, Error> {
    let command = [
        winrefit.into(),
        "diagnose".into(),
        "--format".into(),
        "json".into(),
        disk.into(),
    ];
    let runs = (0..=DIAGNOSE_RUNS).map(|_| {
        let usage = measure::run(&command)?;
        if usage.exit_code == Some(3) && usage.output.contains("\"re-too-small\"") {
            Ok(usage)
        } else {
            let found = format!("{:?}\n{}{}", usage.exit_code, usage.output, usage.errors);
            Err(Error::Answer {
                what: "the diagnosis",
                found,
            })
        }
    });
    let mut runs = runs.collect::<Result<Vec<_>, _>>()?;
    runs.remove(0);
    Ok(runs)
}
