//! `report.json`: the document as one line of JSON, keys in the order of the model.
//!
//! Streams into its writer. Refuses text that was not redacted, by its type.

use std::io;

use super::model::Document;
use crate::redact::Redacted;

/// Writes the document, and a newline after it.
///
/// # Errors
/// Those of the writer.
pub fn write(document: &Document<Redacted<String>>, mut out: impl io::Write) -> io::Result<()> {
    serde_json::to_writer(&mut out, document)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixtures;

    fn written(document: Document<String>) -> String {
        let mut bytes = Vec::new();
        write(&fixtures::redacted(document), &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_document() {
        for document in [fixtures::many_lines(40), fixtures::hostile()] {
            let json = written(document.clone());
            assert_eq!(json.matches('\n').count(), 1, "one line");
            assert_eq!(serde_json::from_str::<Document<String>>(&json).unwrap(), document);
        }
    }

    #[test]
    fn keys_stand_in_the_order_of_the_model() {
        let json = written(fixtures::empty());
        let begins =
            r#"{"schema":"snapvisor-report/1","tool":{"name":"snapvisor","version":"0.1.0"},"snapshot":{"name":"#;
        assert!(json.starts_with(begins), "{json}");
    }
}
