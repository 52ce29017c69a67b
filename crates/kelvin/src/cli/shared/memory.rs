//! The memory that this process may still use, as the operating system reports it.

use std::fs;

/// Bytes of memory that are available without swapping, if the system reports it (Linux).
pub(crate) fn available() -> Option<u64> {
    let machine = meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
    // A container may have less than the machine.
    let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = number("/sys/fs/cgroup/memory.max");
    let used = number("/sys/fs/cgroup/memory.current");
    let group = limit.zip(used).map(|(limit, used)| limit.saturating_sub(used));
    Some(group.map_or(machine, |group| group.min(machine)))
}

fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_counts() {
        let text =
            "MemTotal:       24000 kB\nMemFree:  5 kB\nMemAvailable:   22000 kB\nBuffers: 1 kB\n";
        assert_eq!(meminfo(text), Some(22000 * 1024));
        assert_eq!(meminfo("MemTotal: 5 kB\n"), None);
    }
}
