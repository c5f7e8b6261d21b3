//! Tells the program whether there is a built viewer to have in it.
#![allow(clippy::print_stdout, reason = "this is how cargo is told")]

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm/embedded");
    println!("cargo::rustc-check-cfg=cfg(has_viewer)");
    println!("cargo::rerun-if-changed={}", folder.display());
    if folder.join("daybook-web.tar.gz").is_file() {
        println!("cargo::rustc-cfg=has_viewer");
    }
}
