//! Every text is reached, in one order, and a document survives JSON.

use super::*;
use crate::report::fixtures;

#[test]
fn mapping_and_visiting_reach_the_same_texts_in_the_same_order() {
    let document = fixtures::everything();
    let mut visited = Vec::new();
    document.for_each_text(&mut |text| visited.push(text.clone()));
    let mut mapped = Vec::new();
    let numbered = document.map_text(|text| {
        mapped.push(text);
        mapped.len()
    });
    assert_eq!(visited, mapped);

    let mut order = Vec::new();
    numbered.for_each_text(&mut |number| order.push(*number));
    assert_eq!(order, (1..=mapped.len()).collect::<Vec<_>>());
}

#[test]
fn no_text_of_a_host_keeps_out_of_the_mapping() {
    // In this document each text of the host, and nothing else, carries the mark.
    let json = serde_json::to_string(&fixtures::everything()).unwrap();
    let mapped = fixtures::everything().map_text(|text| text.replace(fixtures::MARK, ""));
    assert!(json.matches(fixtures::MARK).count() > 40, "the fixture lost its marks");
    assert!(!serde_json::to_string(&mapped).unwrap().contains(fixtures::MARK));
}

#[test]
fn a_document_survives_json() {
    for document in
        [fixtures::everything(), fixtures::mixed(), fixtures::all_pass(), fixtures::hostile(), fixtures::empty()]
    {
        let json = serde_json::to_string(&document).unwrap();
        let back: Document<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back, document);
        assert_eq!(serde_json::to_string(&back).unwrap(), json);
    }
}

#[test]
fn ids_beyond_two_to_the_53_are_strings() {
    let json = serde_json::to_value(fixtures::everything()).unwrap();
    assert_eq!(json["snapshot"]["ids"]["deployment"], "611298765432109056");
    assert_eq!(json["snapshot"]["ids"]["snapshot"], "7");
}
