//! Columns of a row group, read some rows at a time by the Parquet library.
//!
//! [`super`] is the caller. Whatever the library does on a damaged file, a panic included, comes back as an error.

use std::panic::{self, AssertUnwindSafe};

use parquet::basic::{ConvertedType, Encoding, LogicalType, Type};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::Result;
use parquet::file::metadata::RowGroupMetaData;
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::pages::{Gate, Pages};
use super::problem::{Problem, Stop, listed, short};
use super::source::Source;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 256;

/// Runs the library, and makes an error of a panic in it.
///
/// The library is written for files of its own kind, and checks some claims of others by indexing alone. A panic there is
/// no fault of this program but damage of the file. What the closure has touched is dropped by the caller, who ends the
/// file; nothing of it is looked at again.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T, Stop> {
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(Stop::of_library),
        Err(payload) => {
            let text = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned());
            let text = text.unwrap_or_else(|| "no reason given".to_owned());
            Err(Problem::Panicked(short(&text)).into())
        }
    }
}

/// The place of a column among all of them. Parts of groups are named with dots; what repeats in a row is no column of text
/// or numbers.
pub(super) fn find(schema: &SchemaDescriptor, name: &str) -> Option<usize> {
    schema
        .columns()
        .iter()
        .position(|column| column.path().string() == name)
}

/// All columns in words.
pub(super) fn all(schema: &SchemaDescriptor) -> String {
    let names: Vec<_> = schema
        .columns()
        .iter()
        .map(|column| column.path().string())
        .collect();
    listed(&names)
}

/// What a column holds, in words.
fn kind(column: &ColumnDescriptor) -> String {
    if column.max_rep_level() > 0 {
        return "lists".to_owned();
    }
    match (column.physical_type(), column.logical_type_ref()) {
        (Type::BYTE_ARRAY, Some(logical)) => format!("{logical:?}"),
        (Type::BYTE_ARRAY, None) => "bytes".to_owned(),
        (physical, _) => physical.to_string(),
    }
}

/// Whether a column holds strings. Bytes without a type count: some writers leave it out.
pub(super) fn check_text(schema: &SchemaDescriptor, place: usize) -> Result<(), Problem> {
    let column = schema.column(place);
    let is_string = matches!(
        (column.logical_type_ref(), column.converted_type()),
        (Some(LogicalType::String), _) | (None, ConvertedType::UTF8 | ConvertedType::NONE)
    );
    if column.max_rep_level() == 0 && column.physical_type() == Type::BYTE_ARRAY && is_string {
        return Ok(());
    }
    Err(Problem::WrongType {
        column: short(&column.path().string()),
        found: kind(&column),
        wanted: "strings",
        there: all(schema),
    })
}

/// Whether a column holds numbers.
pub(super) fn check_number(schema: &SchemaDescriptor, place: usize) -> Result<(), Problem> {
    let column = schema.column(place);
    let is_number = matches!(
        column.physical_type(),
        Type::DOUBLE | Type::FLOAT | Type::INT32 | Type::INT64
    );
    if column.max_rep_level() == 0 && is_number {
        return Ok(());
    }
    Err(Problem::WrongType {
        column: short(&column.path().string()),
        found: kind(&column),
        wanted: "numbers",
        there: all(schema),
    })
}

/// A column in one row group.
struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    gate: Gate,
    /// The level of a value that is there.
    level: i16,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Column<T> {
    fn open(source: &Source, group: &RowGroupMetaData, place: usize) -> Result<Self> {
        let column = group.column(place);
        let gate = Gate::default();
        let pages = Pages::new(source, column, gate.clone())?;
        let descr = column.column_descr_ptr();
        Ok(Self {
            level: descr.max_def_level(),
            reader: ColumnReaderImpl::new(descr, Box::new(pages)),
            gate,
            levels: Vec::new(),
            values: Vec::new(),
        })
    }

    /// Appends rows of one page, at most so many; none at the end of the row group.
    fn read(&mut self, rows_max: usize) -> Result<usize> {
        self.gate.open();
        let Self {
            reader,
            levels,
            values,
            ..
        } = self;
        let levels = (self.level > 0).then_some(levels);
        let (rows, _, _) = reader.read_records(rows_max, levels, None, values)?;
        Ok(rows)
    }

    fn clear(&mut self) {
        self.levels.clear();
        self.values.clear();
    }

    /// For each row its value, where it has one.
    fn rows(&self, rows: usize) -> impl Iterator<Item = Option<&T::T>> {
        let mut values = self.values.iter();
        (0..rows).map(move |row| match self.levels.get(row) {
            Some(level) if *level != self.level => None,
            _ => values.next(),
        })
    }
}

/// The column of the text.
pub(super) struct TextColumn {
    column: Column<ByteArrayType>,
    batch_rows: usize,
}

impl TextColumn {
    pub(super) fn open(source: &Source, group: &RowGroupMetaData, place: usize) -> Result<Self> {
        // A value of this encoding is made of the one before and bytes of its own: many together could be far longer than
        // their page. All others lie in it.
        let is_joined = group
            .column(place)
            .encodings()
            .any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY);
        Ok(Self {
            column: Column::open(source, group, place)?,
            batch_rows: if is_joined { 1 } else { BATCH_ROWS },
        })
    }

    /// Reads the next rows; none at the end of the row group.
    pub(super) fn read(&mut self) -> Result<usize> {
        self.column.clear();
        self.column.read(self.batch_rows)
    }

    pub(super) fn rows(&self, rows: usize) -> impl Iterator<Item = Option<&[u8]>> {
        self.column.rows(rows).map(|value| value.map(ByteArray::data))
    }
}

/// A column of numbers.
pub(super) enum NumberColumn {
    Double(Numbers<DoubleType>),
    Float(Numbers<FloatType>),
    Int32(Numbers<Int32Type>),
    Int64(Numbers<Int64Type>),
}

pub(super) struct Numbers<T: DataType>(Column<T>);

impl NumberColumn {
    pub(super) fn open(source: &Source, group: &RowGroupMetaData, place: usize) -> Result<Self> {
        Ok(match group.column(place).column_type() {
            Type::DOUBLE => Self::Double(Numbers(Column::open(source, group, place)?)),
            Type::FLOAT => Self::Float(Numbers(Column::open(source, group, place)?)),
            Type::INT32 => Self::Int32(Numbers(Column::open(source, group, place)?)),
            // `check_number` has let nothing else through.
            _ => Self::Int64(Numbers(Column::open(source, group, place)?)),
        })
    }

    /// The numbers of the next rows, exactly so many.
    pub(super) fn read(&mut self, rows: usize) -> Result<Vec<Option<f64>>> {
        match self {
            Self::Double(column) => column.read(rows, |value| *value),
            Self::Float(column) => column.read(rows, |value| f64::from(*value)),
            Self::Int32(column) => column.read(rows, |value| f64::from(*value)),
            // Scores are small.
            Self::Int64(column) => column.read(rows, |value| *value as f64),
        }
    }
}

impl<T: DataType> Numbers<T> {
    fn read(&mut self, rows: usize, as_number: fn(&T::T) -> f64) -> Result<Vec<Option<f64>>> {
        let column = &mut self.0;
        column.clear();
        let mut read = 0;
        while read < rows {
            let more = column.read(rows - read)?;
            if more == 0 {
                return Err(Problem::damaged("its columns have different numbers of rows").wrapped());
            }
            read += more;
        }
        Ok(column.rows(rows).map(|value| value.map(as_number)).collect())
    }
}
