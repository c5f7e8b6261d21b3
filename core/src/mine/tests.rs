use super::*;

/// The templates of messages that are seen together.
fn mined(messages: &[&str]) -> Vec<String> {
    let mut miner = Miner::default();
    let assigned: Vec<Assigned> = messages.iter().map(|message| miner.assign(message.as_bytes())).collect();
    miner.settle();
    assigned.into_iter().map(|assigned| miner.template(assigned)).collect()
}

#[test]
fn the_look_of_a_value_says_that_it_is_one() {
    for (message, expected) in [
        ("", ""),
        ("x", "x"),
        ("  several\t blanks \r", "several blanks"),
        ("took 12 ms, -3.5% of 1,024 at 0x1f", "took <*> ms, <*> of <*>,<*> at <*>"),
        ("16K cache, 1000ms, v1.2.3, node12, blk_-77, 9f4ef63", "<*> cache, <*>, <*>, <*>, <*>, <*>"),
        ("ipv4 and log4j over ssh2 stay", "ipv4 and log4j over ssh2 stay"),
        ("mask=ffffffff deadbeef added", "mask=<*> <*> added"),
        ("read/write of /srv/a b/c/d x.y/z C:\\Temp\\a b", "read/write of <*> <*> <*> <*> b"),
        ("see https://a.example/b?c=d#e, or ftp://x", "see <*>, or <*>"),
        ("GET /find?q=a+b&c=d done", "GET <*> done"),
        ("from mail.example.org to 10.0.0.1:80 via [::1]:8080", "from <*> to <*> via [<*>]:<*>"),
        ("fe80::1%eth0 and std::vec, a::b", "<*>%eth0 and std::vec, a::b"),
        ("at 12:30:45.123 aa:bb:cc:dd:ee:ff joined", "at <*> <*> joined"),
        ("since Fri Jun 17 07:07:00 2005 and Sat May 8 09:04:50 EDT 2004.", "since <*> and <*>."),
        ("Mon is a day, may is not 12 of March", "Mon is a day, may is not <*> of March"),
        ("on=true off=FALSE was null", "on=<*> off=<*> was <*>"),
        ("r24=0x1 r25=0x2", "r24=<*> r25=<*>"),
        ("tag=\"two words\" said \"two words\"", "tag=\"<*>\" said \"two words\""),
        ("bytes \u{1}\u{2} and \u{202e}txt and \u{fffd}", "bytes <*> and <*> and <*>"),
        ("déjà vu, naïve", "déjà vu, naïve"),
        ("already <*> here", "already <*> here"),
        ("from 1.2.3.4 () at noon", "from <*> (<*>) at noon"),
        ("Failed none for it, size=none: none", "Failed none for it, size=<*>: <*>"),
        ("host_statistics64() failed, crc32(5) not", "host_statistics64() failed, <*>(<*>) not"),
        ("com.a.b.AuthException: no, com.a.b.Auth: no", "com.a.b.AuthException: no, <*>: no"),
        ("\"http://a.example/b,c;d\" and GET /?q=a", "\"<*>\" and GET <*>"),
        ("speeds ( 3552 **** 3375 ) ****** end", "speeds ( <*> **** <*> ) ****** end"),
        ("checking......1 done...", "checking......<*> done..."),
    ] {
        assert_eq!(mined(&[message]), [expected], "{message:?}");
    }
}

#[test]
fn no_template_has_a_control_character() {
    for text in ["ask (estim\0\0()\0 KB)", "call\u{85}() now", "f\u{1b}[31m() x", "a\u{7f}b=1", "\0\0"] {
        for template in mined(&[text]) {
            assert!(!template.chars().any(char::is_control), "{text:?}: {template:?}");
        }
    }
    assert_eq!(mined(&["main() returned 1"]), ["main() returned <*>"]);
}

