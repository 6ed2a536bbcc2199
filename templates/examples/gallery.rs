//! Draws every page with sample data into a folder, to look at them in a browser:
//! `cargo run -p templates --example gallery -- FOLDER`. Never part of the product.

use std::{env, error::Error, fs, path::PathBuf};

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("name a folder to write into")?);
    fs::create_dir_all(&folder)?;
    for (name, page) in samples::gallery(&templates::Templates::load()?) {
        // Opened as files, so the style sheet is found beside them.
        let page = page.replace("/style.css?v&#x3D;0123456789abcdef", "style.css");
        fs::write(folder.join(format!("{name}.html")), page)?;
    }
    fs::write(folder.join("style.css"), templates::STYLE_SHEET)?;
    Ok(())
}
