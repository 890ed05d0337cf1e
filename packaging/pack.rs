//! Packs the description of the API for the program: as text it is a sixtieth of what all of it may weigh.
//!
//! Run by cargo before it compiles the package.

// Cargo is told on standard output what to look at.
#![allow(clippy::print_stdout)]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=packaging/pack.rs");
    #[cfg(feature = "daemon")]
    pack::description()?;
    Ok(())
}

#[cfg(feature = "daemon")]
mod pack {
    use std::error::Error;
    use std::path::Path;
    use std::{env, fs};

    const DESCRIPTION: &str = "src/daemon/api/openapi.json";
    /// The smallest that there is: it is done once.
    const LEVEL: u8 = 10;

    /// Writes it to where `include_bytes!` looks.
    pub(crate) fn description() -> Result<(), Box<dyn Error>> {
        println!("cargo::rerun-if-changed={DESCRIPTION}");
        let packed = miniz_oxide::deflate::compress_to_vec(&fs::read(DESCRIPTION)?, LEVEL);
        let folder = env::var("OUT_DIR")?;
        Ok(fs::write(Path::new(&folder).join("openapi.deflate"), packed)?)
    }
}
