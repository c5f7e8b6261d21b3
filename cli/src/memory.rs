//! A bound on the memory of this process, which runs queries.

use daybook::Limits;

/// What else a process may take on top of what it has and what a query may have.
#[cfg(target_os = "linux")]
const REST_BYTES: u64 = 512 << 20;

/// Bounds the memory of this process: what it has now, what the limits give a query, and half a GiB more.
///
/// DuckDB counts its buffers, and not the values that a single function makes: `repeat('x', 2000000000)` takes
/// what it takes. With the bound the operating system refuses that memory, and the query fails. Only Linux has it.
#[cfg(target_os = "linux")]
pub fn bound(limits: &Limits) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Some(now) = data_bytes() else { return };
    let bytes = now.saturating_add(limits.memory_bytes).saturating_add(REST_BYTES);
    let present = getrlimit(Resource::Data);
    if present.current.is_some_and(|current| current <= bytes) {
        return;
    }
    let current = present.maximum.map_or(bytes, |maximum| bytes.min(maximum));
    // Where it is refused, the process is as it was.
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(current), maximum: present.maximum });
}

/// Only Linux bounds what matters here.
#[cfg(not(target_os = "linux"))]
pub fn bound(_limits: &Limits) {}

/// The bytes that count against the bound now.
#[cfg(target_os = "linux")]
fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}
