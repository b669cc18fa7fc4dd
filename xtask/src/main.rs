//! Work on the project itself that Cargo has no command for. `cargo xtask bench` compares winrefit with what people do
//! today, on copies of one disk; `cargo xtask bench-ntfs` the NTFS engine with ntfsresize and dd.

#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod bench_ntfs;
#[cfg(target_os = "linux")]
mod contender;
#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod measure;
#[cfg(target_os = "linux")]
mod ntfs_volume;
#[cfg(target_os = "linux")]
mod table;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    bench::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("The benchmark needs Linux: loop devices, ntfs-3g and the block layer's counters.");
    std::process::exit(1);
}
