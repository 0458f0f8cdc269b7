//! Archives from anybody: bombs, tricks with names, two ways to read one archive.
use super::{MANIFEST, files, key, refusal, signed};
use std::io::{Cursor, Write as _};
use zhanggui::plugins::package::{LARGEST_ARCHIVE, Package};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn good() -> Vec<u8> {
    signed(&key("acme")).bytes().unwrap()
}

type Writer = ZipWriter<Cursor<Vec<u8>>>;

fn made(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    write(&mut writer);
    writer.finish().unwrap().into_inner()
}

fn add(writer: &mut Writer, name: &str, content: &[u8]) {
    writer.start_file(name, SimpleFileOptions::default()).unwrap();
    writer.write_all(content).unwrap();
}

fn find(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).position(|w| w == what).unwrap()
}

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    assert_eq!(what.len(), with.len());
    let mut bytes = bytes.to_vec();
    let mut changed = 0;
    for i in 0..=bytes.len() - what.len() {
        if &bytes[i..i + what.len()] == what {
            bytes[i..i + what.len()].copy_from_slice(with);
            changed += 1;
        }
    }
    assert!(changed > 0);
    bytes
}

#[test]
fn nothing_that_was_cut_or_added_to_is_read() {
    let good = good();
    for cut in 0..good.len() {
        assert!(Package::read(&good[..cut]).is_err(), "{cut} of {}", good.len());
    }
    for more in [&b"x"[..], b"PK\x05\x06", &[0; 22]] {
        assert!(Package::read(&[&good, more].concat()).is_err());
        assert!(Package::read(&[more, &good].concat()).is_err());
    }
    assert!(refusal(b"").contains("too short"));
    assert!(refusal(&[&good[..], &good[..]].concat()).contains("this is no package"));
}

/// Whatever byte is changed, the package is refused, or it is the same package.
#[test]
fn no_changed_byte_makes_another_package() {
    let good = good();
    let whole = Package::read(&good).unwrap();
    let mut same = 0;
    for at in 0..good.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = good.clone();
            bytes[at] ^= bit;
            if let Ok(read) = Package::read(&bytes) {
                assert_eq!((read.digest, &read.component), (whole.digest.clone(), &whole.component), "{at}");
                same += 1;
            }
        }
    }
    // Dates, the writer's version, and the signature's own bytes, which the keyring looks at.
    assert!(same < good.len() / 2, "{same} of {}", good.len() * 2);
}

#[test]
fn a_name_twice_is_refused() {
    // Written under two names, renamed in the bytes: no honest tool makes it.
    let bytes = made(|w| {
        add(w, "cases/a.json", b"{}");
        add(w, "cases/b.json", b"[]");
    });
    let twice = replaced(&bytes, b"cases/b.json", b"cases/a.json");
    assert!(refusal(&twice).contains("cases/a.json is in it twice"), "{}", refusal(&twice));
}

#[test]
fn names_outside_of_the_list_are_refused() {
    for name in [
        "../plugin.toml",
        "/etc/passwd",
        "cases/../../x.json",
        "cases\\x.json",
        "./plugin.toml",
        "plugin.toml/",
        "PLUGIN.TOML",
        "cases/é.json",
        "plugin.toml\0",
        ".ssh/config",
        "C:plugin.toml",
        "cases/x.json.exe",
    ] {
        let bytes = made(|w| {
            for (name, content) in files() {
                add(w, &name, &content);
            }
            add(w, name, b"x");
        });
        let said = refusal(&bytes);
        assert!(said.contains("may not hold"), "{name}: {said}");
    }
    let bytes = made(|w| w.add_directory("cases/", SimpleFileOptions::default()).unwrap());
    assert!(refusal(&bytes).contains("no ordinary file"), "{}", refusal(&bytes));
    let bytes = made(|w| w.add_symlink("README.md", "/etc/passwd", SimpleFileOptions::default()).unwrap());
    assert!(refusal(&bytes).contains("no ordinary file"), "{}", refusal(&bytes));
}

#[test]
fn a_bomb_is_measured_while_it_is_read() {
    let zeros = vec![0; 70 << 20];
    let bomb = made(|w| {
        w.start_file(
            "plugin.wasm",
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated),
        )
        .unwrap();
        w.write_all(&zeros).unwrap();
    });
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert_eq!(refusal(&bomb), format!("plugin.wasm is too large: more than {} bytes", 24 << 20));
    // One that says it is small is caught by what comes out of it.
    let size = (zeros.len() as u32).to_le_bytes();
    let liar = replaced(&bomb, &size, &100_u32.to_le_bytes());
    assert!(!refusal(&liar).is_empty());
    // Many that are each within their limit.
    let part = vec![0; (1 << 20) - 1];
    let swarm = made(|w| {
        for i in 0..90 {
            add(w, &format!("cases/c{i}.json"), &part);
        }
    });
    assert!(refusal(&swarm).contains("all of it together is too large"), "{}", refusal(&swarm));
    let crowd = made(|w| {
        for i in 0..400 {
            add(w, &format!("cases/c{i}.json"), b"{}");
        }
    });
    assert!(refusal(&crowd).contains("more than 300 files"), "{}", refusal(&crowd));
    assert!(refusal(&vec![b'P'; LARGEST_ARCHIVE + 1]).contains("the package is too large"));
}

/// Two entries that share bytes, a directory that says what the entry does not, bytes that nobody reads.
#[test]
fn there_is_one_way_to_read_an_archive() {
    let good = good();
    let directory = find(&good, b"PK\x01\x02");
    // The directory's name of an entry, not the entry's own.
    let mut renamed = good.clone();
    let at = directory + find(&good[directory..], b"README.md");
    renamed[at..at + 9].copy_from_slice(b"READNE.md");
    assert!(refusal(&renamed).contains("the directory says something else"), "{}", refusal(&renamed));
    // An entry's place.
    let mut moved = good.clone();
    moved[directory + 42] ^= 1;
    assert!(refusal(&moved).contains("does not stand where"), "{}", refusal(&moved));
    // Fewer files in the end record than there are: the rest would be hidden.
    let mut hidden = good.clone();
    let end = good.len() - 22;
    hidden[end + 8] -= 1;
    hidden[end + 10] -= 1;
    assert!(refusal(&hidden).contains("bytes that belong to no file"), "{}", refusal(&hidden));
    // Encrypted.
    let mut locked = good.clone();
    locked[6] |= 1;
    locked[directory + 8] |= 1;
    assert!(refusal(&locked).contains("encrypted"), "{}", refusal(&locked));
    // A comment.
    let commented = made(|w| {
        w.set_comment("hello").unwrap();
        add(w, "plugin.toml", MANIFEST.as_bytes());
    });
    assert!(refusal(&commented).contains("this is no package"));
}
