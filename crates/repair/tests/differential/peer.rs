//! The same shrink by ntfsresize: both succeed, and the contents are equal.

use crate::counts::Bench;
use crate::volume::image::Image;
use crate::volume::manifest::Manifest;
use crate::volume::mount::{Access, Mounted};
use crate::volume::tools::{oracle, try_run};
use crate::volumes::image_of;
use winrefit_disk::{ByteRange, MemoryDevice};

/// $Volume, in which ntfsresize asks for a check.
const VOLUME: &str = "3 ";

/// Lets ntfsresize shrink the old volume to `bytes`, and compares it with what the engine has made.
pub fn compare(bench: &Bench<'_>, old: &MemoryDevice, range: ByteRange, bytes: u64, ours: &Image) {
    let Some(mut ntfsresize) = oracle("ntfsresize") else {
        return;
    };
    let mut theirs = image_of(old, range);
    let size = bytes.to_string();
    let (done, printed) = try_run(ntfsresize.args(["-f", "-f", "-P", "-b", "--size", &size, theirs.path()]));
    if !done {
        // Reasons of its own; what the engine has made is judged by others all the same.
        let reason = printed.lines().rev().find(|line| line.contains("ERROR"));
        bench.note(format!("ntfsresize did not: {}", reason.unwrap_or("?")));
        return;
    }
    theirs.resize(bytes);
    let is_wanted = |file: &str, what: &str| {
        let rewritten = crate::volumes::REWRITTEN.iter().any(|end| file.ends_with(end));
        !rewritten && !file.starts_with(VOLUME) && !crate::volumes::is_rewritten(file, what)
    };
    let [mut their_view, mut our_view] = [Manifest::of(&theirs), Manifest::of(ours)];
    for view in [&mut their_view, &mut our_view] {
        view.retain(is_wanted);
    }
    assert!(their_view.len() > 10);
    their_view.assert_same(&our_view, "ntfsresize and our reader");
    bench.judged("ntfsresize: same shrink, same content");
    if !bench.one_in(3) {
        return;
    }
    // Where it moves the $MFT it may leave the old first record in $MFTMirr.
    let sound = |mut ntfsfix: std::process::Command| try_run(ntfsfix.args(["-n", theirs.path()])).0;
    if !oracle("ntfsfix").is_some_and(sound) {
        bench.note("ntfsresize did, and left a volume that ntfs-3g does not mount");
        return;
    }
    let view = |image| Mounted::new(image, Access::ReadOnly).map(|m| Manifest::of_host(m.root()));
    if let (Some(mut theirs), Some(mut ours)) = (view(&theirs), view(ours)) {
        for view in [&mut theirs, &mut ours] {
            view.retain(|file, _| !crate::volumes::REWRITTEN.iter().any(|end| file.ends_with(end)));
        }
        theirs.assert_same(&ours, "ntfsresize and ntfs-3g");
        bench.judged("ntfsresize and ntfs-3g: same shrink, same content");
    }
}
