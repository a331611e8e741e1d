//! The packer on entries of every size, on holes, and on random mixtures of both.

use proptest::prelude::*;

use super::*;

fn head(name: &str) -> Head {
    Head { name: name.into(), modified_s: 0, expected_bytes: 0 }
}

/// The entries of a ZIP: name, size, SHA-256.
fn read_back(file: File) -> Vec<(String, u64, [u8; 32])> {
    let mut zip = zip::ZipArchive::new(file).unwrap();
    (0..zip.len())
        .map(|n| {
            let mut entry = zip.by_index(n).unwrap();
            let mut digest = Sha256::new();
            let size = io::copy(&mut entry, &mut io::BufWriter::new(Sink(&mut digest))).unwrap();
            (entry.name().unwrap().into_owned(), size, digest.finalize().into())
        })
        .collect()
}

struct Sink<'a>(&'a mut Sha256);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn zipped(fill: impl FnOnce(&mut Packer) -> Vec<(String, Packed)>) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    std::thread::scope(|scope| {
        let mut packer = Packer::start(scope, tempfile::tempfile().unwrap());
        let expected = fill(&mut packer);
        let (zip, size) = packer.finish("").unwrap();
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        zip.read_exact_at(&mut bytes, 0).unwrap();
        let expected: Vec<_> =
            expected.into_iter().map(|(name, packed)| (name, packed.size_bytes, packed.sha256)).collect();
        assert_eq!(read_back(zip), expected);
        bytes
    })
}

fn whole(packer: &mut Packer, name: &str, content: &[u8]) -> (String, Packed) {
    packer.begin(head(name));
    packer.write(content).unwrap();
    let ended = packer.end().unwrap();
    assert_eq!(ended.size_bytes, content.len() as u64);
    assert_eq!(ended.sha256, <[u8; 32]>::from(Sha256::digest(content)));
    (name.to_owned(), ended)
}

fn text(bytes: usize) -> Vec<u8> {
    (0u32..).flat_map(|n| format!("line {n} of a log\n").into_bytes()).take(bytes).collect()
}

#[test]
fn entries_come_out_in_order_whatever_their_size() {
    zipped(|packer| {
        [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 20 * CHUNK_BYTES + 7, 3]
            .into_iter()
            .map(|bytes| whole(packer, &format!("{bytes} bytes"), &text(bytes)))
            .collect()
    });
}

#[test]
fn the_same_input_gives_the_same_zip() {
    let content = text(30 * CHUNK_BYTES);
    let once = || zipped(|packer| vec![whole(packer, "a", &content), whole(packer, "b", &content[5..])]);
    assert_eq!(once(), once());
}

#[test]
fn holes_are_zeros() {
    zipped(|packer| {
        packer.begin(head("holes"));
        packer.write(b"before").unwrap();
        packer.hole(5 * CHUNK_BYTES as u64 + 11).unwrap();
        packer.write(b"between").unwrap();
        packer.hole(3).unwrap();
        let packed = packer.end().unwrap();
        let zeros = vec![0; 5 * CHUNK_BYTES + 11];
        let content = [b"before", zeros.as_slice(), b"between", &[0; 3]].concat();
        assert_eq!(packed.sha256, <[u8; 32]>::from(Sha256::digest(&content)));
        vec![("holes".into(), packed)]
    });
}

#[test]
fn an_abandoned_entry_is_gone_and_its_neighbours_stay() {
    zipped(|packer| {
        let mut entries = vec![whole(packer, "before", &text(3 * CHUNK_BYTES))];
        for bytes in [0, 10, 30 * CHUNK_BYTES] {
            packer.begin(head("gone"));
            packer.write(&text(bytes)).unwrap();
            packer.abandon().unwrap();
        }
        entries.push(whole(packer, "after", b"after"));
        entries
    });
}

/// A step of an entry.
#[derive(Debug, Clone)]
enum Step {
    Write(u8, usize),
    Hole(usize),
    End,
    Abandon,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = || prop_oneof![0..100usize, (CHUNK_BYTES - 2)..(CHUNK_BYTES + 2), 0..(3 * CHUNK_BYTES)];
    let step = prop_oneof![
        4 => (any::<u8>(), bytes()).prop_map(|(byte, bytes)| Step::Write(byte, bytes)),
        3 => bytes().prop_map(Step::Hole),
        4 => Just(Step::End),
        1 => Just(Step::Abandon),
    ];
    proptest::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_mixture_of_writes_holes_and_abandoned_entries_is_packed_right(steps in steps()) {
        zipped(|packer| {
            let mut entries = Vec::new();
            let (mut digest, mut size) = (Sha256::new(), 0);
            packer.begin(head("0"));
            for (number, step) in steps.iter().chain([&Step::End]).enumerate() {
                match step {
                    Step::Write(byte, bytes) => {
                        let content = vec![*byte; *bytes];
                        packer.write(&content).unwrap();
                        digest.update(&content);
                        size += *bytes as u64;
                    }
                    Step::Hole(bytes) => {
                        packer.hole(*bytes as u64).unwrap();
                        digest.update(vec![0; *bytes]);
                        size += *bytes as u64;
                    }
                    Step::End | Step::Abandon => {
                        let sha256 = std::mem::take(&mut digest).finalize().into();
                        let expected = Packed { size_bytes: std::mem::take(&mut size), sha256 };
                        if matches!(step, Step::End) {
                            assert_eq!(packer.end().unwrap(), expected);
                            entries.push((entries.len().to_string(), expected));
                        } else {
                            packer.abandon().unwrap();
                        }
                        if number < steps.len() {
                            packer.begin(head(&entries.len().to_string()));
                        }
                    }
                }
            }
            entries
        });
    }
}
