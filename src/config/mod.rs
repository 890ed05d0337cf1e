//! What the owner wants: command line, then environment, then file, then default.

pub mod settings;