/// Whatever bytes come before a sign that makes a value longer than its piece, the scan goes on after it.
#[test]
fn every_scan_comes_to_an_end() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut miner = Miner::default();
        for [first, second] in (0..=u16::MAX).map(u16::to_be_bytes) {
            for after in ["://a b", ":\\a", ":/a", "?a=b", "()", "::1 a", ":80", "..", "=\"a\"", ""] {
                miner.assign(&[&[first, second], after.as_bytes()].concat());
            }
        }
        done.send(())
    });
    assert_eq!(ended.recv_timeout(std::time::Duration::from_secs(120)), Ok(()), "a scan goes on and on");
}

#[test]
fn a_message_that_is_json_has_the_template_of_its_keys() {
    for (message, expected) in [
        (
            "{\"a\":1,\"b\":{\"c\":[1,{\"d\":2}],\"e\":\"x\"}}",
            "{\"a\": <*>, \"b\": {\"c\": [<*>], \"e\": <*>}}",
        ),
        ("{}", "{}"),
        ("{\"by-id\": {\"7f3a99\": 1}}", "{\"by-id\": {\"<*>\": <*>}}"),
        ("{\"a\": 1} trailing", "{\"a\": <*>} trailing"),
        ("{not json 5}", "{not json <*>}"),
    ] {
        assert_eq!(mined(&[message]), [expected], "{message:?}");
    }
}

#[test]
fn words_in_the_same_place_become_a_parameter_when_there_are_enough() {
    let places = ["red", "green", "blue", "black", "white", "grey"];
    let messages: Vec<String> = places.iter().map(|place| format!("the lamp is {place} today")).collect();
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    assert!(mined(&messages).iter().all(|template| template == "the lamp is <*> today"));
    assert_eq!(mined(&messages[..5])[0], "the lamp is red today");

    // Names take half as many, and those after `user` two.
    let names = mined(&["load of a.b done", "load of b_c done", "load of cD done"]);
    assert_eq!(names, ["load of <*> done"; 3]);
    let users = mined(&["session of user anna ended", "session of user ben ended"]);
    assert_eq!(users, ["session of user <*> ended"; 2]);
    // A value in the place of a word, in any order.
    assert_eq!(mined(&["went into pwd just now", "went into /tmp just now"]), ["went into <*> just now"; 2]);
    assert_eq!(mined(&["went into /tmp just now", "went into pwd just now"]), ["went into <*> just now"; 2]);
    // Few words have to stay, and the first says what happened.
    assert_eq!(mined(&["at red", "at 5"]), ["at red", "at <*>"]);
    let first =
        ["cron", "mail", "name", "disk", "time", "user", "page"].map(|word| format!("{word} server started"));
    assert_eq!(mined(&first.each_ref().map(String::as_str)), first);
}

#[test]
fn rows_of_values_and_units_are_one_template() {
    for (messages, expected) in [
        (vec!["ask 1 to delete 2", "ask 1 to delete 2 3 4"], "ask <*> to delete <*>"),
        (vec!["size 5 KB, free 7 GB", "size 5 B, free 7 GB"], "size <*>, free <*>"),
        (vec!["sent 5 bytes (7 KB) to it", "sent 5 bytes to it"], "sent <*> to it"),
        (vec!["lifetime <1 sec", "lifetime 00:01"], "lifetime <*>"),
        (vec!["ask for id=7 ws=null now", "ask for id=7 ws=Source{12} now"], "ask for id=<*> ws=<*> now"),
        (vec!["from 1,2 read", "from 1 read"], "from <*> read"),
        (vec!["rpm ( 3552 **** 3375 )", "rpm ( **** **** 3375 )", "rpm ( 1 2 3 )"], "rpm ( <*> )"),
    ] {
        assert!(mined(&messages).iter().all(|template| template == expected), "{:?}", mined(&messages));
    }
    assert_eq!(mined(&["size 5 KB", "size 7 KB"]), ["size <*> KB"; 2]);
}

