//! Archives with any lie in them.
//!
//! A [`Zip`] starts honest; a test changes the fields that it wants to lie in and calls [`Zip::build`], which writes
//! what it is told without a thought. Offsets and sizes are computed unless a test overrides them.

use miniz_oxide::deflate::compress_to_vec;

pub(crate) const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;
pub(crate) const FLAG_DESCRIPTOR: u16 = 1 << 3;

/// One header's idea of an entry.
#[derive(Clone)]
pub(crate) struct Header {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed_bytes: u32,
    pub(crate) bytes: u32,
    pub(crate) extra: Vec<u8>,
}

/// An entry: two headers, the data, and what follows it.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) local: Header,
    pub(crate) central: Header,
    pub(crate) data: Vec<u8>,
    /// Bytes between the data and the next entry, a descriptor for instance.
    pub(crate) behind: Vec<u8>,
    pub(crate) disk: u16,
    pub(crate) comment: Vec<u8>,
    pub(crate) external_attributes: u32,
    /// Where the directory says that the local header is, if not where it is.
    pub(crate) local_offset: Option<u32>,
    /// Whether the local header and the data are written at all.
    pub(crate) written: bool,
    /// Whether the directory lists it.
    pub(crate) listed: bool,
}

impl Entry {
    /// Changes both headers alike.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(crate) fn mode(mut self, mode: u32) -> Self {
        self.external_attributes = mode << 16;
        self
    }

    /// The sizes go behind the data, as archivers that write to a pipe do it.
    pub(crate) fn streamed(self, signature: bool) -> Self {
        let mut entry = self.both(|header| header.flags |= FLAG_DESCRIPTOR);
        let Header {
            crc,
            compressed_bytes,
            bytes,
            ..
        } = entry.central;
        let start = if signature { vec![0x0807_4b50] } else { vec![] };
        entry.behind = [start, vec![crc, compressed_bytes, bytes]]
            .concat()
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        (entry.local.crc, entry.local.compressed_bytes, entry.local.bytes) = (0, 0, 0);
        entry
    }
}

/// An honest entry.
pub(crate) fn entry(name: impl AsRef<[u8]>, content: &[u8], method: u16) -> Entry {
    let data = if method == DEFLATED {
        compress_to_vec(content, 9)
    } else {
        content.to_vec()
    };
    let header = Header {
        name: name.as_ref().to_vec(),
        flags: 0,
        method,
        crc: crc32fast::hash(content),
        compressed_bytes: data.len() as u32,
        bytes: content.len() as u32,
        extra: Vec::new(),
    };
    Entry {
        local: header.clone(),
        central: header,
        data,
        behind: Vec::new(),
        disk: 0,
        comment: Vec::new(),
        external_attributes: 0o100_644 << 16,
        local_offset: None,
        written: true,
        listed: true,
    }
}

/// A whole archive.
#[derive(Clone, Default)]
pub(crate) struct Zip {
    pub(crate) entries: Vec<Entry>,
    /// Written before everything else; offsets do not count it.
    pub(crate) prefix: Vec<u8>,
    /// Written between the last entry and the directory; offsets count it.
    pub(crate) before_directory: Vec<u8>,
    /// Written between the directory and the end record.
    pub(crate) before_end: Vec<u8>,
    pub(crate) comment: Vec<u8>,
    pub(crate) suffix: Vec<u8>,
    pub(crate) disk: u16,
    pub(crate) claimed_entries: Option<u16>,
    pub(crate) directory_offset: Option<u32>,
    pub(crate) directory_bytes: Option<u32>,
}

impl Zip {
    /// The smallest honest bundle, and more entries behind it.
    pub(crate) fn with(more: impl IntoIterator<Item = Entry>) -> Self {
        let scripts = [
            entry("architecture.py", super::ARCHITECTURE.as_bytes(), DEFLATED),
            entry("training.py", super::TRAINING.as_bytes(), STORED),
        ];
        Self {
            entries: scripts.into_iter().chain(more).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let mut directory = Vec::new();
        for entry in &self.entries {
            let offset = entry.local_offset.unwrap_or(body.len() as u32);
            if entry.written {
                body.extend(0x0403_4b50_u32.to_le_bytes());
                body.extend(20_u16.to_le_bytes());
                push_header(&mut body, &entry.local);
                body.extend(&entry.local.name);
                body.extend(&entry.local.extra);
                body.extend(&entry.data);
                body.extend(&entry.behind);
            }
            if !entry.listed {
                continue;
            }
            directory.extend(0x0201_4b50_u32.to_le_bytes());
            directory.extend([20, 3, 20, 0]);
            push_header(&mut directory, &entry.central);
            directory.extend((entry.comment.len() as u16).to_le_bytes());
            directory.extend(entry.disk.to_le_bytes());
            directory.extend(0_u16.to_le_bytes());
            directory.extend(entry.external_attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&entry.central.name);
            directory.extend(&entry.central.extra);
            directory.extend(&entry.comment);
        }
        body.extend(&self.before_directory);
        let offset = self.directory_offset.unwrap_or(body.len() as u32);
        let bytes = self.directory_bytes.unwrap_or(directory.len() as u32);
        let claimed = self
            .claimed_entries
            .unwrap_or(self.entries.iter().filter(|entry| entry.listed).count() as u16);
        let mut archive = [&self.prefix[..], &body, &directory, &self.before_end].concat();
        archive.extend(0x0605_4b50_u32.to_le_bytes());
        for field in [self.disk, self.disk, claimed, claimed] {
            archive.extend(field.to_le_bytes());
        }
        archive.extend(bytes.to_le_bytes());
        archive.extend(offset.to_le_bytes());
        archive.extend((self.comment.len() as u16).to_le_bytes());
        archive.extend(&self.comment);
        archive.extend(&self.suffix);
        archive
    }
}

/// The fields that both headers share, from the flags to the length of the extra field.
fn push_header(to: &mut Vec<u8>, header: &Header) {
    for field in [header.flags, header.method, 0, 33] {
        to.extend(field.to_le_bytes());
    }
    for field in [header.crc, header.compressed_bytes, header.bytes] {
        to.extend(field.to_le_bytes());
    }
    to.extend((header.name.len() as u16).to_le_bytes());
    to.extend((header.extra.len() as u16).to_le_bytes());
}

/// An extra field of one record.
pub(crate) fn extra(id: u16, content: &[u8]) -> Vec<u8> {
    [
        &id.to_le_bytes()[..],
        &(content.len() as u16).to_le_bytes(),
        content,
    ]
    .concat()
}
