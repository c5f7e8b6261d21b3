//! How wide each column may be.

/// A name, or a short value that may be cut, is still worth its place at this width.
const SHORT_LEAST: usize = 16;
/// A long text is worth its place from this width on.
const LONG_LEAST: usize = 20;
/// What is wider than this is a long text.
const SHORT_MOST: usize = 48;
const GAP: usize = 2;

/// What a column asks for.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The width of its name.
    pub name: usize,
    /// The width of its widest value.
    pub values: usize,
    /// Its values are shown whole or not at all.
    pub rigid: bool,
    /// Where not all fit, those of a lower rank are shown first.
    pub rank: usize,
}

impl Need {
    fn natural(self) -> usize {
        self.name.max(self.values).max(1)
    }

    fn least(self) -> usize {
        let natural = self.natural();
        match (self.rigid, natural > SHORT_MOST) {
            (true, _) => self.values.max(self.name.min(SHORT_LEAST)).max(1),
            (false, true) => LONG_LEAST,
            (false, false) => natural.min(SHORT_LEAST),
        }
    }
}

/// The columns that fit into `total`, in their order, with their widths; there is always at least one. Space
/// goes first to those that ask for little, and the rest is shared evenly.
pub fn widths(needs: &[Need], total: Option<usize>) -> Vec<(usize, usize)> {
    let Some(total) = total else {
        return needs.iter().map(|need| need.natural()).enumerate().collect();
    };
    let shown = fitting(needs, total);
    let space = total.saturating_sub(GAP * shown.len().saturating_sub(1));
    let wanted: Vec<Need> = shown.iter().filter_map(|place| needs.get(*place)).copied().collect();
    let cap = cap(&wanted, space);
    let mut widths: Vec<usize> = wanted.iter().map(|need| width(*need, cap)).collect();
    let mut left = space.saturating_sub(widths.iter().sum());
    for (width, need) in widths.iter_mut().zip(&wanted) {
        if left > 0 && *width < need.natural() {
            *width += 1;
            left -= 1;
        }
    }
    if let [only] = widths.as_mut_slice() {
        *only = (*only).min(total.max(1));
    }
    shown.into_iter().zip(widths).collect()
}

/// The columns that fit at their least width.
fn fitting(needs: &[Need], total: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..needs.len()).collect();
    places.sort_by_key(|place| needs.get(*place).map(|need| need.rank));
    let mut used = 0;
    let mut shown = Vec::new();
    for place in places {
        let Some(need) = needs.get(place) else { continue };
        let more = need.least() + if shown.is_empty() { 0 } else { GAP };
        if used + more <= total || shown.is_empty() {
            used += more;
            shown.push(place);
        }
    }
    shown.sort_unstable();
    shown
}

/// The greatest width such that columns capped at it fit.
fn cap(needs: &[Need], space: usize) -> usize {
    let used = |cap: usize| needs.iter().map(|need| width(*need, cap)).sum::<usize>();
    let widest = needs.iter().map(|need| need.natural()).max().unwrap_or(0);
    let (mut low, mut high) = (0, widest);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if used(middle) <= space {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low
}

fn width(need: Need, cap: usize) -> usize {
    need.natural().min(cap).max(need.least())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(total: Option<usize>, needs: &[(usize, usize, bool)], expected: &[(usize, usize)]) {
        let needs = needs.iter().map(|(name, values, rigid)| Need {
            name: *name,
            values: *values,
            rigid: *rigid,
            rank: 0,
        });
        check_ranked(total, &needs.collect::<Vec<Need>>(), expected);
    }

    fn check_ranked(total: Option<usize>, needs: &[Need], expected: &[(usize, usize)]) {
        let shown = widths(needs, total);
        assert_eq!(shown, expected);
        if let Some(total) = total {
            let used: usize = shown.iter().map(|(_, width)| width).sum();
            assert!(used + GAP * shown.len().saturating_sub(1) <= total.max(1));
        }
    }

    #[test]
    fn what_fits_has_what_it_asks_for() {
        check(None, &[(4, 200, false), (2, 5, true)], &[(0, 200), (1, 5)]);
        check(Some(80), &[(4, 20, false), (2, 5, true)], &[(0, 20), (1, 5)]);
        check(Some(80), &[], &[]);
    }

    #[test]
    fn wide_columns_share_what_is_left() {
        check(Some(70), &[(4, 100, false), (2, 5, true), (4, 100, false)], &[(0, 31), (1, 5), (2, 30)]);
        check(Some(70), &[(4, 100, false), (2, 12, false), (4, 100, false)], &[(0, 27), (1, 12), (2, 27)]);
        check(Some(70), &[(4, 40, false), (4, 100, false)], &[(0, 34), (1, 34)]);
    }

    #[test]
    fn a_long_text_is_left_out_rather_than_cut_to_nothing() {
        check(Some(44), &[(4, 100, false), (4, 100, false), (2, 5, true)], &[(0, 21), (1, 21)]);
        check(Some(41), &[(4, 100, false), (4, 100, false), (2, 5, true)], &[(0, 34), (2, 5)]);
    }

    #[test]
    fn rigid_columns_keep_their_values_whole() {
        check(Some(60), &[(3, 27, true), (4, 100, false)], &[(0, 27), (1, 31)]);
        check(Some(30), &[(3, 27, true), (4, 100, false)], &[(0, 27)]);
        check(Some(34), &[(20, 3, true), (20, 3, true)], &[(0, 16), (1, 16)]);
    }

    #[test]
    fn where_not_all_fit_the_rank_decides_and_the_order_stays() {
        let need = |values, rank| Need { name: 1, values, rigid: true, rank };
        check_ranked(Some(22), &[need(10, 2), need(10, 1), need(10, 0)], &[(1, 10), (2, 10)]);
    }

    #[test]
    fn one_column_is_always_shown() {
        check(Some(10), &[(3, 27, true), (4, 40, false)], &[(0, 10)]);
        check(Some(0), &[(3, 27, false)], &[(0, 1)]);
    }
}
