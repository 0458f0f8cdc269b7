//! `zhanggui plugin keygen` and `verify`.
use super::Output;
use super::project::{package, read};
use crate::cli::CliError;
use crate::plugins::package::{Keyring, PublicKey, SecretKey, Trust, TrustedKey};
use serde_json::json;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct KeygenArgs {
    /// The vendor: what plugins' ids begin with
    #[arg(long, value_name = "NAME")]
    vendor: String,
    /// The file for the secret key; it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    package: PathBuf,
    /// A public key that is trusted: zgk1:vendor:…
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// A file with a public key in each line; since=DAY and revoked=DAY may follow it
    #[arg(long, value_name = "FILE")]
    keyring: Option<PathBuf>,
    /// Accept an unsigned package, as a server does that allows them for development
    #[arg(long)]
    development: bool,
}

pub(super) fn keygen(args: &KeygenArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let key = SecretKey::generate(&args.vendor).map_err(|e| CliError::Usage(e.to_string()))?;
    let line = format!("{}\n", key.secret_line());
    create_private(&args.out, &line).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let at = args.out.display();
            CliError::Usage(format!(
                "{at} is there already, and a key is never written over: say another --out"
            ))
        }
        _ => CliError::Write { path: args.out.clone(), error },
    })?;
    let public = key.public();
    output.show(
        &json!({ "vendor": key.vendor(), "key": public.id(), "public": public, "secret_file": args.out.display().to_string() }),
        || public.to_string(),
    )?;
    let at = args.out.display();
    output
        .console
        .message(&format!("{at} is secret and signs in your name; the line above is for operators"));
    Ok(true)
}

/// A new file that nobody else can read, from its first moment on.
fn create_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(super) fn verify(args: &VerifyArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    if args.key.is_empty() && args.keyring.is_none() && !args.development {
        let what = "whom is to be trusted? Say --key KEY, --keyring FILE, or --development for a package without a signature";
        return Err(CliError::Usage(what.to_owned()));
    }
    let mut ring = match &args.keyring {
        Some(path) => {
            let text = String::from_utf8_lossy(&read(path)?).into_owned();
            let wrong = |error| CliError::Usage(format!("{}: {error}", path.display()));
            text.parse::<Keyring>().map_err(wrong)?
        }
        None => Keyring::default(),
    };
    for text in &args.key {
        let key: PublicKey = text.parse().map_err(|e| CliError::Usage(format!("{text}: {e}")))?;
        ring.add(TrustedKey { key, since: None, revoked: None });
    }
    let package = package(&args.package)?;
    let (id, digest) = (&package.manifest.id, &package.digest);
    let version = &package.manifest.version;
    let trust = ring.trust(&package, args.development);
    let (vendor, key) = match &trust {
        Ok(Trust::Signed(verified)) => (Some(&verified.vendor), Some(&verified.key)),
        _ => (None, None),
    };
    let (error, code) =
        (trust.as_ref().err().map(ToString::to_string), trust.as_ref().err().map(|e| e.code()));
    let shown = json!({ "id": id, "version": version, "digest": digest, "trusted": trust.is_ok(), "vendor": vendor,
        "key": key, "code": code, "error": error });
    output.show(&shown, || match &trust {
        Ok(Trust::Signed(by)) => {
            format!("{id} {version} is {}'s, signed with {}\ndigest {digest}", by.vendor, by.key)
        }
        Ok(Trust::Development) => {
            format!("{id} {version} is not signed: for development only\ndigest {digest}")
        }
        Err(error) => format!("not trusted: {error}"),
    })?;
    Ok(trust.is_ok())
}
