//! Tie groups: who stands with whom, given who may be as good as whom.
//!
//! Called by [`super`] with a field in the order of its ranks. Knows nothing of scores, profiles or times: the
//! [`Contest`] answers.
//!
//! A group is made for the best that has none yet. Then everybody below is looked at, from the top. Who ties with the best
//! joins, unless that would pass somebody over: whoever stands between and did not join (because the best differs from
//! him) is passed over by all who join after. That is right where the one who joins came first and may be as good, and
//! wrong otherwise: a noisy result, which differs from nobody, would climb over results that are better *and* earlier. So
//! he joins only if he is earlier than everyone whom he passes and ties with each of them.
//!
//! Being stricter, and ending a group at the first one that differs, would be wrong too: a pair of results of one person,
//! one that ties with the earlier best of somebody else and one just far enough behind it, would cut him off.
//!
//! A group is closed after [`MOST_PASSED`] did not join. So a field of `n` takes at most `n (1 + MOST_PASSED)` questions
//! about the best of a group, and at most `n MOST_PASSED (1 + MOST_PASSED)` about somebody who would be passed.

/// A group is closed once so many of those below its best did not join it.
pub const MOST_PASSED: usize = 16;

/// What groups are made from. Numbers are places in the order of the ranks, from 0.
pub(super) trait Contest {
    /// Whatever tells since when somebody holds a place.
    type Since: Copy;

    /// Whether the difference between two may be chance; `below` is ranked below `above`.
    fn tied(&mut self, below: usize, above: usize) -> bool;

    /// Since when somebody holds a place in the group of this best.
    fn since(&mut self, entrant: usize, best: usize) -> Self::Since;

    /// Whether `a` is before `b`.
    fn earlier(&self, a: &Self::Since, b: &Self::Since) -> bool;
}

/// Where somebody stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed<S> {
    /// Its group, from 0.
    pub(super) group: usize,
    /// Whom it was compared with.
    pub(super) best: Best,
    /// Since when it holds its place.
    pub(super) since: S,
}

/// Whom somebody was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Best {
    /// With nobody: the best of all.
    Nobody,
    /// With the best of the group above, from which it differs: it is the best of its own.
    Above(usize),
    /// With the best of its group, with which it ties.
    Own(usize),
}

