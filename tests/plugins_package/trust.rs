//! Signatures: whose a package is, and who pretends to be somebody else.
use super::{files, key, package, ring, signed};
use std::io::{Cursor, Read as _, Write as _};
use zhanggui::plugins::package::{
    Files, Keyring, Package, PackageError, PublicKey, SecretKey, Trust, TrustError, TrustedKey, Verified,
};

/// The files of an archive, read by nobody in particular.
fn unzip(bytes: &[u8]) -> Files {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|i| {
            let mut file = archive.by_index(i).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().to_owned(), content)
        })
        .collect()
}

fn zip_up(files: &Files) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn sums(files: &Files) -> Vec<u8> {
    use sha2::Digest as _;
    let line = |(name, bytes): (&String, &Vec<u8>)| {
        let hex: String = sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        format!("{hex}  {name}\n")
    };
    files
        .iter()
        .filter(|(name, _)| !["SHA256SUMS", "SIGNATURE"].contains(&name.as_str()))
        .map(line)
        .collect::<String>()
        .into_bytes()
}

#[test]
fn a_signed_package_is_its_vendors() {
    let acme = key("acme");
    let trusted = ring(&[&key("other"), &acme]);
    let package = Package::read(&signed(&acme).bytes().unwrap()).unwrap();
    let expected = Verified { vendor: "acme".to_owned(), key: acme.public().id() };
    assert_eq!(trusted.verify(&package), Ok(expected.clone()));
    assert_eq!(trusted.trust(&package, false), Ok(Trust::Signed(expected.clone())));
    assert_eq!(trusted.trust(&package, true), Ok(Trust::Signed(expected)));
}

#[test]
fn an_unsigned_package_is_for_development_only_and_says_so() {
    let trusted = ring(&[&key("acme")]);
    let package = Package::read(&package().bytes().unwrap()).unwrap();
    let unsigned = TrustError::Unsigned { id: "acme.score".to_owned() };
    assert_eq!(trusted.verify(&package), Err(unsigned.clone()));
    assert_eq!(trusted.trust(&package, false), Err(unsigned));
    assert_eq!(trusted.trust(&package, true), Ok(Trust::Development));
}

#[test]
fn a_signature_that_does_not_hold_is_refused_even_for_development() {
    let (acme, other, stranger) = (key("acme"), key("other"), key("acme"));
    let package = signed(&acme);
    let code = |ring: &Keyring, package: &Package| {
        let refused = ring.trust(package, false).expect_err("it was trusted");
        assert_eq!(ring.trust(package, true), Err(refused.clone()), "development");
        refused.code()
    };
    assert_eq!(code(&Keyring::default(), &package), "unknown-key");
    assert_eq!(code(&ring(&[&stranger]), &package), "unknown-key");
    let mut revoked = ring(&[&stranger]);
    let since = Some("2026-01-01".to_owned());
    revoked.add(TrustedKey { key: acme.public(), since, revoked: Some("2026-11-01".to_owned()) });
    assert_eq!(code(&revoked, &package), "revoked-key");
    let said = revoked.verify(&package).unwrap_err().to_string();
    assert!(said.contains("revoked on 2026-11-01"), "{said}");
    // The key of one vendor under the plugin of another: the tool refuses to sign so, and the server to believe it.
    let mut wrong = super::package();
    assert!(matches!(wrong.sign(&other), Err(PackageError::OtherVendor { .. })));
    let text = super::MANIFEST.replace("acme.score", "other.score");
    let mut theirs = files();
    theirs.insert("plugin.toml".to_owned(), text.into_bytes());
    let mut theirs = Package::make(theirs).unwrap();
    theirs.sign(&other).unwrap();
    let theirs = unzip(&theirs.bytes().unwrap());
    let mut ours = unzip(&package.bytes().unwrap());
    ours.insert("SIGNATURE".to_owned(), theirs["SIGNATURE"].clone());
    let pretended = Package::read(&zip_up(&ours)).unwrap();
    assert_eq!(code(&ring(&[&acme, &other]), &pretended), "other-vendor");
    assert_eq!(code(&ring(&[&acme]), &pretended), "unknown-key");
}

#[test]
fn a_list_that_puts_a_key_under_another_vendors_name_is_not_followed() {
    let (acme, other) = (key("acme"), key("other"));
    let text = super::MANIFEST.replace("acme.score", "other.score");
    let mut theirs = files();
    theirs.insert("plugin.toml".to_owned(), text.into_bytes());
    let mut theirs = Package::make(theirs).unwrap();
    theirs.sign(&other).unwrap();
    let line = acme.public().to_string();
    let list = serde_json::json!({ "other": [{ "key": line }] });
    let ring: Keyring = serde_json::from_value(list).unwrap();
    let mut files = unzip(&theirs.bytes().unwrap());
    let signature = String::from_utf8(files["SIGNATURE"].clone()).unwrap();
    let renamed = signature.replace(&other.public().id(), &acme.public().id());
    files.insert("SIGNATURE".to_owned(), renamed.into_bytes());
    let package = Package::read(&zip_up(&files)).unwrap();
    assert_eq!(ring.trust(&package, true).unwrap_err().code(), "other-vendor");
}

