//! The byte strings of a vocabulary, and the check that tokens stand for exactly the bytes of a document.
//!
//! Every tokenizer but the byte one ends here. A token without bytes never passes.

use super::Encoded;

/// The bytes of each token by id. An id that no token has, and a special token, has none.
#[derive(Debug)]
pub(super) struct TokenTable {
    bytes: Vec<u8>,
    starts: Vec<u32>,
    /// The tokens of the 256 single bytes, if all of them exist.
    single: Option<Box<[u32; 256]>>,
}

impl TokenTable {
    /// The table of these byte strings, in the order of their ids.
    pub(super) fn new<'a>(tokens: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let (mut bytes, mut starts, mut single) = (Vec::new(), vec![0], [None; 256]);
        for (id, token) in (0u32..).zip(tokens) {
            bytes.extend_from_slice(token);
            // At most `VOCABULARY_MAX` tokens of at most `TOKEN_BYTES_MAX` bytes: far below 4 GiB.
            starts.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
            if let [byte] = token {
                single[usize::from(*byte)].get_or_insert(id);
            }
        }
        let mut all = Box::new([0; 256]);
        let has_all = all
            .iter_mut()
            .zip(single)
            .all(|(id, found)| found.map(|found| *id = found).is_some());
        Self {
            bytes,
            starts,
            single: has_all.then_some(all),
        }
    }

    /// The bytes of a token; none for an id that no token has.
    pub(super) fn token(&self, id: u32) -> &[u8] {
        let id = id as usize;
        match (self.starts.get(id), self.starts.get(id + 1)) {
            (Some(start), Some(end)) => &self.bytes[*start as usize..*end as usize],
            _ => &[],
        }
    }

    /// Fills in the lengths of the tokens; `false` if they do not stand for exactly these bytes.
    pub(super) fn account(&self, document: &[u8], out: &mut Encoded) -> bool {
        let mut rest = document;
        for id in &out.ids {
            let token = self.token(*id);
            let Some(after) = rest.strip_prefix(token).filter(|_| !token.is_empty()) else {
                return false;
            };
            let Ok(length) = u16::try_from(token.len()) else {
                return false;
            };
            out.byte_lengths.push(length);
            rest = after;
        }
        rest.is_empty()
    }

    /// Encodes by single bytes; `false` if the vocabulary lacks one of the 256.
    pub(super) fn encode_bytes(&self, document: &[u8], out: &mut Encoded) -> bool {
        let Some(single) = &self.single else { return false };
        out.clear();
        out.ids
            .extend(document.iter().map(|byte| single[usize::from(*byte)]));
        out.byte_lengths.resize(out.ids.len(), 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(ids: &[u32]) -> Encoded {
        Encoded {
            ids: ids.to_vec(),
            byte_lengths: Vec::new(),
        }
    }

    #[test]
    fn only_the_very_bytes_pass() {
        let table = TokenTable::new([b"ab".as_slice(), b"", b"c", b"\xe2\x82"]);
        let mut good = encoded(&[0, 2, 0]);
        assert!(table.account(b"abcab", &mut good));
        assert_eq!(good.byte_lengths, [2, 1, 2]);
        for (document, ids) in [
            ("abc", &[0][..]),
            ("ab", &[0, 2]),
            ("ab", &[0, 1]),
            ("ab", &[1, 0]),
            ("cab", &[0, 2]),
            ("ab", &[9]),
            ("ab", &[u32::MAX]),
            ("\u{20ac}", &[3]),
            ("a", &[]),
        ] {
            assert!(
                !table.account(document.as_bytes(), &mut encoded(ids)),
                "{document} {ids:?}"
            );
        }
        assert!(table.account(b"", &mut encoded(&[])));
    }

    #[test]
    fn bytes_need_all_256_tokens() {
        let all: Vec<[u8; 1]> = (0..=255).rev().map(|byte| [byte]).collect();
        let table = TokenTable::new(all.iter().map(<[u8; 1]>::as_slice));
        let mut out = encoded(&[7, 7]);
        assert!(table.encode_bytes("\u{e9}".as_bytes(), &mut out));
        assert_eq!(
            (out.ids, out.byte_lengths),
            (vec![255 - 0xc3, 255 - 0xa9], vec![1, 1])
        );
        let lacking = TokenTable::new(all[1..].iter().map(<[u8; 1]>::as_slice));
        assert!(!lacking.encode_bytes(b"a", &mut encoded(&[])));
    }
}
