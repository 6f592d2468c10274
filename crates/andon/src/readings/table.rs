//! A CSV file, row by row. A row that is no reading is told with its reason; a file that is no table is refused.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};

use super::Record;
use super::columns::{Cells, Layout, number, pointer, tokens};
use crate::failure::Failure;
use crate::input::{Input, Reader, unreadable};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines that a row may go over within quotes; a quote that nobody closes would take in the rest of the file.
const MOST_LINES_OF_A_ROW: u64 = 1_000;
/// A row over more lines than this is worth a word: it may be two rows that each forgot to close a quote.
const USUAL_LINES_OF_A_ROW: u64 = 20;

/// A row that has not as many cells as the header, with its line.
const RAGGED: &str = "ragged-row";
const NOT_UTF8: &str = "not-utf-8";

/// The rows of an open file.
pub struct Table {
    name: String,
    reader: csv::Reader<LineByLine>,
    /// Lines that have been read so far.
    lines: Rc<Cell<u64>>,
    so_far: Rc<Cell<RowSoFar>>,
    headers: Vec<String>,
    layout: Layout,
    row: ByteRecord,
    notes: Vec<String>,
    /// The first ragged row: its line and its cells.
    ragged: Option<(u64, usize)>,
    /// The first cell with a decimal comma where a number is wanted.
    comma: Option<(u64, String)>,
    /// The first row over many lines: the first and the last of them.
    long: Option<(u64, u64)>,
}

impl Table {
    /// Reads the header row.
    pub(super) fn open(
        input: &Input,
        separator: Option<u8>,
        cells: &Cells,
    ) -> Result<Self, Failure> {
        let name = input.name();
        let failed = |error| unreadable(Path::new(&name), error);
        let mut source = input.reader()?;
        let beginning = source.fill_buf().map_err(failed)?;
        let mark = if beginning.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        let separator = separator.unwrap_or_else(|| likely_separator(&beginning[mark..]));
        source.consume(mark);
        let lines = Rc::new(Cell::new(0));
        let row = Rc::new(Cell::new(RowSoFar::default()));
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .from_reader(LineByLine {
                source,
                lines: Rc::clone(&lines),
                is_within: false,
                row: Rc::clone(&row),
            });
        let bad = |message: String| Failure::input(format_args!("{name}: {message}"));
        let headers = headers(&mut reader).map_err(bad)?;
        let layout = Layout::new(&headers, cells).map_err(bad)?;
        let mut notes = Vec::new();
        if let Cells::Read(columns) = cells {
            for column in columns {
                let wanted = tokens(&column.pointer);
                if headers.iter().any(|header| tokens(header) == wanted) {
                    continue;
                }
                let message = format!(
                    "no column for {} at `{}`{}",
                    column.what,
                    column.pointer,
                    nearest(&column.pointer, &headers)
                );
                if column.is_vital {
                    return Err(bad(message)
                        .cure("name the plan's pointers after the columns, or the columns after the pointers"));
                }
                notes.push(format!("{name}: {message}"));
            }
        }
        Ok(Self {
            name,
            reader,
            lines,
            so_far: row,
            headers,
            layout,
            row: ByteRecord::new(),
            notes,
            ragged: None,
            comma: None,
            long: None,
        })
    }

    /// The pointers of the columns, in the order of the header row.
    pub(super) fn pointers(&self) -> Vec<String> {
        self.headers
            .iter()
            .filter(|header| !header.is_empty())
            .map(|header| pointer(&tokens(header)))
            .collect()
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.clone();
        if let Some((line, cells)) = self.ragged {
            notes.push(format!(
                "{}: line {line} has {cells} cells, the header row {}; such rows are skipped",
                self.name,
                self.headers.len()
            ));
        }
        if let Some((line, cell)) = &self.comma {
            notes.push(format!(
                "{}: line {line}: `{cell}` is text: numbers are written with a decimal point",
                self.name
            ));
        }
        if let Some((first, last)) = self.long {
            notes.push(format!(
                "{}: the row of line {first} goes on to line {last} within quotes: if that is not meant, a quote in line \
                 {first} is not closed",
                self.name
            ));
        }
        notes
    }

