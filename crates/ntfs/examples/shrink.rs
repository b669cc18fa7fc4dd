//! Shrinks the volume in an image or block device, in place: `shrink IMAGE NEW_BYTES`.
//!
//! There is no journal here, so a crash may leave a volume that needs a repair. The partition keeps its size, and so
//! does the image.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use winrefit_disk::DiskFile;
use winrefit_ntfs::Volume;
use winrefit_ntfs::resize::shrink_end;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(image), Some(bytes)) = (arguments.next(), arguments.next()) else {
        return Err("usage: shrink IMAGE NEW_BYTES".into());
    };
    let mut disk = DiskFile::open_write(Path::new(&image))?;
    let sector_size = Volume::open(&disk)?.geometry().sector_size;
    let start = Instant::now();
    let shrink = shrink_end(&disk, bytes.parse::<u64>()? / u64::from(sector_size))?;
    println!("planned in {:?}", start.elapsed());
    println!(
        "{} bytes to copy in {} moves",
        shrink.bytes_to_move(),
        shrink.moves.len()
    );
    let edited: usize = shrink.edits.0.iter().map(|edit| edit.bytes.len()).sum();
    let steps = shrink.edits.0.chunk_by(|a, b| a.step == b.step).count();
    println!(
        "{edited} bytes to change in {} writes and {steps} steps",
        shrink.edits.0.len()
    );
    let start = Instant::now();
    shrink.apply(&mut disk)?;
    println!("done in {:?}", start.elapsed());
    Ok(())
}
