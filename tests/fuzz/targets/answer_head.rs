#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| subjects::answer_head::run(bytes));
