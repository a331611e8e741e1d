//! The headers of a segment's messages as a JSON table: what is left of a segment when payloads are not to be copied.

use std::io::{self, Read, Write};

use crate::iggy::{Checksums, Message, SegmentDecoder, Tail};

/// Bytes read at a time.
const READ_BYTES: usize = 256 << 10;

/// Reads the segment and writes its table: a row of offset, server time, producer time (both in microseconds since 1970),
/// bytes of payload and of user headers, and checksum for each message; then how the segment ends.
///
/// # Errors
/// Reading or writing fails. A corrupt message is no error: the table ends with it.
pub(super) fn table(start_offset: u64, segment: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    write!(
        to,
        "{{\"format\":\"iggy-segment-headers\",\"start_offset\":{start_offset},\n\"columns\":[\"offset\",\
         \"timestamp_us\",\"origin_timestamp_us\",\"payload_bytes\",\"user_headers_bytes\",\"checksum\"],\n\
         \"messages\":["
    )?;
    let mut decoder = SegmentDecoder::new(Checksums::Verify);
    let mut rows = Rows { count: 0, text: Vec::new() };
    let mut buffer = vec![0; READ_BYTES];
    let corruption = loop {
        let read = match segment.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let fed = decoder.feed(&buffer[..read], &mut |message| rows.push(&message));
        to.write_all(&rows.text)?;
        rows.text.clear();
        if let Err(corruption) = fed {
            // To its end, so that nobody takes what is corrupt for what became shorter.
            io::copy(segment, &mut io::sink())?;
            break Some(corruption);
        }
    };
    let end = match (corruption, decoder.finish()) {
        (Some(corruption), _) => serde_json::json!({"state": "corrupt", "detail": corruption.to_string()}),
        (None, Tail::Whole) => serde_json::json!({"state": "whole"}),
        (None, Tail::Torn { position, bytes, expected_bytes }) => {
            serde_json::json!({"state": "torn", "position": position, "bytes": bytes, "expected_bytes": expected_bytes})
        }
    };
    writeln!(to, "],\n\"messages_count\":{},\"end\":{end}}}", rows.count)
}

struct Rows {
    count: u64,
    text: Vec<u8>,
}

impl Rows {
    fn push(&mut self, Message { header, .. }: &Message) {
        let comma = if self.count == 0 { "" } else { "," };
        self.count += 1;
        writeln!(
            self.text,
            "{comma}[{},{},{},{},{},\"{:016x}\"]",
            header.offset,
            header.timestamp_us,
            header.origin_timestamp_us,
            header.payload_bytes,
            header.user_headers_bytes,
            header.checksum
        )
        .expect("memory takes every write");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_segment_becomes_a_table_that_says_so() {
        let segment = include_bytes!(
            "../../tests/data/iggy-0.8.0-killed/streams/0/topics/0/partitions/1/00000000000000070000.log"
        );
        let mut text = Vec::new();
        table(70_000, &mut &segment[..], &mut text).unwrap();
        let table: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(table["messages_count"], 5508);
        assert_eq!(table["messages"].as_array().unwrap().len(), 5508);
        let first = table["messages"][0].as_array().unwrap();
        assert_eq!((&first[0], &first[3]), (&70_000.into(), &120.into()));
        assert_eq!(
            table["end"],
            serde_json::json!({"state": "torn", "position": 1_013_472, "bytes": 160, "expected_bytes": 184})
        );
    }

    #[test]
    fn a_corrupt_segment_ends_at_the_first_wrong_message() {
        let mut text = Vec::new();
        let bytes = vec![0x41; READ_BYTES + 200];
        let mut segment = bytes.as_slice();
        table(0, &mut segment, &mut text).unwrap();
        assert!(segment.is_empty(), "what is left unread looks as if the file had become shorter");
        let table: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!((&table["messages_count"], &table["end"]["state"]), (&0.into(), &"corrupt".into()));
    }
}
