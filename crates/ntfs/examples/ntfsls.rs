//! Lists a directory of an NTFS volume image: `ntfsls IMAGE [PATH]`.
#![allow(clippy::unwrap_used)]

use winrefit_ntfs::{Volume, state::VolumeState};

fn main() {
    let mut args = std::env::args().skip(1);
    let image = std::fs::read(args.next().expect("usage: ntfsls IMAGE [PATH]")).unwrap();
    let volume = Volume::open(&image).unwrap();
    println!("{:?}\n{:?}", volume.geometry(), VolumeState::read(&volume));
    let Some(file) = volume.lookup(&args.next().unwrap_or_default()).unwrap() else {
        println!("no such file");
        return;
    };
    for (reference, name) in volume.directory(&file).unwrap().list().unwrap() {
        println!(
            "{:>8} {:>12} {}",
            reference.record,
            name.data_size,
            name.display_name()
        );
    }
}
