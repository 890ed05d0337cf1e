//! Monit, which a user would pick instead, at the same work: for as long as it is installed.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) struct Monit {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Monit {
    /// Has it watch so many apps of a target; `None` where there is none.
    pub(crate) fn start(target: SocketAddr, apps: usize, interval: u64) -> Option<Monit> {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("monitrc");
        fs::write(&settings, settings_for(folder.path(), target, apps, interval)).unwrap();
        // It refuses settings that others may read.
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
        let mut monit = Command::new("monit");
        monit.arg("-c").arg(&settings).arg("-I").stdout(Stdio::null()).stderr(Stdio::null());
        let child = monit.spawn().ok()?;
        Some(Monit { child, _folder: folder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Monit {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn settings_for(folder: &Path, target: SocketAddr, apps: usize, interval: u64) -> String {
    let mut text = format!("set daemon {interval}\n");
    for file in ["pid", "id", "state"] {
        writeln!(text, "set {file}file {}/{file}", folder.display()).unwrap();
    }
    for app in 0..apps {
        writeln!(
            text,
            "check host app{app} with address {} if failed port {} protocol http \
             request \"/{app}/health\" with timeout {interval} seconds then alert",
            target.ip(),
            target.port()
        )
        .unwrap();
    }
    text
}
