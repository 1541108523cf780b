use super::*;
use proptest::prelude::*;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn record(n: u64, size: usize) -> Bytes {
    let mut data = n.to_le_bytes().to_vec();
    data.resize(8 + size, n as u8);
    Bytes::from(data)
}

fn append(spool: &mut Spool, records: &[Bytes]) -> Result {
    spool.append(records).map_err(|e| format!("{e:?}").into())
}

fn drain(spool: &mut Spool) -> io::Result<Vec<Bytes>> {
    let mut all = Vec::new();
    loop {
        let records = spool.peek(1000)?;
        if records.is_empty() {
            return Ok(all);
        }
        spool.advance(records.len())?;
        all.extend(records);
    }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
    files.sort();
    Ok(files)
}

#[test]
fn records_come_back_in_order_over_files_and_restarts() -> Result {
    let folder = tempfile::tempdir()?;
    let big = SEGMENT_BYTES as usize / 3;
    let sent: Vec<Bytes> = (0..10).map(|n| record(n, big)).collect();
    let (mut spool, _) = Spool::open(folder.path(), 1 << 30)?;
    for pair in sent.chunks(2) {
        append(&mut spool, pair)?;
    }
    assert!(files(folder.path())?.len() > 1);
    for expected in &sent[..5] {
        assert_eq!(spool.peek(0)?.first(), Some(expected));
        spool.advance(1)?;
    }
    drop(spool);
    let (mut spool, found) = Spool::open(folder.path(), 1 << 30)?;
    assert_eq!(found.torn_files, 0);
    append(&mut spool, &[record(10, 5)])?;
    let rest = drain(&mut spool)?;
    // At most the delivered records of one file come again.
    let again = rest.len() - 6;
    assert!(again <= 4, "{again}");
    assert_eq!(rest[again..rest.len() - 1], sent[5..]);
    assert_eq!(rest.last(), Some(&record(10, 5)));
    assert!(spool.is_empty() && files(folder.path())?.is_empty());
    Ok(())
}

#[test]
fn peek_returns_several_records_and_advance_removes_some() -> Result {
    let folder = tempfile::tempdir()?;
    let (mut spool, _) = Spool::open(folder.path(), 1 << 20)?;
    let sent: Vec<Bytes> = (0..5).map(|n| record(n, 92)).collect();
    append(&mut spool, &sent)?;
    assert_eq!(spool.peek(99)?, sent[..1], "one in any case");
    assert_eq!(spool.peek(399)?, sent[..3]);
    spool.advance(2)?;
    assert_eq!((spool.records(), spool.peek(usize::MAX)?), (3, sent[2..].to_vec()));
    append(&mut spool, &[record(5, 92)])?;
    spool.advance(9)?;
    assert_eq!(drain(&mut spool)?, [record(5, 92)]);
    Ok(())
}

#[test]
fn a_full_spool_adds_nothing() -> Result {
    let folder = tempfile::tempdir()?;
    let (mut spool, _) = Spool::open(folder.path(), 1000)?;
    append(&mut spool, &[record(1, 300)])?;
    assert!(matches!(spool.append(&[record(2, 300), record(3, 500)]), Err(AppendError::Full)));
    append(&mut spool, &[record(4, 300)])?;
    assert_eq!(spool.records(), 2);
    assert_eq!(drain(&mut spool)?, [record(1, 300), record(4, 300)]);
    append(&mut spool, &[record(5, 300)])?;
    assert_eq!(drain(&mut spool)?, [record(5, 300)]);
    Ok(())
}

