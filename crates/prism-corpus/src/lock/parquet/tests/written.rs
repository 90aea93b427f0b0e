//! Files that the Parquet library itself writes: every codec, encoding and page version, long and odd texts.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::*;

/// Writes texts as one column, in row groups of so many rows.
fn write(path: &Path, texts: &[Option<String>], group_rows: usize, properties: WriterPropertiesBuilder) {
    let schema = parse_message_type("message m { optional binary text (STRING); }").unwrap();
    let properties = Arc::new(properties.build());
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), properties).unwrap();
    for rows in texts.chunks(group_rows) {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = rows.iter().flatten().map(|text| text.as_str().into()).collect();
        let levels: Vec<i16> = rows.iter().map(|text| i16::from(text.is_some())).collect();
        column
            .typed::<ByteArrayType>()
            .write_batch(&values, Some(&levels), None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn odd_texts() -> Vec<Option<String>> {
    let mut texts: Vec<_> = texts().into_iter().map(Some).collect();
    texts.extend([None, Some("\0\u{feff}\r\n\u{1f600}".to_owned()), None]);
    texts.push(Some("caf\u{e9} ".repeat(900_000)));
    texts.extend((0..40).map(|i| Some(format!("a long common prefix of many texts, number {i}"))));
    texts
}

fn read_back(path: &Path) -> Vec<Option<String>> {
    let skipping = Wanted {
        skip_empty: true,
        ..TEXT_ALONE
    };
    let found = records(path, &skipping).unwrap();
    found
        .into_iter()
        .map(|(kept, _)| match kept {
            Kept::Is(text) => Some(text),
            Kept::Null => None,
            Kept::NotUtf8 => panic!("no text"),
        })
        .collect()
}

#[test]
fn every_codec_encoding_and_page_version_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let texts = odd_texts();
    let codecs = [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(parquet::basic::ZstdLevel::default()),
        Compression::GZIP(parquet::basic::GzipLevel::default()),
        Compression::BROTLI(parquet::basic::BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ];
    let encodings = [
        None,
        Some(Encoding::PLAIN),
        Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        Some(Encoding::DELTA_BYTE_ARRAY),
    ];
    for codec in codecs {
        for encoding in encodings {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                let mut properties = WriterProperties::builder()
                    .set_compression(codec)
                    .set_writer_version(version)
                    .set_data_page_row_count_limit(37)
                    .set_write_batch_size(10);
                if let Some(encoding) = encoding {
                    properties = properties.set_dictionary_enabled(false).set_encoding(encoding);
                }
                write(&path, &texts, 70, properties);
                assert_eq!(read_back(&path), texts, "{codec:?} {encoding:?} {version:?}");
            }
        }
    }
}

/// What is packed beyond the bound of a page is told, for each codec that could be made to.
#[test]
fn a_page_that_unpacks_beyond_its_bound_is_refused() {
    let text = vec![Some("\0".repeat(RECORD_BYTES_MAX)); 5];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.parquet");
    for codec in [
        Compression::GZIP(parquet::basic::GzipLevel::default()),
        Compression::BROTLI(parquet::basic::BrotliLevel::default()),
        Compression::ZSTD(parquet::basic::ZstdLevel::default()),
        Compression::SNAPPY,
        Compression::LZ4_RAW,
    ] {
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_dictionary_enabled(false)
            .set_write_batch_size(100)
            .set_data_page_size_limit(usize::MAX >> 1);
        write(&path, &text, 5, properties);
        match records(&path, &TEXT_ALONE) {
            Err(LockError::Parquet {
                row_group: Some(0),
                problem,
                ..
            }) => assert_eq!(*problem, Problem::PageTooLong, "{codec:?}"),
            other => panic!("{codec:?} {:?}", other.map(|records| records.len())),
        }
    }
}

/// The row group of damage is named.
#[test]
fn damage_names_its_row_group() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.parquet");
    let texts: Vec<_> = (0..90)
        .map(|i| Some(format!("Text {i} {}", "x".repeat(300))))
        .collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(parquet::basic::GzipLevel::default()))
        .set_dictionary_enabled(false);
    write(&path, &texts, 30, properties);
    let mut bytes = fs::read(&path).unwrap();
    let metadata =
        ParquetMetaDataReader::decode_metadata(&bytes[footer_start(&bytes)..bytes.len() - 8]).unwrap();
    let (start, length) = metadata.row_group(1).column(0).byte_range();
    let end = usize::try_from(start + length).unwrap();
    bytes[end - 40..end].fill(0x55);
    fs::write(&path, &bytes).unwrap();
    let error = records(&path, &TEXT_ALONE).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("x.parquet, row group 1: it is damaged: "),
        "{message}"
    );
}

fn footer_start(bytes: &[u8]) -> usize {
    let end = bytes.len() - 8;
    let length = u32::from_le_bytes(*bytes[end..].first_chunk().unwrap());
    end - length as usize
}