    /// A row that the end of the file has cut off within quotes, or one over so many lines that somebody should look.
    fn look_at_length(&mut self) -> Result<(), Failure> {
        let row = self.so_far.get();
        // What a quote took in lies in the last cell, with the ends of its lines.
        let last = self.row.iter().next_back().unwrap_or_default();
        if row.lines > 1 && row.is_cut && row.quotes % 2 == 1 && last.contains(&b'\n') {
            return Err(self.unclosed(row.first, ""));
        }
        if row.lines > USUAL_LINES_OF_A_ROW && self.long.is_none() {
            self.long = Some((row.first, self.lines.get()));
        }
        Ok(())
    }

    fn unclosed(&self, line: u64, within: &str) -> Failure {
        Failure::input(format_args!(
            "{}: a quote in line {line} is not closed{within}",
            self.name
        ))
        .cure("close it, or write a quote within a quoted cell twice")
    }

    /// The line in which the row begins: a row ends with the line that was read last.
    fn line(&self) -> u64 {
        let breaks = self.row.as_slice().iter().filter(|byte| **byte == b'\n');
        self.lines.get() - breaks.count() as u64
    }

    fn payload(&mut self, line: u64) -> Result<Vec<u8>, &'static str> {
        if self.row.len() != self.headers.len() {
            self.ragged.get_or_insert((line, self.row.len()));
            return Err(RAGGED);
        }
        let cells: Vec<&str> = self
            .row
            .iter()
            .map(std::str::from_utf8)
            .collect::<Result<_, _>>()
            .map_err(|_| NOT_UTF8)?;
        if self.comma.is_none()
            && let Some(cell) = cells.iter().find(|cell| has_decimal_comma(cell))
        {
            self.comma = Some((line, (*cell).to_owned()));
        }
        Ok(self.layout.payload(cells.into_iter()))
    }
}

impl Iterator for Table {
    type Item = Result<Record, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.reader.position().byte();
        self.so_far.set(RowSoFar::default());
        match self.reader.read_byte_record(&mut self.row) {
            Ok(false) => None,
            Ok(true) => {
                let number = self.line();
                if let Err(failure) = self.look_at_length() {
                    return Some(Err(failure));
                }
                Some(Ok(Record {
                    number,
                    payload: self.payload(number),
                    read: self.reader.position().byte() - before,
                }))
            }
            Err(_) if self.so_far.get().lines > MOST_LINES_OF_A_ROW => {
                let within = format!(" within {MOST_LINES_OF_A_ROW} lines");
                Some(Err(self.unclosed(self.so_far.get().first, &within)))
            }
            Err(error) => Some(Err(Failure::input(format_args!(
                "cannot read {}",
                self.name
            ))
            .caused_by(error))),
        }
    }
}

/// Hands out no more than a line at a time, and counts the lines: the parser reads nothing beyond the row that it
/// returns, so that the count is the row's.
struct LineByLine {
    source: Reader,
    lines: Rc<Cell<u64>>,
    /// Whether the last line has not been handed out to its end.
    is_within: bool,
    row: Rc<Cell<RowSoFar>>,
}

/// What has been handed out of a row.
#[derive(Clone, Copy, Debug, Default)]
struct RowSoFar {
    /// Where it begins.
    first: u64,
    lines: u64,
    quotes: u64,
    /// Whether the file ended.
    is_cut: bool,
}

impl Read for LineByLine {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.source.fill_buf()?;
        let room = available.len().min(out.len());
        let end = available[..room].iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(room, |end| end + 1);
        out[..taken].copy_from_slice(&available[..taken]);
        self.source.consume(taken);
        let mut row = self.row.get();
        if taken > 0 {
            if !self.is_within {
                self.lines.set(self.lines.get() + 1);
                // Without a quote no line goes on: what came before was blank.
                if row.quotes == 0 {
                    (row.first, row.lines) = (self.lines.get(), 0);
                }
                row.lines += 1;
            }
            self.is_within = end.is_none();
            let quotes = out[..taken].iter().filter(|byte| **byte == b'"');
            row.quotes += quotes.count() as u64;
        }
        row.is_cut = taken == 0;
        self.row.set(row);
        if row.lines > MOST_LINES_OF_A_ROW {
            return Err(io::Error::other("a row over too many lines"));
        }
        Ok(taken)
    }
}