/// Places a field of `count`.
pub(super) fn place<C: Contest>(count: usize, contest: &mut C) -> Vec<Placed<C::Since>> {
    let mut placed: Vec<Option<Placed<C::Since>>> = vec![None; count];
    // Since when those hold their places who did not join, each as the best of a group of its own.
    let mut alone: Vec<Option<C::Since>> = vec![None; count];
    let mut above = Best::Nobody;
    let mut group = 0;
    for best in 0..count {
        if placed[best].is_some() {
            continue;
        }
        let since = *alone[best].get_or_insert_with(|| contest.since(best, best));
        placed[best] = Some(Placed {
            group,
            best: above,
            since,
        });
        let mut passed: Vec<usize> = Vec::new();
        let open: Vec<usize> = (best + 1..count)
            .filter(|&entrant| placed[entrant].is_none())
            .collect();
        for entrant in open {
            if contest.tied(entrant, best) {
                let since = contest.since(entrant, best);
                let mut may_pass = |&other: &usize| {
                    let others = *alone[other].get_or_insert_with(|| contest.since(other, other));
                    contest.earlier(&since, &others) && contest.tied(entrant, other)
                };
                if passed.iter().all(&mut may_pass) {
                    placed[entrant] = Some(Placed {
                        group,
                        best: Best::Own(best),
                        since,
                    });
                    continue;
                }
            }
            passed.push(entrant);
            if passed.len() == MOST_PASSED {
                break;
            }
        }
        group += 1;
        // Whoever is the best of the next group was the first who did not join this one, and had nobody to pass.
        above = Best::Above(best);
    }
    // Each was its own best, if it joined nobody.
    placed.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A field by who differs from whom and who came when.
    struct Made {
        /// Pairs (below, above) that differ.
        differ: Vec<(usize, usize)>,
        times: Vec<u32>,
        asked: usize,
    }

    impl Contest for Made {
        type Since = u32;

        fn tied(&mut self, below: usize, above: usize) -> bool {
            assert!(below > above, "the worse one is asked about");
            self.asked += 1;
            !self.differ.contains(&(below, above))
        }

        fn since(&mut self, entrant: usize, _best: usize) -> u32 {
            self.times[entrant]
        }

        fn earlier(&self, a: &u32, b: &u32) -> bool {
            a < b
        }
    }

    fn groups(times: &[u32], differ: &[(usize, usize)]) -> Vec<usize> {
        let mut made = Made {
            differ: differ.to_vec(),
            times: times.to_vec(),
            asked: 0,
        };
        let placed = place(times.len(), &mut made);
        placed.iter().map(|placed| placed.group).collect()
    }

    #[test]
    fn groups_by_hand() {
        type Case = (
            &'static str,
            &'static [u32],
            &'static [(usize, usize)],
            &'static [usize],
        );
        let cases: &[Case] = &[
            ("nobody", &[], &[], &[]),
            ("alone", &[5], &[], &[0]),
            ("all tie", &[3, 2, 1], &[], &[0, 0, 0]),
            ("all differ", &[3, 2, 1], &[(1, 0), (2, 0), (2, 1)], &[0, 1, 2]),
            (
                "only the best counts: 2 ties with 1 and not with 0",
                &[1, 2, 3],
                &[(2, 0)],
                &[0, 0, 1],
            ),
            (
                "a pair of one person does not cut off the earlier one",
                &[8, 9, 1],
                &[(1, 0)],
                &[0, 1, 0],
            ),
            (
                "a later one does not climb over a better and earlier one",
                &[9, 2, 3],
                &[(1, 0)],
                &[0, 1, 1],
            ),
            (
                "nor an earlier one over somebody who beats it",
                &[9, 5, 3],
                &[(1, 0), (2, 1)],
                &[0, 1, 2],
            ),
            (
                "who may not pass one stays out and is passed in turn",
                &[9, 2, 3, 1],
                &[(1, 0)],
                &[0, 1, 1, 0],
            ),
        ];
        for (what, times, differ, expected) in cases {
            assert_eq!(groups(times, differ), *expected, "{what}");
        }
    }

    #[test]
    fn the_best_of_a_group_is_compared_with_the_best_of_the_one_above() {
        let mut made = Made {
            differ: vec![(1, 0), (3, 1)],
            times: vec![8, 9, 1, 10],
            asked: 0,
        };
        let placed = place(4, &mut made);
        let bests: Vec<_> = placed.iter().map(|placed| placed.best).collect();
        assert_eq!(
            bests,
            [Best::Nobody, Best::Above(0), Best::Own(0), Best::Above(1)],
            "{placed:?}"
        );
    }

    #[test]
    fn questions_are_bounded() {
        /// Nobody ties with anybody.
        struct Nobody(usize);
        impl Contest for Nobody {
            type Since = u32;
            fn tied(&mut self, _: usize, _: usize) -> bool {
                self.0 += 1;
                false
            }
            fn since(&mut self, entrant: usize, _: usize) -> u32 {
                u32::try_from(entrant).unwrap()
            }
            fn earlier(&self, a: &u32, b: &u32) -> bool {
                a < b
            }
        }
        let (count, mut nobody) = (1_000, Nobody(0));
        let placed = place(count, &mut nobody);
        assert_eq!(placed.len(), count);
        assert!(placed.iter().enumerate().all(|(of, placed)| placed.group == of));
        assert!(nobody.0 <= count * (MOST_PASSED + 1), "{}", nobody.0);
    }

    proptest! {
        #[test]
        fn nobody_is_passed_by_one_who_may_not(
            count in 0_usize..30,
            seed in prop::collection::vec(any::<(u8, u8, u8)>(), 30),
            often in 1_u8..=255,
        ) {
            let times: Vec<u32> = seed.iter().take(count).map(|&(time, ..)| u32::from(time)).collect();
            let differ: Vec<_> = (0..count)
                .flat_map(|below| (0..below).map(move |above| (below, above)))
                .filter(|&(below, above)| seed[below].1.wrapping_mul(31).wrapping_add(seed[above].2) < often)
                .collect();
            let mut made = Made { differ: differ.clone(), times: times.clone(), asked: 0 };
            let placed = place(count, &mut made);
            prop_assert_eq!(placed.len(), count);
            prop_assert!(made.asked <= count * (MOST_PASSED + 1) + count * MOST_PASSED * MOST_PASSED);
            let mut groups = 0;
            for (below, it) in placed.iter().enumerate() {
                match it.best {
                    Best::Nobody => prop_assert_eq!((below, it.group), (0, 0)),
                    // The best of a group is the first of it, and differs from the best of the one above.
                    Best::Above(best) => {
                        prop_assert_eq!(it.group, groups);
                        prop_assert_eq!(placed[best].group + 1, it.group);
                        prop_assert!(differ.contains(&(below, best)));
                    }
                    Best::Own(best) => {
                        prop_assert_eq!(placed[best].group, it.group);
                        prop_assert!(!differ.contains(&(below, best)));
                    }
                }
                groups = groups.max(it.group + 1);
                // Ranked better and in a later group: it is passed over.
                for (above, other) in placed[..below].iter().enumerate() {
                    if other.group > it.group {
                        prop_assert!(times[below] < times[above]);
                        prop_assert!(!differ.contains(&(below, above)));
                    }
                }
            }
        }
    }
}
