#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| cloister_doors::open("cosmos_block", data));
