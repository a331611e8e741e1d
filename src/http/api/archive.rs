//! The archive behind a signed URL: streamed from disk, whole or in ranges, without a key.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::OwnedSemaphorePermit;
use warp::Reply as _;
use warp::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
};
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode};
use warp::reply::Response;

use crate::archive::{ArchiveError, LinkError};
use crate::domain::id::SnapshotId;
use crate::domain::snapshot::Redaction;
use crate::http::call::Call;
use crate::http::conditions::{self, EntityTag, Outcome};
use crate::http::file_stream::{self, Piece};
use crate::http::problem::{Code, Problem};
use crate::http::range::{self, Selection, Span};
use crate::http::request_id::RequestId;
use crate::http::state::Api;
use crate::store::{SnapshotRow, StoredArchive};

const ZIP: HeaderValue = HeaderValue::from_static("application/zip");

/// The archive, or the part of it that the request asks for.
///
/// # Errors
/// 403 for a link that was tampered with or has expired, 404 for a snapshot that is gone, 412, 416, and 503 while too many
/// are sent.
pub async fn get(api: &Api, call: &Call) -> Result<Response, Problem> {
    let id: Result<SnapshotId, Problem> = call.id("snapshot_id", Code::LinkInvalid);
    let id = id.map_err(|_| refused(LinkError::Tampered))?;
    // Before the row is looked for: only who was given a link learns whether its snapshot is still there.
    let link = api.state.links.verify(&call.raw_query, id, api.now()).map_err(refused)?;
    let now = api.retention_now();
    let row = api.store().read(move |reader| Ok::<_, Problem>(reader.snapshot_by_id(id)?)).await?;
    let row = row.filter(|row| row.expires_at > now).ok_or_else(gone)?;
    let archive = row.archive.filter(|archive| archive.sha256_hex() == link.sha256).ok_or_else(gone)?;
    let tag = EntityTag::of_sha256(link.sha256);
    match conditions::outcome(&call.headers, &tag) {
        Outcome::Proceed => {}
        Outcome::NotModified => return Ok(not_modified(&tag)),
        Outcome::Failed => {
            let reason = "The archive is not the one that if-match names; ask without it for the present one.";
            return Err(Problem::new(Code::PreconditionFailed, reason));
        }
    }
    let selection = selection(call, &tag, archive.size_bytes);
    if selection == Selection::Unsatisfiable {
        return Err(Problem::range_not_satisfiable(archive.size_bytes));
    }
    let turn = Arc::clone(&api.downloads).try_acquire_owned().map_err(|_| too_many())?;
    let file = open(api, id, archive).await?;
    Ok(sent(api, call, &row, Source { file, turn }, Content { length: archive.size_bytes, tag, selection }))
}

/// What a range asks for; a HEAD is about the whole.
fn selection(call: &Call, tag: &EntityTag, length: u64) -> Selection {
    let header = call.headers.get(RANGE).and_then(|value| value.to_str().ok());
    match header {
        Some(header) if call.method == Method::GET && conditions::range_counts(&call.headers, tag) => {
            range::select(header, length)
        }
        _ => Selection::Whole,
    }
}

/// Opens the file on the blocking pool: it may lie on a disk that sleeps. One that is gone, or is not of the size that
/// its row states, is a 404 whose code says that the snapshot itself is still there.
pub(super) async fn open(api: &Api, id: SnapshotId, archive: StoredArchive) -> Result<Arc<File>, Problem> {
    let archives = api.state.archives.clone();
    let _turn = file_stream::disk_turn().await;
    let opening = tokio::task::spawn_blocking(move || {
        let file = archives.read(id)?;
        let length = file.metadata().map(|metadata| metadata.len());
        Ok::<_, ArchiveError>((file, length))
    });
    let opened = opening.await.map_err(|error| Problem::internal(&error))?;
    let (file, length) = opened.map_err(|error| match error {
        ArchiveError::Missing(_) => {
            tracing::error!(snapshot = id.get(), "the archive of a completed snapshot is not on disk");
            unusable()
        }
        other => Problem::internal(&other),
    })?;
    let length = length.map_err(|error| Problem::internal(&error))?;
    if length != archive.size_bytes {
        tracing::error!(snapshot = id.get(), length, expected = archive.size_bytes, "an archive has another size");
        return Err(unusable());
    }
    Ok(Arc::new(file))
}