#[test]
fn numbered_words_are_parameters() {
    // As many numbers as it takes, in any order, also as the first word.
    let links =
        ["eth0: the link is up", "eth3: the link is up", "eth1: the link is up", "wlan: the link is up"];
    assert_eq!(mined(&links)[..3], ["<*>: the link is up"; 3]);
    assert_eq!(mined(&links)[3], "wlan: the link is up");
    assert_eq!(mined(&links[..2]), links[..2]);
    // One that is no value by its look, where others are.
    for order in [["node7 was seen", "node12 was seen"], ["node12 was seen", "node7 was seen"]] {
        let order = order.map(|message| format!("{message} at last"));
        assert_eq!(mined(&order.each_ref().map(String::as_str)), ["<*> was seen at last"; 2]);
    }
    assert_eq!(mined(&["proxy opened: bn5:9000", "proxy opened: srv12:9000"]), ["proxy opened: <*>"; 2]);
    // What is in brackets says who and not what.
    let users = ["anna", "ben", "carl", "dora", "emil", "fritz"].map(|user| format!("({user}) CMD (/bin/a)"));
    assert_eq!(mined(&users.each_ref().map(String::as_str)), ["(<*>) CMD (<*>)"; 6]);
}

#[test]
fn lines_that_name_what_they_say_have_one_value_each() {
    let message = |user: &str, product: &str, host: &str| {
        format!(
            "A thing was done.\r\n\r\nSubject:\r\n\tAccount Name:\t\t{user}\r\n\tProduct: {product}\r\nHostName={host}\r\n\tID: 7"
        )
    };
    let expected = "A thing was done. Subject: Account Name: <*> Product: <*> HostName=<*> ID: <*>";
    let messages = [message("anna", "Two Words", "web"), message("NT AUTHORITY", "-", "the last one")];
    assert_eq!(mined(&messages.each_ref().map(String::as_str)), [expected; 2]);
    assert_eq!(parameters(expected, &messages[0]), Some(vec!["anna", "Two Words", "web", "7"]));
    // Sentences with a colon are none, and neither is a trace.
    for prose in [
        "it failed: at once\nthen: this\nand nothing\nelse at all",
        "oops\n\tat a.b(C.java:1)\n\tat d.e(F.java:2)",
    ] {
        assert!(!mined(&[prose])[0].ends_with("this <*>") && mined(&[prose])[0].contains(' '), "{prose}");
    }
}

#[test]
fn order_and_repetition_make_no_difference() {
    let mut messages: Vec<String> = Vec::new();
    for user in ["anna", "ben", "carl", "dora", "emil", "fritz", "gisa"] {
        for host in ["north", "south", "east", "west", "up", "down", "left"] {
            messages.push(format!("login of {user} from {host} was accepted"));
        }
    }
    let forward: Vec<&str> = messages.iter().map(String::as_str).collect();
    let mut backward = forward.clone();
    backward.reverse();
    backward.extend_from_slice(&forward);
    let expected = "login of <*> from <*> was accepted";
    assert!(mined(&forward).iter().all(|template| template == expected));
    assert!(mined(&backward).iter().all(|template| template == expected));
}

#[test]
fn long_messages_are_cut_and_end_with_a_parameter() {
    let words = "word ".repeat(200_000);
    let one = "a".repeat(1 << 20);
    let numbers = "1 ".repeat(1 << 19);
    let templates = mined(&[&words, &one, &numbers]);
    assert!(templates[0].len() < 5000 && templates[0].ends_with(" <*>"));
    assert_eq!(templates[1], "<*>");
    assert!(templates[2].len() < 8000);
}

