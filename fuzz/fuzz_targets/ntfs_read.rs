#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| winrefit_fuzz::run("ntfs_read", data));
