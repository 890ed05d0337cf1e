//! The doorstep: everything else is in the library.

fn main() {}
