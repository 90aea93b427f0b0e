//! A server of this machine that speaks as much of the Hub's API as one fetch needs. What can go wrong with one is tested
//! where the fetch is, in `prism-corpus`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use prism_core::hash::Sha256Hash;

pub(crate) const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";
pub(crate) const TOKEN: &str = "hf_a_token_of_nobody";

/// A file as `pyarrow` writes it, with the columns of FineWeb-Edu and odd texts.
pub(crate) fn written_by_pyarrow() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../prism-corpus/fixtures/parquet/fineweb-snappy.parquet");
    std::fs::read(path).unwrap()
}

/// Starts one with that file alone; it ends with the process.
pub(crate) fn start() -> String {
    start_with(vec![("sample/10BT/000_00000.parquet", written_by_pyarrow())])
}

/// The same with these files in the folder `sample/10BT`.
pub(crate) fn start_with(files: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let files = Arc::new(files);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let files = Arc::clone(&files);
            // Whoever asks may hang up.
            thread::spawn(move || serve(stream, &files));
        }
    });
    endpoint
}

fn serve(mut stream: TcpStream, files: &[(&str, Vec<u8>)]) -> std::io::Result<()> {
    let mut head = Vec::new();
    for line in BufReader::new(&stream).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let path = head
        .first()
        .and_then(|line| line.split(' ').nth(1))
        .unwrap_or_default()
        .to_owned();
    let header = |name: &str| {
        head.iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let mut answer = |status: &str, headers: &str, body: &[u8]| {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)
    };
    if header("authorization") != Some(format!("Bearer {TOKEN}")) {
        return answer("401 Unauthorized", "X-Error-Code: GatedRepo\r\n", b"");
    }
    if path.ends_with("/revision/main") {
        return answer("200 OK", "", format!("{{\"sha\":\"{COMMIT}\"}}").as_bytes());
    }
    if path.contains(&format!("/tree/{COMMIT}/sample/10BT?")) {
        let entries: Vec<_> = files
            .iter()
            .map(|(path, file)| {
                let (hash, size) = (Sha256Hash::of(file), file.len());
                format!(
                    r#"{{"type":"file","path":"{path}","size":{size},"oid":"x","lfs":{{"oid":"{hash}","size":{size}}}}}"#
                )
            })
            .collect();
        return answer("200 OK", "", format!("[{}]", entries.join(",")).as_bytes());
    }
    let resolved = path
        .split_once(&format!("/resolve/{COMMIT}/"))
        .map(|(_, path)| path);
    match files.iter().find(|(path, _)| Some(*path) == resolved) {
        Some((_, file)) => {
            let range = header("range").unwrap_or_default();
            let (first, last) = range
                .trim_start_matches("bytes=")
                .split_once('-')
                .unwrap_or(("0", "0"));
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let told = format!(
                "Content-Range: bytes {first}-{last}/{}\r\nETag: \"x\"\r\n",
                file.len()
            );
            answer("206 Partial Content", &told, &file[first..=last])
        }
        None => answer("404 Not Found", "", b""),
    }
}