#[test]
fn a_damaged_record_is_detected_and_set_aside() -> Result {
    let folder = tempfile::tempdir()?;
    let (mut spool, _) = Spool::open(folder.path(), 1 << 20)?;
    append(&mut spool, &[record(1, 50), record(2, 50)])?;
    let file = &files(folder.path())?[0];
    let mut bytes = fs::read(file)?;
    let middle = bytes.len() - 20;
    bytes[middle] ^= 1;
    fs::write(file, bytes)?;
    assert_eq!(spool.peek(1000)?, [record(1, 50)]);
    spool.advance(1)?;
    assert!(spool.peek(1000).is_err());
    assert_eq!(spool.set_aside_damaged()?, 1);
    append(&mut spool, &[record(3, 50)])?;
    assert_eq!(drain(&mut spool)?, [record(3, 50)]);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// A process is killed while it appends: the last file ends anywhere behind the last stored byte, in the record that
    /// was being written or in other bytes.
    #[test]
    fn killed_at_any_point(
        batches in prop::collection::vec(prop::collection::vec(0_usize..300, 1..4), 1..8),
        delivered in 0_usize..10,
        torn_size in 0_usize..300,
        cut in 0.0_f64..1.0,
        rubbish in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let folder = tempfile::tempdir()?;
        let (mut spool, _) = Spool::open(folder.path(), 1 << 20)?;
        let mut promised = Vec::new();
        for sizes in &batches {
            let records: Vec<Bytes> = sizes.iter().enumerate().map(|(i, s)| record((promised.len() + i) as u64, *s)).collect();
            append(&mut spool, &records).map_err(|e| TestCaseError::fail(e.to_string()))?;
            promised.extend(records);
        }
        let delivered = delivered.min(promised.len());
        for _ in 0..delivered {
            spool.peek(400)?;
            spool.advance(1)?;
        }
        let left = promised.len() - delivered;
        // The interrupted append, and other bytes that the disk had there before.
        append(&mut spool, &[record(u64::MAX, torn_size)]).map_err(|e| TestCaseError::fail(e.to_string()))?;
        drop(spool);
        let last = files(folder.path())?.pop().ok_or_else(|| TestCaseError::fail("no file"))?;
        let mut bytes = fs::read(&last)?;
        let torn = 16 + torn_size;
        let kept = bytes.len() - torn + (cut * torn as f64) as usize;
        bytes.truncate(kept);
        bytes.extend(&rubbish);
        fs::write(&last, bytes)?;

        let (mut spool, _) = Spool::open(folder.path(), 1 << 20)?;
        append(&mut spool, &[record(u64::MAX - 1, 7)]).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let mut found = drain(&mut spool)?;
        prop_assert_eq!(found.pop(), Some(record(u64::MAX - 1, 7)));
        // Other bytes that happen to complete the record make it whole.
        found.retain(|r| *r != record(u64::MAX, torn_size));
        prop_assert!(found.len() >= left, "a promised record is missing");
        let promised_left = &promised[promised.len() - found.len().min(promised.len())..];
        prop_assert_eq!(&found[..], promised_left, "in order, nothing but promised records");
    }

    /// Any byte of a file may be damaged: it costs the record it lies in and no other.
    #[test]
    fn rot_is_never_returned(sizes in prop::collection::vec(0_usize..100, 1..6), at in 0.0_f64..1.0, flip in 1_u8..) {
        let folder = tempfile::tempdir()?;
        let (mut spool, _) = Spool::open(folder.path(), 1 << 20)?;
        let sent: Vec<Bytes> = sizes.iter().enumerate().map(|(i, s)| record(i as u64, *s)).collect();
        append(&mut spool, &sent).map_err(|e| TestCaseError::fail(e.to_string()))?;
        drop(spool);
        let file = files(folder.path())?.pop().ok_or_else(|| TestCaseError::fail("no file"))?;
        let mut bytes = fs::read(&file)?;
        let index = (at * bytes.len() as f64) as usize;
        bytes[index] ^= flip;
        fs::write(&file, bytes)?;
        let (mut spool, recovery) = Spool::open(folder.path(), 1 << 20)?;
        let found = drain(&mut spool)?;
        let mut end = HEADER_BYTES as usize;
        let mut left = sent.clone();
        left.retain(|r| {
            let start = end;
            end += RECORD_HEADER_BYTES as usize + r.len();
            !(start..end).contains(&index)
        });
        prop_assert_eq!(recovery.torn_files + recovery.damaged_files, 1);
        prop_assert_eq!(found, left);
    }
}