/// Where the bytes come from, and the turn to send them, which lasts as long as they do.
struct Source {
    file: Arc<File>,
    turn: OwnedSemaphorePermit,
}

struct Content {
    length: u64,
    tag: EntityTag,
    selection: Selection,
}

fn sent(api: &Api, call: &Call, row: &SnapshotRow, source: Source, content: Content) -> Response {
    let (status, media_type, range, pieces) = match content.selection {
        Selection::Parts(spans) => match spans.as_slice() {
            [span] => {
                let range = header(&span.content_range(content.length));
                (StatusCode::PARTIAL_CONTENT, ZIP, Some(range), vec![Piece::File(*span)])
            }
            spans => {
                let (media_type, pieces) = multipart(spans, content.length);
                (StatusCode::PARTIAL_CONTENT, media_type, None, pieces)
            }
        },
        Selection::Whole | Selection::Unsatisfiable => {
            let whole = Piece::File(Span { start: 0, end: content.length });
            (StatusCode::OK, ZIP, None, vec![whole])
        }
    };
    let length: u64 = pieces.iter().map(Piece::length).sum();
    let mut response = if call.method == Method::HEAD {
        Response::new(Bytes::new().into())
    } else {
        let metrics = Arc::clone(&api.state.metrics);
        let Source { file, turn } = source;
        let counted = file_stream::stream(file, pieces).inspect(move |chunk| {
            let _until_the_last = &turn;
            if let Ok(chunk) = chunk {
                metrics.archive_sent(chunk.len() as u64);
            }
        });
        warp::reply::stream(counted).into_response()
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    common(headers, &content.tag);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(CONTENT_DISPOSITION, header(&format!("attachment; filename=\"{}\"", file_name(row))));
    if let Some(range) = range {
        headers.insert(CONTENT_RANGE, range);
    }
    response
}

/// `{name}-{node name}.zip`: both are letters, digits, dots, dashes and underscores, so nothing needs escaping. Secrets
/// in clear are loud in it.
fn file_name(row: &SnapshotRow) -> String {
    let clear = row.archive.is_some_and(|archive| archive.redaction == Redaction::Unredacted);
    let mark = if clear { "-UNREDACTED" } else { "" };
    format!("{}-{}{mark}.zip", row.item.name, row.node_name)
}

/// Two or more parts, as `multipart/byteranges`.
fn multipart(spans: &[Span], length: u64) -> (HeaderValue, Vec<Piece>) {
    let boundary = RequestId::fresh().to_string();
    let mut pieces = Vec::with_capacity(2 * spans.len() + 1);
    for span in spans {
        let range = span.content_range(length);
        let head = format!("\r\n--{boundary}\r\ncontent-type: application/zip\r\ncontent-range: {range}\r\n\r\n");
        pieces.push(Piece::Bytes(head.into()));
        pieces.push(Piece::File(*span));
    }
    pieces.push(Piece::Bytes(format!("\r\n--{boundary}--\r\n").into()));
    (header(&format!("multipart/byteranges; boundary={boundary}")), pieces)
}

fn not_modified(tag: &EntityTag) -> Response {
    let mut response = Response::new(Bytes::new().into());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    common(response.headers_mut(), tag);
    response
}

/// What a 200, a 206 and a 304 have alike. A cache may keep the bytes for its one user but must ask each time, so that
/// a link dies with its snapshot.
fn common(headers: &mut HeaderMap, tag: &EntityTag) {
    headers.insert(ETAG, header(tag.as_str()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).expect("digests, digits and checked names are header values")
}

fn gone() -> Problem {
    Problem::new(Code::SnapshotNotFound, "This snapshot is no more: it was deleted, or has expired.")
}

fn too_many() -> Problem {
    let reason = "As many archives as the server sends at a time are being sent; ask again in a few seconds.";
    Problem::new(Code::ServiceUnavailable, reason)
}

fn unusable() -> Problem {
    let reason = "The archive of this snapshot is no longer on the server's disk as it was written; the server's operator \
                  can find out why. Delete the snapshot and trigger another.";
    Problem::new(Code::ArchiveNotFound, reason)
}

fn refused(error: LinkError) -> Problem {
    match error {
        LinkError::Tampered => {
            let reason = "This link is not as it was signed; ask for the download again and use its URL unchanged.";
            Problem::new(Code::LinkInvalid, reason)
        }
        LinkError::Expired => {
            Problem::new(Code::LinkExpired, "This link has expired; ask for the download again to get a new one.")
        }
    }
}