#[test]
fn every_altered_file_is_seen() {
    let acme = key("acme");
    let good = unzip(&signed(&acme).bytes().unwrap());
    assert!(Package::read(&zip_up(&good)).is_ok());
    let refused = |files: &Files| Package::read(&zip_up(files)).expect_err("it was taken");
    let other_component = wat::parse_str(
        r#"(component (instance $i) (export "zhanggui:plugin/facts@0.1.0" (instance $i)) (core module))"#,
    )
    .unwrap();
    let manifest = super::MANIFEST.replace("1.2.0", "1.2.1").into_bytes();
    let case = super::CASE.replace("\"whole\": 3", "\"whole\": 4").into_bytes();
    for (name, content) in [
        ("plugin.wasm", other_component),
        ("plugin.toml", manifest),
        ("README.md", b"# Another\n".to_vec()),
        ("cases/light.json", case),
        ("cases/added.json", super::CASE.as_bytes().to_vec()),
    ] {
        let mut altered = good.clone();
        altered.insert(name.to_owned(), content);
        // Without new checksums it is altered; with them the signature does not hold.
        assert!(matches!(refused(&altered), PackageError::Altered(what) if what.contains(name)), "{name}");
        altered.insert("SHA256SUMS".to_owned(), sums(&altered));
        let package = Package::read(&zip_up(&altered)).unwrap();
        for development in [false, true] {
            let error = ring(&[&acme]).trust(&package, development).unwrap_err();
            assert_eq!(error.code(), "altered", "{name}");
        }
    }
    let mut removed = good.clone();
    removed.remove("cases/light.json");
    assert!(
        matches!(refused(&removed), PackageError::Altered(what) if what == "cases/light.json is missing")
    );
    let mut without = good.clone();
    without.remove("SHA256SUMS");
    assert!(matches!(refused(&without), PackageError::Missing("SHA256SUMS")));
    // Two lines changed places, a line of another form, a name twice: each would be another text to sign.
    let text = String::from_utf8(good["SHA256SUMS"].clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let reversed: String = lines.iter().rev().map(|l| format!("{l}\n")).collect();
    for other in
        [reversed, text.replace("  ", " *"), format!("{text}{}\n", lines[0]), text.trim_end().to_owned()]
    {
        let mut altered = good.clone();
        altered.insert("SHA256SUMS".to_owned(), other.clone().into_bytes());
        assert!(matches!(refused(&altered), PackageError::Altered(_)), "{other}");
    }
}

#[test]
fn a_signature_is_good_for_one_package_only() {
    let acme = key("acme");
    let mut files = files();
    files.insert("README.md".to_owned(), b"# The next one\n".to_vec());
    let mut next = Package::make(files).unwrap();
    next.sign(&acme).unwrap();
    let mut swapped = unzip(&signed(&acme).bytes().unwrap());
    swapped.insert("SIGNATURE".to_owned(), unzip(&next.bytes().unwrap())["SIGNATURE"].clone());
    let package = Package::read(&zip_up(&swapped)).unwrap();
    assert_eq!(ring(&[&acme]).trust(&package, true).unwrap_err().code(), "altered");
    // And a signature has one form: nothing can be said beside it.
    let good = unzip(&signed(&acme).bytes().unwrap());
    let text = String::from_utf8(good["SIGNATURE"].clone()).unwrap();
    for other in [
        format!("{text}note: trust me\n"),
        text.replace("zhanggui-signature 1", "zhanggui-signature 2"),
        text.replace("key: ", "key:  "),
        text.replace("signature: ", "signature: AA"),
        String::new(),
    ] {
        let mut files = good.clone();
        files.insert("SIGNATURE".to_owned(), other.clone().into_bytes());
        assert!(matches!(Package::read(&zip_up(&files)), Err(PackageError::Signature(_))), "{other}");
    }
}

#[test]
fn a_key_is_a_line_that_shows_slips_of_the_pen() {
    let key = key("acme");
    let line = key.public().to_string();
    assert!(line.starts_with("zgk1:acme:"), "{line}");
    assert_eq!(line.parse::<PublicKey>().unwrap(), key.public());
    let again: SecretKey = key.secret_line().parse().unwrap();
    assert_eq!(again.public(), key.public());
    assert!(!format!("{key:?}").contains(&key.secret_line()[10..]));
    let at = line.len() - 20;
    let slip = if &line[at..=at] == "A" { "B" } else { "A" };
    for wrong in [
        format!("{}{slip}{}", &line[..at], &line[at + 1..]),
        line.replace("acme", "acmf"),
        line[..line.len() - 1].to_owned(),
        line.replace("zgk1", "zgs1"),
        key.secret_line(),
        String::new(),
        format!("{line}:x"),
    ] {
        assert!(wrong.parse::<PublicKey>().is_err(), "{wrong}");
    }
    assert!(SecretKey::generate("Acme Corp").is_err());
    assert_eq!(key.public().id().len(), 16);
}

#[test]
fn a_list_of_keys_is_a_text() {
    let (acme, old) = (key("acme"), key("acme"));
    let text = format!(
        "# whom we trust\n\n{}  since=2026-11-01 # met at the fair\n{} revoked=2026-10-01\n",
        acme.public(),
        old.public()
    );
    let ring: Keyring = text.parse().unwrap();
    assert_eq!(ring.keys().count(), 2);
    assert_eq!(ring.to_string().parse::<Keyring>().unwrap(), ring);
    let stored = serde_json::to_string(&ring).unwrap();
    assert_eq!(serde_json::from_str::<Keyring>(&stored).unwrap(), ring);
    assert!(ring.verify(&signed(&acme)).is_ok());
    assert_eq!(ring.verify(&signed(&old)).unwrap_err().code(), "revoked-key");
    let wrong = format!("\n{} from=2026\n", acme.public()).parse::<Keyring>().unwrap_err();
    assert!(wrong.to_string().starts_with("line 2: \"from=2026\" says nothing"), "{wrong}");
    assert_eq!("zgk1:acme:x".parse::<Keyring>().unwrap_err().line, 1);
}
