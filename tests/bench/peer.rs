//! What a user would pick instead, at the same work: for as long as it is installed.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub(crate) struct Peer {
    child: Child,
    _folder: TempDir,
}

impl Peer {
    /// Has Monit watch so many apps of a target, every so many seconds; `None` where there is none.
    pub(crate) fn monit(target: SocketAddr, apps: usize, interval: u64) -> Option<Peer> {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("monitrc");
        fs::write(&settings, for_monit(folder.path(), target, apps, interval)).unwrap();
        // It refuses settings that others may read.
        fs::set_permissions(&settings, fs::Permissions::from_mode(0o600)).unwrap();
        let mut monit = Command::new("monit");
        monit.arg("-c").arg(&settings).arg("-I");
        Peer::start(monit, folder)
    }

    /// The same with Vigil (`cargo install vigil-server`), where `VIGIL_ASSETS` says where its package has them.
    pub(crate) fn vigil(target: SocketAddr, apps: usize, interval: u64) -> Option<Peer> {
        let assets = PathBuf::from(env::var_os("VIGIL_ASSETS")?);
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("vigil.cfg");
        fs::write(&settings, for_vigil(&assets, target, apps, interval)).unwrap();
        let mut vigil = Command::new("vigil");
        vigil.arg("-c").arg(&settings);
        Peer::start(vigil, folder)
    }

    fn start(mut command: Command, folder: TempDir) -> Option<Peer> {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Some(Peer { child: command.spawn().ok()?, _folder: folder })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn for_monit(folder: &Path, target: SocketAddr, apps: usize, interval: u64) -> String {
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

/// Its page is at any free port of loopback. It waits for its interval between two rounds.
fn for_vigil(assets: &Path, target: SocketAddr, apps: usize, interval: u64) -> String {
    let replicas: Vec<String> =
        (0..apps).map(|app| format!("\"http://{target}/{app}/health\"")).collect();
    format!(
        "[server]\nlog_level = \"error\"\ninet = \"127.0.0.1:0\"\nworkers = 1\n\
         manager_token = \"a\"\nreporter_token = \"b\"\n\
         [assets]\npath = {assets:?}\n\
         [branding]\npage_title = \"a\"\npage_url = \"http://localhost/\"\ncompany_name = \"a\"\n\
         icon_color = \"#1972F5\"\nicon_url = \"http://localhost/\"\nlogo_color = \"#1972F5\"\n\
         logo_url = \"http://localhost/\"\nwebsite_url = \"http://localhost/\"\n\
         support_url = \"mailto:a@localhost\"\n\
         [metrics]\npoll_interval = {interval}\n\
         [notify]\nstartup_notification = false\n\
         [[probe.service]]\nid = \"a\"\nlabel = \"a\"\n\
         [[probe.service.node]]\nid = \"b\"\nlabel = \"b\"\nmode = \"poll\"\nreplicas = [{}]\n",
        replicas.join(", ")
    )
}