fn headers(reader: &mut csv::Reader<LineByLine>) -> Result<Vec<String>, String> {
    let row = reader
        .byte_headers()
        .map_err(|error| format!("cannot read the header row: {error}"))?;
    if row.is_empty() {
        return Err("no header row: the file is empty".to_owned());
    }
    let headers: Vec<String> = row
        .iter()
        .map(|cell| std::str::from_utf8(cell).map(|cell| cell.trim().to_owned()))
        .collect::<Result<_, _>>()
        .map_err(|_| "the header row is not UTF-8: save the file as UTF-8".to_owned())?;
    match headers.iter().find(|header| number(header).is_some()) {
        Some(cell) => Err(format!(
            "no header row: line 1 has the number {cell}; name the columns in the first line"
        )),
        None => Ok(headers),
    }
}

/// The separator that the first line has most of, outside quotes.
fn likely_separator(beginning: &[u8]) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in beginning {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = SEPARATORS.iter().position(|separator| separator == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    // Of equals the first: `max_by_key` takes the last.
    SEPARATORS
        .into_iter()
        .zip(counts)
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(separator, _)| separator)
}

fn has_decimal_comma(cell: &str) -> bool {
    let cell = cell.trim();
    match cell.split_once(',') {
        Some((whole, decimals)) => {
            let whole = whole.strip_prefix('-').unwrap_or(whole);
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(whole) && digits(decimals)
        }
        None => false,
    }
}