#[test]
fn what_is_too_much_is_folded_and_counted() {
    let mut miner = Miner::default();
    let mut letters = 0_u64;
    let mut word = || {
        letters = letters.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (0..8).map(|at| char::from(b'g' + ((letters >> (20 + at * 4)) & 15) as u8)).collect::<String>()
    };
    let total = TEXTS_MAX + 50_000;
    let assigned: Vec<Assigned> = (0..total)
        .map(|_| {
            let message = format!("{} {} {} {} {}", word(), word(), word(), word(), word());
            miner.assign(message.as_bytes())
        })
        .collect();
    miner.settle();
    let folded = miner.folded();
    // Whoever reads the dictionary knows which templates those are.
    let ids: Vec<TemplateId> = assigned.iter().map(|assigned| miner.id(*assigned)).collect();
    let known = Dictionary::from_json(&miner.dictionary().to_json()).unwrap();
    let in_folded = ids.iter().filter(|id| known.entries()[&known.resolve(**id)].folded).count();
    assert_eq!(in_folded as u64, folded.messages);
    assert_eq!(Miner::with(&known).dictionary().entries().len(), known.entries().len());
    assert!(folded.messages > 40_000, "{folded:?}");
    assert!(folded.templates <= FOLDED_MAX + 1, "{folded:?}");
    assert!(miner.texts() <= TEXTS_MAX + FOLDED_MAX + 1);
    assert!(assigned.iter().all(|assigned| assigned.position() < miner.texts()));
}

#[test]
fn words_that_vary_side_by_side_become_parameters() {
    let name = |number: u32| -> String {
        (0..4).map(|at| char::from(b'g' + u8::try_from((number >> (at * 4)) & 15).unwrap())).collect()
    };
    let message = |number: u32| {
        let (from, to) = (name(number.wrapping_mul(40_503) >> 3), name(number.wrapping_mul(30_011) >> 2));
        format!("copied {from} to the place {to} at last")
    };
    let expected = "copied <*> to the place <*> at last";
    let mut miner = Miner::default();
    let all: Vec<Assigned> = (1..200).map(|number| miner.assign(message(number).as_bytes())).collect();
    miner.settle();
    assert!(all.iter().all(|assigned| miner.template(*assigned) == expected));
    // It is found again without a word in common.
    let other = miner.assign(b"copied zzzz to the place yyyy at last");
    miner.settle();
    assert_eq!(miner.template(other), expected);
}

#[test]
fn the_same_template_has_the_same_id_for_every_writer() {
    let id = |text: &str| TemplateId::of(text).to_string();
    assert_eq!(id("Took <*> ms"), "f7c640f49b779f1f");
    let mut one = Miner::default();
    let mut two = Miner::default();
    let first = one.assign(b"Took 5 ms");
    two.assign(b"something else");
    let second = two.assign(b"Took 6 ms");
    assert_eq!(one.id(first), two.id(second));
    assert_eq!(one.id(first), TemplateId::of("Took <*> ms"));
}

#[test]
fn an_old_id_leads_to_the_template_that_it_became_part_of() {
    let mut miner = Miner::default();
    let old = miner.assign(b"the lamp is red today");
    let old = miner.id(old);
    let first = miner.dictionary();
    // Another process goes on with what is known.
    let first = Dictionary::from_json(&first.to_json()).unwrap();
    let mut miner = Miner::with(&first);
    let mut last = None;
    for word in ["blue", "green", "black", "white", "grey"] {
        last = Some(miner.assign(format!("the lamp is {word} today").as_bytes()));
    }
    miner.settle();
    let new = miner.id(last.unwrap());
    assert_ne!(old, new);
    let second = miner.dictionary();
    assert_eq!(second.resolve(old), new);
    assert_eq!(second.text(old), Some("the lamp is <*> today"));
    assert_eq!(second.entries().len(), 2, "{second:?}");
    // What is new of it, and what two writers know together.
    let mut merged = first.clone();
    merged.merge(&second.without(&first));
    assert_eq!(merged, second);
    let mut other = second.clone();
    other.merge(&first);
    assert_eq!(other, second);
    // A third one sees at once what the second had to learn.
    let mut third = Miner::with(&second);
    let violet = third.assign(b"the lamp is violet today");
    assert_eq!(third.id(violet), new);
}

#[test]
fn a_template_with_several_learned_parameters_is_found_again() {
    let mut miner = Miner::default();
    let mut last = None;
    for user in ["anna", "ben", "carl", "dora", "emil", "fritz"] {
        for host in ["north", "south", "east", "west", "up", "down"] {
            last = Some(miner.assign(format!("login of {user} from {host} was accepted").as_bytes()));
        }
    }
    miner.settle();
    let id = miner.id(last.unwrap());
    let dictionary = Dictionary::from_json(&miner.dictionary().to_json()).unwrap();
    let mut other = Miner::with(&dictionary);
    let assigned = other.assign(b"login of zoe from nowhere was accepted");
    other.settle();
    assert_eq!(other.id(assigned), id);
}

