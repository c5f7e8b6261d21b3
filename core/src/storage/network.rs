//! Whether a folder is on a file system that other machines share.

use crate::error::{Error, Result};
use std::path::Path;

/// Whether a path, or the nearest folder above it that exists, is on a network file system, where locks and
/// syncs cannot be relied on. File systems in user space are not told apart, and count as local.
pub fn is_network_file_system(path: &Path) -> Result<bool> {
    let exists = |path: &&Path| !path.as_os_str().is_empty() && path.exists();
    let existing = path.ancestors().find(exists).unwrap_or(Path::new("."));
    check(existing)
}

#[cfg(target_os = "linux")]
fn check(path: &Path) -> Result<bool> {
    let found = rustix::fs::statfs(path)
        .map_err(|error| Error::io("look at the file system of", path.display(), error.into()))?;
    // The kernel's constant is 32 bits wide; the field's width and sign differ between machines.
    Ok(is_network_magic(found.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
fn check(_path: &Path) -> Result<bool> {
    Ok(false)
}

fn is_network_magic(magic: u32) -> bool {
    const NETWORK: [u32; 14] = [
        0x0000_6969, // NFS
        0x0000_517b, // SMB
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB 2
        0x0000_564c, // NCP
        0x5346_414f, // AFS
        0x6b41_4653, // kAFS
        0x7375_7245, // Coda
        0x00c3_6400, // Ceph
        0x0102_1997, // 9p
        0x0bd0_0bd0, // Lustre
        0x4750_4653, // GPFS
        0x1983_0326, // BeeGFS
        0x786f_4256, // VirtualBox shared folders
    ];
    NETWORK.contains(&magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_local_and_so_is_what_is_not_there_yet() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_network_file_system(folder.path()).unwrap());
        assert!(!is_network_file_system(&folder.path().join("a/b/c")).unwrap());
        assert!(!is_network_file_system(Path::new("not-there")).unwrap());
    }

    #[test]
    fn shared_file_systems_are_known() {
        assert!(is_network_magic(0x6969));
        assert!(is_network_magic(0xff53_4d42));
        assert!(!is_network_magic(0xef53)); // ext
        assert!(!is_network_magic(0x6573_5546)); // FUSE
    }
}
