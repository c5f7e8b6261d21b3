//! Locks in a bucket: objects that say who holds them, renewed while they are held.

use super::Bucket;
use super::failure::is_taken;
use super::objects::as_ours;
use super::runtime::{runtime, wait};
use crate::error::Result;
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{Extensions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutResult, UpdateVersion};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use uuid::Uuid;

const RENEW_EVERY: Duration = Duration::from_secs(60);
/// Who did not renew a lock for so long is gone, also where the clocks differ by some minutes.
const GONE_AFTER: Duration = Duration::from_secs(15 * 60);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(in crate::storage) struct Lease {
    client: Arc<AmazonS3>,
    key: Key,
    /// The version of the object that is ours; none once somebody else has taken it.
    ours: Arc<Mutex<Option<UpdateVersion>>>,
    renewal: JoinHandle<()>,
    /// The process that holds it: a child that `fork` makes does not.
    process: u32,
}

impl Bucket {
    /// Takes a lock; none if another holds it.
    pub fn try_lease(&self, path: &str) -> Result<Option<Lease>> {
        let key = self.key(path)?;
        let (holder, token) = (Holder::this(), Uuid::new_v4().to_string());
        let put = |mode| wait(self.client.put_opts(&key, holder.text().into(), as_ours(mode, &token)));
        let taken = match put(PutMode::Create)? {
            Ok(made) => Some(made),
            // The answer to the first request was lost, and the client made it again.
            Err(error)
                if is_taken(&error) && self.token_of(&key).ok().flatten().as_deref() == Some(&token) =>
            {
                let meta = self.again(|| wait(self.client.head(&key)))?;
                let meta = meta.map_err(|error| self.told("lock", path, &error))?;
                Some(PutResult {
                    e_tag: meta.e_tag,
                    version: meta.version,
                    extensions: Extensions::default(),
                })
            }
            Err(error) if is_taken(&error) => match self.abandoned(&key, path, &holder)? {
                Some(left) => match put(PutMode::Update(left))? {
                    Ok(made) => Some(made),
                    Err(error) if is_taken(&error) => None,
                    Err(error) => return Err(self.told("lock", path, &error)),
                },
                None => None,
            },
            Err(error) => return Err(self.told("lock", path, &error)),
        };
        let Some(made) = taken else { return Ok(None) };
        let ours = Arc::new(Mutex::new(Some(UpdateVersion::from(made))));
        let renewal =
            runtime()?.spawn(renew(Arc::clone(&self.client), key.clone(), holder.text(), Arc::clone(&ours)));
        Ok(Some(Lease { client: Arc::clone(&self.client), key, ours, renewal, process: holder.process }))
    }

    /// The lock of somebody who is gone.
    fn abandoned(&self, key: &Key, path: &str, this: &Holder) -> Result<Option<UpdateVersion>> {
        let read = self.again(|| {
            wait(async {
                let found = self.client.get(key).await?;
                let meta = found.meta.clone();
                Ok::<(ObjectMeta, Vec<u8>), object_store::Error>((meta, found.bytes().await?.to_vec()))
            })
        })?;
        let (meta, text) = match read {
            Ok(read) => read,
            // It was given up meanwhile: the next try gets it.
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.told("lock", path, &error)),
        };
        let age = SystemTime::now().duration_since(SystemTime::from(meta.last_modified)).unwrap_or_default();
        let is_gone = this.knows_gone(&String::from_utf8_lossy(&text)) || age > GONE_AFTER;
        Ok(is_gone.then_some(UpdateVersion { e_tag: meta.e_tag, version: meta.version }))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        self.renewal.abort();
        let ours = self.ours.lock().unwrap_or_else(PoisonError::into_inner).take();
        if ours.is_some() {
            // What cannot be given up now is given up by time.
            let _ = wait(self.client.delete(&self.key));
        }
    }
}

/// Says again and again that the lock is held.
async fn renew(client: Arc<AmazonS3>, key: Key, text: String, ours: Arc<Mutex<Option<UpdateVersion>>>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let Some(version) = ours.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        let put = client.put_opts(&key, text.clone().into(), as_ours(PutMode::Update(version), ""));
        match put.await {
            Ok(made) => {
                *ours.lock().unwrap_or_else(PoisonError::into_inner) = Some(UpdateVersion::from(made))
            }
            Err(error) if is_taken(&error) => {
                *ours.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return;
            }
            // The next time, perhaps.
            Err(_) => {}
        }
    }
}

/// A process, as others can find out whether it is still there.
struct Holder {
    /// The machine since it was started, with the numbers of its processes.
    machine: String,
    process: u32,
    started: String,
}

impl Holder {
    fn this() -> Holder {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let space = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let process = std::process::id();
        let machine = format!("{}-{}", boot.trim(), space.display());
        Holder { machine, process, started: started(process).unwrap_or_default() }
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.machine, self.process, self.started)
    }

    /// Whether the holder that a text is about was on this machine and is there no more.
    fn knows_gone(&self, text: &str) -> bool {
        let mut lines = text.lines();
        let (Some(machine), Some(process), Some(began)) = (lines.next(), lines.next(), lines.next()) else {
            return false;
        };
        let Ok(process) = process.parse() else { return false };
        machine == self.machine && !began.is_empty() && started(process).as_deref() != Some(began)
    }
}

/// When a process was started, as the system counts.
fn started(process: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program comes before, in brackets, and may have spaces.
    let (_, after) = text.rsplit_once(") ")?;
    after.split(' ').nth(19).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_gone_when_its_process_is() {
        let this = Holder::this();
        assert!(!this.knows_gone(&this.text()));
        let other = Holder { process: this.process, machine: this.machine.clone(), started: "1".to_string() };
        assert!(this.knows_gone(&other.text()));
        let elsewhere = Holder { machine: "elsewhere".to_string(), ..other };
        assert!(!this.knows_gone(&elsewhere.text()));
        for strange in ["", "x", "a\nb\nc", "a\n1"] {
            assert!(!this.knows_gone(strange), "{strange}");
        }
    }
}