#[test]
fn a_dictionary_that_is_damaged_is_refused() {
    for (json, expected) in [
        ("", "not a dictionary"),
        ("{\"version\":2}", "version 2"),
        (
            "{\"version\":1,\"templates\":[{\"id\":\"0000000000000000\",\"template\":\"a\"}]}",
            "does not have the text",
        ),
        ("{\"version\":1,\"templates\":[{\"id\":\"0\",\"template\":\"a\"}]}", "does not have the text"),
    ] {
        let error = Dictionary::from_json(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{json}: {error}");
    }
    // A circle, which no miner writes, ends somewhere.
    let (a, b) = (TemplateId::of("a"), TemplateId::of("b"));
    let mut circle = Dictionary::default();
    circle.insert(Entry {
        text: "a".into(),
        merged_into: Some(b),
        learned: 0,
        first_seen_us: None,
        folded: false,
    });
    circle.insert(Entry {
        text: "b".into(),
        merged_into: Some(a),
        learned: 0,
        first_seen_us: None,
        folded: false,
    });
    circle.resolve(a);
    let mut miner = Miner::with(&circle);
    let assigned = miner.assign(b"a");
    miner.id(assigned);
}

#[test]
fn parameters_are_found_by_the_template() {
    for (template, message, expected) in [
        ("Took <*> ms to build <*>", "Took 12 ms  to build /srv/a", Some(vec!["12", "/srv/a"])),
        ("<*>", "anything at all", Some(vec!["anything at all"])),
        ("a", "a", Some(vec![])),
        ("a", "b", None),
        ("a <*>", "a", None),
        ("size <*>, free <*>)", "size 5 KB, free 7 GB)", Some(vec!["5 KB", "7 GB"])),
        ("from <*> (<*>) at <*>", "from 1.2.3.4 () at noon", Some(vec!["1.2.3.4", "", "noon"])),
        ("x=<*>y", "x=1", None),
    ] {
        assert_eq!(parameters(template, message), expected, "{template}, {message}");
    }
}

#[test]
fn kinds_of_parameters_are_told_by_their_look() {
    for (value, expected) in [
        ("12", ParameterKind::Number),
        ("-1.5", ParameterKind::Number),
        ("64172MB", ParameterKind::Number),
        ("5.2 KB", ParameterKind::Number),
        ("10.0.0.1", ParameterKind::Ip),
        ("/10.0.0.1:50010", ParameterKind::Ip),
        ("::1", ParameterKind::Ip),
        ("b9000564-fe1a-409b-b8cc-1e88b294cd1d", ParameterKind::Uuid),
        ("0x7fed806eb5d", ParameterKind::Hex),
        ("9f4ef63", ParameterKind::Hex),
        ("/var/lib/a", ParameterKind::Path),
        ("C:\\Windows", ParameterKind::Path),
        ("anna", ParameterKind::Word),
        ("", ParameterKind::Word),
    ] {
        assert_eq!(ParameterKind::of(value), expected, "{value}");
    }
}

#[test]
fn counts_sum_to_the_number_of_messages() {
    let text = "a 1\n\na 2\r\nvery odd\na 3";
    for capacity in [1, 3, 1 << 16] {
        let mut counter = lines::Counter::default();
        let mut reader = std::io::BufReader::with_capacity(capacity, text.as_bytes());
        lines::each_line(&mut reader, &mut |line| {
            counter.count(line);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        let found = counter.finish();
        assert_eq!(found.messages, 5);
        let counts: Vec<(&str, u64)> =
            found.templates.iter().map(|found| (found.template.as_str(), found.count)).collect();
        assert_eq!(counts, [("a <*>", 3), ("", 1), ("very odd", 1)]);
        assert_eq!(found.templates[0].parameters[0].value, "1");
    }
}
