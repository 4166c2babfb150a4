//! Divides a request's size among files if there is not room for all.

/// One file's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub bytes: u64,
    /// Whether it can be made smaller.
    pub is_shrinkable: bool,
}

/// Divides `total` bytes.
/// A share that cannot shrink gets all it needs.
/// Of the rest, no share gets less than an equal part while another has more.
/// `None`: `total` is too small even for the first kind.
pub fn allot(shares: &[Share], total: u64) -> Option<Vec<u64>> {
    let mut fixed = shares.iter().filter(|share| !share.is_shrinkable);
    let mut left = fixed.try_fold(total, |left, share| left.checked_sub(share.bytes))?;
    let mut waiting: Vec<usize> = (0..shares.len())
        .filter(|&position| {
            shares
                .get(position)
                .is_some_and(|share| share.is_shrinkable)
        })
        .collect();
    let bytes_of = |position: usize| shares.get(position).map_or(0, |share| share.bytes);
    waiting.sort_by_key(|&position| bytes_of(position));
    let mut allotted: Vec<u64> = shares.iter().map(|share| share.bytes).collect();
    let mut count = waiting.len() as u64;
    for position in waiting {
        let granted = bytes_of(position).min(left / count.max(1));
        if let Some(allotted) = allotted.get_mut(position) {
            *allotted = granted;
        }
        left = left.saturating_sub(granted);
        count = count.saturating_sub(1);
    }
    Some(allotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(bytes: u64) -> Share {
        Share {
            bytes,
            is_shrinkable: true,
        }
    }

    fn pdf(bytes: u64) -> Share {
        Share {
            bytes,
            is_shrinkable: false,
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(allot(&[image(6), pdf(4)], 10), Some(vec![6, 4]));
        assert_eq!(allot(&[], 10), Some(vec![]));
    }

    #[test]
    fn a_small_image_keeps_its_size_and_the_large_one_gets_the_rest() {
        assert_eq!(allot(&[image(9), image(2)], 10), Some(vec![8, 2]));
        assert_eq!(allot(&[image(9), image(8)], 10), Some(vec![5, 5]));
        assert_eq!(allot(&[image(9), pdf(7)], 10), Some(vec![3, 7]));
    }

    #[test]
    fn files_that_cannot_shrink_may_leave_no_room() {
        assert_eq!(allot(&[pdf(6), pdf(5)], 10), None);
        assert_eq!(allot(&[pdf(10), image(1)], 10), Some(vec![10, 0]));
    }
}
