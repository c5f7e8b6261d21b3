use super::*;
use crate::error::ErrorKind;
use crate::proof::{Head, SignedHead, TableHead};
use crate::settings::HeadSettings;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

fn head(version: u64) -> Head {
    let table = |version| TableHead { version, hash: "ab".repeat(32) };
    Head { events: table(version), quarantine: table(0) }
}

#[test]
fn a_signature_is_of_one_key_and_one_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let key = SigningKey::create(&path("key")).unwrap();
    assert_eq!(path("key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let read = SigningKey::read(&path("key")).unwrap();
    assert_eq!((read.public(), read.warning.clone()), (key.public(), None));
    std::fs::write(path("public"), key.public().to_pem()).unwrap();
    let public = PublicKey::read(&path("public")).unwrap();
    let signed = read.sign(head(7));
    public.check(&signed).unwrap();
    public.check(&signed.to_string().parse().unwrap()).unwrap();
    let other = SignedHead { head: head(8), ..signed.clone() };
    assert_eq!(public.check(&other).unwrap_err().kind(), ErrorKind::Corrupt);
    let stranger = SigningKey::create(&path("stranger")).unwrap().public();
    assert_eq!(stranger.check(&signed).unwrap_err().kind(), ErrorKind::Corrupt);
    let unsigned = SignedHead { signature: None, ..signed };
    assert_eq!(public.check(&unsigned).unwrap_err().kind(), ErrorKind::Invalid);
    // No key is overwritten, and what is none says so without showing it.
    assert!(SigningKey::create(&path("key")).is_err());
    std::fs::write(path("none"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let error = SigningKey::read(&path("none")).unwrap_err();
    assert!(!error.to_string().contains("c2VjcmV0") && error.kind() == ErrorKind::Invalid, "{error}");
    assert_eq!(PublicKey::read(&path("key")).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(PublicKey::read(&path("nowhere")).unwrap_err().kind(), ErrorKind::NotFound);
    std::fs::set_permissions(path("key"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let warning = SigningKey::read(&path("key")).unwrap().warning.unwrap();
    assert!(warning.contains("others than its owner"), "{warning}");
}

#[test]
fn heads_are_appended_in_order_and_a_failure_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let settings = HeadSettings { append_to: Some("heads.txt".to_string()), ..HeadSettings::default() };
    let publisher = Publisher::new(&settings, folder.path(), head(0)).unwrap();
    let hash = "cd".repeat(32);
    for (table, version) in
        [(OfTable::Quarantine, 1), (OfTable::Events, 1), (OfTable::Events, 1), (OfTable::Events, 2)]
    {
        publisher.committed(table, version, &hash);
    }
    let text = std::fs::read_to_string(folder.path().join("heads.txt")).unwrap();
    let heads: Vec<Head> = text.lines().map(|line| line.parse().unwrap()).collect();
    let versions: Vec<_> = heads.iter().map(|head| (head.events.version, head.quarantine.version)).collect();
    assert_eq!(versions, [(0, 1), (1, 1), (2, 1)]);
    assert!(publisher.warnings().is_empty());
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let telling = told.clone();
    publisher.tell(Box::new(move |text| telling.lock().unwrap().push(text.to_string())));
    std::fs::remove_file(folder.path().join("heads.txt")).unwrap();
    std::fs::create_dir(folder.path().join("heads.txt")).unwrap();
    publisher.committed(OfTable::Events, 3, &hash);
    assert_eq!(told.lock().unwrap().len(), 1);
    assert!(publisher.warnings()[0].contains("could not be appended"), "{:?}", publisher.warnings());
    std::fs::remove_dir(folder.path().join("heads.txt")).unwrap();
    publisher.committed(OfTable::Events, 4, &hash);
    assert!(publisher.warnings().is_empty());
}

/// Answers requests with these statuses, one each, and gives back their bodies.
fn server(statuses: Vec<u16>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/secret-path?token=secret", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        statuses
            .into_iter()
            .map(|status| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut line, mut length) = (String::new(), 0);
                while reader.read_line(&mut line).unwrap() > 2 {
                    if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                String::from_utf8(body).unwrap()
            })
            .collect()
    });
    (address, thread)
}

#[test]
fn heads_are_sent_again_until_they_arrive_and_a_failure_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (address, answers) = server(vec![500, 200]);
    let settings = HeadSettings { send_to: Some(address), ..HeadSettings::default() };
    let publisher = Publisher::new(&settings, folder.path(), head(0)).unwrap();
    publisher.committed(OfTable::Events, 1, &"cd".repeat(32));
    let bodies = answers.join().unwrap();
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0].starts_with("{\"head\":\"daybook-head-1:1:cdcd"), "{}", bodies[0]);
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let telling = told.clone();
    publisher.tell(Box::new(move |text| telling.lock().unwrap().push(text.to_string())));
    // Nobody listens there any more.
    publisher.committed(OfTable::Events, 2, &"cd".repeat(32));
    drop(publisher);
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("could not be sent to `127.0.0.1`") && !told.contains("secret"), "{told}");
    for wrong in ["ftp://x/y", "x", "file:///etc/passwd"] {
        let settings = HeadSettings { send_to: Some(wrong.to_string()), ..HeadSettings::default() };
        let error = Publisher::new(&settings, folder.path(), head(0)).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && !error.to_string().contains(wrong), "{error}");
    }
}