/// `; nearest: \`a\`, \`b\``: headers that may be meant.
fn nearest(pointer: &str, headers: &[String]) -> String {
    let wanted = plain(pointer);
    let mut ranked: Vec<(f64, &str)> = headers
        .iter()
        .filter(|header| !header.is_empty())
        .map(|header| {
            (
                strsim::jaro_winkler(&wanted, &plain(header)),
                header.as_str(),
            )
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names: Vec<String> = ranked
        .iter()
        .take(3)
        .map(|(_, header)| format!("`{header}`"))
        .collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; nearest: {}", names.join(", "))
    }
}

/// The last step of a pointer, letters and digits only, in lower case.
fn plain(pointer: &str) -> String {
    let last = pointer.rsplit('/').next().unwrap_or(pointer);
    last.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::readings::Column;

    fn open(content: &[u8], cells: &Cells) -> Result<Table, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        Table::open(&file.path().to_path_buf().into(), None, cells)
    }

    /// Lines and payloads, or reasons.
    #[track_caller]
    fn check(content: &[u8], expected: &[(u64, &str)]) {
        let table = open(content, &Cells::Unknown).unwrap();
        let found: Vec<(u64, String)> = table
            .map(Result::unwrap)
            .map(|record| {
                let payload = record
                    .payload
                    .map(|bytes| String::from_utf8(bytes).unwrap());
                (record.number, payload.unwrap_or_else(str::to_owned))
            })
            .collect();
        let found: Vec<(u64, &str)> = found.iter().map(|(n, text)| (*n, text.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn rows_are_numbered_by_the_files_lines() {
        check(
            b"a,b\n1,x\n\n2,\"two\nlines\"\n3,z\n",
            &[
                (2, r#"{"a":1,"b":"x"}"#),
                (4, r#"{"a":2,"b":"two\nlines"}"#),
                (6, r#"{"a":3,"b":"z"}"#),
            ],
        );
    }

    #[test]
    fn files_of_other_systems_are_read() {
        check(
            b"\xef\xbb\xbfa;b\r\n1;x\r\n2;\r\n",
            &[(2, r#"{"a":1,"b":"x"}"#), (3, r#"{"a":2}"#)],
        );
        check(b"\"a\"\t\"b,c,d\"\n1\t2", &[(2, r#"{"a":1,"b,c,d":2}"#)]);
        check(b"a|b\n1|2\n", &[(2, r#"{"a":1,"b":2}"#)]);
        check(b"a\n1\n", &[(2, r#"{"a":1}"#)]);
    }

    #[test]
    fn rows_that_are_none_are_told() {
        check(
            b"a,b\n1\n1,2,3\n\xff,2\n4,5\n",
            &[
                (2, RAGGED),
                (3, RAGGED),
                (4, NOT_UTF8),
                (5, r#"{"a":4,"b":5}"#),
            ],
        );
        let mut table = open(b"a;b\n1\n2;3,5\n", &Cells::Unknown).unwrap();
        assert_eq!(table.by_ref().count(), 2);
        let notes = table.notes().join("\n");
        assert!(
            notes.contains("line 2 has 1 cells, the header row 2"),
            "{notes}"
        );
        assert!(notes.contains("line 3: `3,5` is text"), "{notes}");
    }

    #[test]
    fn a_quote_that_is_not_closed_takes_in_no_row_unseen() {
        #[track_caller]
        fn failure(content: &str) -> Failure {
            let mut table = open(content.as_bytes(), &Cells::Unknown).unwrap();
            table.find_map(Result::err).unwrap()
        }
        let rows = "1,x\n".repeat(5_000);
        for after in [&rows[..20], &rows[..4_000], &rows[..]] {
            let failure = failure(&format!("a,b\n1,x\n2,\"5 inch hose\n{after}"));
            assert_eq!(failure.exit_code(), 2);
            let message = failure.to_string();
            assert!(
                message.contains("a quote in line 3 is not closed"),
                "{message}"
            );
        }
        // Two of them are a row that is valid, and longer than anybody writes.
        let content = format!("a,b\n2,\"5 inch\n{}3,\"3 inch\n4,x\n", &rows[..400]);
        let mut table = open(content.as_bytes(), &Cells::Unknown).unwrap();
        assert!(table.by_ref().all(|record| record.is_ok()));
        let notes = table.notes().join("\n");
        assert!(
            notes.contains("the row of line 2 goes on to line 103"),
            "{notes}"
        );
        // A cell may be quoted over lines, at the end of the file too, and hold a quote where it is not quoted.
        check(
            b"a,b\n1,\"x\ny\"\n2,\"x\ny\"",
            &[(2, r#"{"a":1,"b":"x\ny"}"#), (4, r#"{"a":2,"b":"x\ny"}"#)],
        );
        check(b"a,b\n1,5\" hose", &[(2, r#"{"a":1,"b":"5\" hose"}"#)]);
        check(
            b"a,b\n\"x\ny\",5\" hose",
            &[(2, r#"{"a":"x\ny","b":"5\" hose"}"#)],
        );
        let blank = format!("a\n1\n{}2\n", "\n".repeat(3_000));
        check(
            blank.as_bytes(),
            &[(2, r#"{"a":1}"#), (3_003, r#"{"a":2}"#)],
        );
    }

    #[test]
    fn a_file_that_is_no_table_is_refused() {
        #[track_caller]
        fn check(content: &[u8], expected: &str) {
            let failure = open(content, &Cells::Unknown).err().unwrap();
            assert_eq!(failure.exit_code(), 2);
            assert!(failure.to_string().contains(expected), "{failure}");
        }
        check(b"", "no header row: the file is empty");
        check(
            b"press-07,42.8\npress-07,43\n",
            "line 1 has the number 42.8",
        );
        check(b"a,\xff\n1,2\n", "not UTF-8");
        check(b"a,b,a\n1,2,3\n", "the columns `a` and `a` are the same");
    }

    #[test]
    fn missing_columns_are_named_with_what_is_near() {
        let column = |pointer: &str, is_vital| Column {
            pointer: pointer.to_owned(),
            is_number: true,
            is_vital,
            what: format!("`{pointer}`"),
        };
        let cells = |is_vital| Cells::Read(vec![column("/measurements/tool_wear", is_vital)]);
        let content = b"machine,ToolWear,torque\na,1,2\n";
        let notes = open(content, &cells(false)).unwrap().notes().join("\n");
        assert!(notes.ends_with("; nearest: `ToolWear`"), "{notes}");
        let failure = open(content, &cells(true)).err().unwrap().to_string();
        assert!(failure.contains("nearest: `ToolWear`"), "{failure}");
    }

    #[test]
    fn what_is_read_adds_up_to_the_file() {
        let content = b"a,b\n1,x\n2,y\n";
        let table = open(content, &Cells::Unknown).unwrap();
        let read: u64 = table.map(|record| record.unwrap().read).sum();
        assert_eq!(read, 8);
    }
}
