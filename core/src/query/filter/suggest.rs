//! Names close to one that is not there.

/// How many names are suggested at most.
const NAMES: usize = 3;
/// Longer names are compared with nothing.
const LONGEST: usize = 120;

/// The names within a few letters of this one, closest first.
pub fn close<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().take(LONGEST + 1).collect();
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let far = (wanted.len() / 3).clamp(1, 4);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter(|candidate| candidate.len() <= 4 * LONGEST)
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            let is_near = letters.len().abs_diff(wanted.len()) <= far;
            let far_off = || is_near.then(|| distance(&wanted, &letters)).filter(|distance| *distance <= far);
            let starts = wanted.len() >= 4 && letters.starts_with(&wanted);
            Some((far_off().or(starts.then_some(far))?, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(NAMES).map(|(_, name)| name).collect()
}

/// "did you mean `a`, `b` or `c`?"
pub fn did_you_mean(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let (last, others) = quoted.split_last()?;
    if others.is_empty() {
        return Some(format!("did you mean {last}?"));
    }
    Some(format!("did you mean {} or {last}?", others.join(", ")))
}

/// How many letters to add, remove, replace or swap with the next.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = vec![row.saturating_add(1)];
        for (column, candidate) in other.iter().enumerate() {
            let at = |line: &[usize], position: usize| line.get(position).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column).saturating_add(usize::from(letter != candidate));
            let added = at(&current, column).saturating_add(1);
            let removed = at(&last, column.saturating_add(1)).saturating_add(1);
            let mut least = replaced.min(added).min(removed);
            let previous = |list: &[char], position: usize| list.get(position.checked_sub(1)?).copied();
            let is_swap = previous(one, row) == Some(*candidate) && previous(other, column) == Some(*letter);
            if is_swap && let Some(earlier) = column.checked_sub(1) {
                least = least.min(at(&before_last, earlier).saturating_add(1));
            }
            current.push(least);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(usize::MAX)
}
