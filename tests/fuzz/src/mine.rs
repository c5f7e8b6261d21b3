//! Messages: every one gets a template that can be printed, the dictionary comes back from its JSON, and the template
//! fits the message.

use daybook::mine::{Assigned, Dictionary, Miner, TemplateId, parameters};

/// Reads an input as messages, one a line, and as a dictionary.
pub fn check(data: &[u8]) {
    let messages: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut miner = Miner::default();
    let assigned: Vec<Assigned> = messages.iter().map(|message| miner.assign(message)).collect();
    miner.settle();
    for (message, assigned) in messages.iter().zip(&assigned) {
        let template = miner.template(*assigned);
        assert!(!template.chars().any(char::is_control), "{template:?}");
        assert_eq!(miner.id(*assigned), TemplateId::of(&template));
        if let Ok(message) = std::str::from_utf8(message) {
            parameters(&template, message);
        }
    }
    let dictionary = miner.dictionary();
    let json = dictionary.to_json();
    assert_eq!(Dictionary::from_json(&json).as_ref(), Ok(&dictionary), "{json}");
    check_again(&dictionary, &messages);
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(dictionary) = Dictionary::from_json(text)
    {
        check_again(&dictionary, &messages);
    }
}

/// A miner that knows a dictionary forgets none of its ids.
fn check_again(dictionary: &Dictionary, messages: &[&[u8]]) {
    let mut miner = Miner::with(dictionary);
    let assigned: Vec<Assigned> = messages.iter().map(|message| miner.assign(message)).collect();
    miner.settle();
    assigned.iter().for_each(|assigned| {
        miner.id(*assigned);
    });
    let mut known = miner.dictionary();
    known.merge(dictionary);
    for id in dictionary.entries().keys() {
        assert!(known.text(*id).is_some(), "{id} is lost");
    }
}
