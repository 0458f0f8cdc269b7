//! `zhanggui plugin pack` and `sign`.
use super::Output;
use super::engine::pass;
use super::project::{counted, files, package, read, refused, size, write};
use crate::cli::CliError;
use crate::plugins::package::{Package, SecretKey};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct PackArgs {
    /// The plugin's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Where the package goes; a folder keeps its own name, vendor.name-1.2.0.zgp
    #[arg(long, value_name = "PATH", default_value = ".")]
    out: PathBuf,
    /// Do not run the cases: a server refuses the package if one of them fails there
    #[arg(long)]
    skip_cases: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// The package; the signature goes into it
    package: PathBuf,
    /// The file with the vendor's secret key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(super) fn pack(args: &PackArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let package = Package::make(files(&args.dir)?).map_err(refused)?;
    if !args.skip_cases {
        let all = args.dir.display();
        pass(&package).map_err(|why| {
            refused(format!("{why}; nothing is packed (zhanggui plugin test {all} shows more)"))
        })?;
    }
    let path = if args.out.is_dir() { args.out.join(package.file_name()) } else { args.out.clone() };
    // As in messages: without the folder that one stands in.
    let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
    let bytes = package.bytes().map_err(refused)?;
    write(&path, &bytes)?;
    let (at, len) = (path.display().to_string(), bytes.len() as u64);
    output.show(
        &json!({ "package": at, "id": package.manifest.id, "version": package.manifest.version,
            "digest": package.digest, "bytes": len, "cases": package.cases.len() }),
        || {
            let cases = counted(package.cases.len(), "case");
            format!("{at}\n{}, {cases}, digest {}", size(len), package.digest)
        },
    )?;
    output.console.message(&format!("now: zhanggui plugin sign {at} --key FILE"));
    Ok(true)
}

pub(super) fn sign(args: &SignArgs, output: &mut Output<'_>) -> Result<bool, CliError> {
    let mut package = package(&args.package)?;
    let key = secret_key(&args.key, output)?;
    package.sign(&key).map_err(refused)?;
    write(&args.package, &package.bytes().map_err(refused)?)?;
    let (at, id) = (args.package.display().to_string(), key.public().id());
    output.show(
        &json!({ "package": at, "digest": package.digest, "vendor": key.vendor(), "key": id }),
        || format!("{at} is signed with the key {id} of {}", key.vendor()),
    )?;
    Ok(true)
}

fn secret_key(path: &Path, output: &Output<'_>) -> Result<SecretKey, CliError> {
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o077 != 0);
        if open {
            let at = path.display();
            output.console.message(&format!("others can read {at}, which is secret: chmod 600 {at}"));
        }
    }
    text.parse().map_err(|error| CliError::Usage(format!("{}: {error}", path.display())))
}
