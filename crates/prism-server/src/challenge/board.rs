//! The board: ranked rows, their JSON made once, and where each submission stands in it.

use std::collections::HashMap;

use prism_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::prepared::Prepared;

/// Which round something is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RoundName {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A submission that takes a rank: the best of its hotkey.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BoardRow {
    /// From 1, without gaps.
    pub rank: u32,
    /// From 1; whoever is in one group with another is not significantly different from the group's best.
    pub tie_group: u32,
    /// Whose it is.
    pub hotkey: String,
    /// Its id.
    pub submission_id: String,
    /// The score that the ranks follow.
    pub score: f64,
    /// Bits per byte.
    pub bpb: Option<f64>,
    /// Standard error of that.
    pub bpb_se: Option<f64>,
    /// It would be first and is measured once more; it takes no weight yet.
    pub provisional: bool,
    /// Its weight, from 0 to 1.
    pub weight: f64,
    /// What is remarkable about it.
    pub flags: Vec<String>,
    /// When it was accepted.
    pub created_at: String,
}

/// What is shown of a board.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct BoardView {
    /// The round; null while there has been none.
    pub round: Option<RoundName>,
    /// Spread of bits per byte of one bundle under fresh seeds; null until it is measured.
    pub noise_bpb: Option<f64>,
    /// When a rank last changed.
    pub changed_at: String,
    /// All rows, the first rank first.
    pub entries: Vec<BoardRow>,
}

impl BoardView {
    /// A board on which nobody stands.
    pub fn empty(changed_at: Timestamp) -> Self {
        Self {
            round: None,
            noise_bpb: None,
            changed_at: changed_at.to_string(),
            entries: Vec::new(),
        }
    }
}

/// Rows that are no board.
#[derive(Debug, thiserror::Error)]
pub enum NotABoard {
    /// Ranks have a gap, or are out of order.
    #[error("rank {0} of the board is out of order")]
    Order(u32),
    /// A number has no JSON form.
    #[error("a score of the board is not finite")]
    NotFinite,
    /// It cannot be written as JSON.
    #[error("the board cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// A board, ready to be shown.
#[derive(Debug)]
pub struct Board {
    view: BoardView,
    prepared: Prepared,
    by_submission: HashMap<String, usize>,
}

impl Board {
    /// Checks the rows and makes the answer of them.
    pub fn new(view: BoardView) -> Result<Self, NotABoard> {
        for (row, expected) in view.entries.iter().zip(1_u32..) {
            if row.rank != expected {
                return Err(NotABoard::Order(row.rank));
            }
            let numbers = [Some(row.score), row.bpb, row.bpb_se, Some(row.weight)];
            if numbers.into_iter().flatten().any(|number| !number.is_finite()) {
                return Err(NotABoard::NotFinite);
            }
        }
        let by_submission = view
            .entries
            .iter()
            .enumerate()
            .map(|(at, row)| (row.submission_id.clone(), at))
            .collect();
        Ok(Self {
            prepared: Prepared::json(&view)?,
            by_submission,
            view,
        })
    }

    /// What is shown.
    pub fn view(&self) -> &BoardView {
        &self.view
    }

    /// The row of a submission, if it takes a rank.
    pub fn row(&self, submission_id: &str) -> Option<&BoardRow> {
        self.by_submission
            .get(submission_id)
            .and_then(|&at| self.view.entries.get(at))
    }

    /// The JSON text.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(rank: u32) -> BoardRow {
        BoardRow {
            rank,
            tie_group: 1,
            hotkey: format!("hk{rank}"),
            submission_id: format!("id{rank}"),
            score: 0.5,
            bpb: Some(1.0),
            bpb_se: None,
            provisional: false,
            weight: 0.0,
            flags: Vec::new(),
            created_at: Timestamp(0).to_string(),
        }
    }

    #[test]
    fn rows_are_found_and_nonsense_is_no_board() {
        let mut view = BoardView::empty(Timestamp(0));
        view.entries = vec![row(1), row(2)];
        let board = Board::new(view.clone()).unwrap();
        assert_eq!(board.row("id2").map(|row| row.rank), Some(2));
        assert_eq!(board.row("id3"), None);
        view.entries[1].rank = 3;
        assert!(matches!(Board::new(view.clone()), Err(NotABoard::Order(3))));
        view.entries[1] = row(2);
        view.entries[0].bpb = Some(f64::NAN);
        assert!(matches!(Board::new(view), Err(NotABoard::NotFinite)));
    }
}
