//! Writes the seeds into `FOLDER/DOOR/NUMBER`: `cargo run -p cloister-doors --bin seeds -- FOLDER`.

use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("usage: seeds FOLDER"))?;
    for (number, (door, seed)) in cloister_doors::seeds::all().into_iter().enumerate() {
        fs::create_dir_all(folder.join(door))?;
        fs::write(folder.join(door).join(number.to_string()), seed)?;
    }
    Ok(())
}
