//! A PostgreSQL cluster of the test's own, in a temporary folder, from the binaries that are installed.
//!
//! One cluster serves all tests of a binary; each test has its own database. A shell waits on a pipe from this process:
//! when the process ends, however it ends, the shell stops the server and removes the folder.
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// A running cluster.
pub struct Cluster {
    folder: PathBuf,
    /// Holds the pipe that keeps the server alive.
    _watch: Child,
    /// The server, if it was started again.
    again: Mutex<Option<Child>>,
    next: AtomicU32,
}

/// The cluster of this test binary; None, and a word about it, if PostgreSQL is not installed. Where
/// `ZHANGGUI_POSTGRES=required`, it has to be.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start).as_ref()
}

impl Cluster {
    fn start() -> Option<Cluster> {
        let Some(bin) = binaries() else {
            let required = std::env::var("ZHANGGUI_POSTGRES").is_ok_and(|said| said == "required");
            assert!(!required, "PostgreSQL is not installed");
            let _ = writeln!(std::io::stderr(), "skipped: PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("zhanggui-pg-").tempdir().unwrap().keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let user = other_user();
        if let Some(user) = &user {
            chown(&folder, Some(id("-u", user)), Some(id("-g", user))).unwrap();
        }
        let data = folder.join("data");
        let mut init = as_user(user.as_deref(), &bin.join("initdb"));
        init.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data);
        let done = init.current_dir(&folder).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let script = r#""$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 >"$2/log" 2>&1 &
            server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$2""#;
        let mut watch = as_user(user.as_deref(), Path::new("/bin/sh"));
        watch.args(["-c", script, "sh"]).arg(&bin).arg(&folder).current_dir(&folder);
        let watch = watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let cluster = Cluster { folder, _watch: watch, again: Mutex::default(), next: AtomicU32::new(0) };
        let began = Instant::now();
        loop {
            let ready = Command::new(bin.join("pg_isready")).arg("-h").arg(&cluster.folder).output().unwrap();
            if ready.status.success() {
                return Some(cluster);
            }
            let log = || std::fs::read_to_string(cluster.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL did not start: {}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills every process of the server at once, as a power cut does, and starts it again on the same files.
    #[allow(dead_code, reason = "not every test binary that has a cluster kills it")]
    pub fn kill_and_restart(&self) {
        let bin = binaries().unwrap();
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().trim().to_owned();
        // Stopped first, so that it starts no process while they are counted.
        signal("-STOP", &[&pid]);
        let children = Command::new("pgrep").args(["-P", &pid]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all: Vec<&str> = std::iter::once(pid.as_str()).chain(children.split_whitespace()).collect();
        signal("-KILL", &all);
        let mut again = self.again.lock().unwrap();
        if let Some(mut old) = again.take() {
            old.wait().unwrap();
        }
        let began = Instant::now();
        while all.iter().any(|pid| runs(pid)) {
            assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Nobody has taken notice of its death: without this the new server would believe that the old one runs.
        for left in ["data/postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432"] {
            let _ = std::fs::remove_file(self.folder.join(left));
        }
        let user = other_user();
        let script = r#"exec "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 >>"$2/log" 2>&1"#;
        let mut start = as_user(user.as_deref(), Path::new("/bin/sh"));
        start.args(["-c", script, "sh"]).arg(&bin).arg(&self.folder).current_dir(&self.folder);
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = start.spawn().unwrap();
        loop {
            std::thread::sleep(Duration::from_millis(20));
            let ready = Command::new(bin.join("pg_isready")).arg("-h").arg(&self.folder).output().unwrap();
            if ready.status.success() {
                *again = Some(server);
                return;
            }
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(120), "PostgreSQL did not start again: {}", log());
            // A server that still sees processes of the old one ends at once: then again.
            if server.try_wait().unwrap().is_some() {
                server = start.spawn().unwrap();
            }
        }
    }

    /// Ends a server that was started again: the shell that watches knows only the first.
    #[allow(dead_code, reason = "not every test binary that has a cluster kills it")]
    pub fn end(&self) {
        if let Some(mut server) = self.again.lock().unwrap().take() {
            signal("-QUIT", &[&server.id().to_string()]);
            server.wait().unwrap();
        }
    }

    /// The address of a database of this cluster.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }

    /// The name of a database that no other test has; it has to be created.
    pub fn fresh(&self) -> String {
        format!("t{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The address of a new, empty database.
    #[allow(dead_code, reason = "a test that needs two creates them itself")]
    pub fn database(&self) -> String {
        let name = self.fresh();
        let mut create = Command::new(binaries().unwrap().join("createdb"));
        let made = create.args(["-U", "postgres", "-h"]).arg(&self.folder).arg(&name).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        self.url(&name)
    }
}

fn signal(which: &str, to: &[&str]) {
    let _ = Command::new("kill").arg(which).args(to).stderr(Stdio::null()).status();
}

/// Whether a process still does something; what is dead and was not buried does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim_start().starts_with('Z'))
}

fn binaries() -> Option<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok()?;
    let bin = PathBuf::from(String::from_utf8(said.stdout).ok()?.trim());
    bin.join("initdb").exists().then_some(bin)
}

/// PostgreSQL does not run as root: then the user that its package made runs it.
fn other_user() -> Option<String> {
    let root = id_text("-u", None) == "0";
    root.then(|| "postgres".to_owned())
}

fn id(flag: &str, user: &str) -> u32 {
    id_text(flag, Some(user)).parse().unwrap()
}

fn id_text(flag: &str, user: Option<&str>) -> String {
    let said = Command::new("id").arg(flag).args(user).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let Some(user) = user else { return Command::new(program) };
    let has = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let mut command;
    if has("setpriv") {
        command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]);
    } else {
        command = Command::new("runuser");
        command.args(["-u", user, "--"]);
    }
    command.arg(program);
    command
}
