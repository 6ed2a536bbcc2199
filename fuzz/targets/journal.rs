//! libFuzzer's way to [`fuzz::journal`]. It asserts nothing itself.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::journal(data));

#[cfg(not(fuzzing))]
fn main() {
    eprintln!("built without libFuzzer; run it with: cargo fuzz run journal");
}
