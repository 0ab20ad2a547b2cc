//! The `:authority` of clients that put the socket's path there. gRPC's C core (Python, Ruby, C++, PHP) and Java name a Unix socket
//! by its path, percent-encoded or not; RFC 3986, section 3.2.2 allows no such host, and the HTTP/2 library below ends the request
//! with `PROTOCOL_ERROR` (hyperium/h2 issue 442). The name means nothing on a Unix socket, so its forbidden bytes are replaced
//! before they get there: byte for byte, in the HEADERS frames of a connection that begins this way; all others pass as they are.

/// The client connection preface (RFC 9113, section 3.4), in bytes.
const PREFACE: usize = 24;
/// A frame's head (section 4.1), in bytes.
const HEAD: usize = 9;
/// The largest frame that a client may send before we allow more, which we do not (section 6.5.2).
const MAX_FRAME: usize = 16_384;
/// The type of HEADERS (section 6.2), and its flags.
const HEADERS: u8 = 1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Looks through what a client sends.
#[derive(Debug)]
pub(super) struct AuthorityMender {
    /// Read and not passed on yet: the start of a frame that matters.
    held: Vec<u8>,
    /// Bytes to pass on without a look.
    skip: usize,
    is_done: bool,
}

/// What a block of headers says about the authority.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Bytes from here to there that may be no authority.
    At(usize, usize),
    /// It names an authority that it sent before.
    Nothing,
    /// It cannot be read here; the library below judges.
    Unreadable,
}

impl AuthorityMender {
    pub(super) fn new() -> Self {
        Self { held: Vec::new(), skip: PREFACE, is_done: false }
    }

    /// Whether the rest of the connection needs no look.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes what was read, and adds what can be passed on.
    pub(super) fn pass(&mut self, read: &[u8], on: &mut Vec<u8>) {
        self.held.extend_from_slice(read);
        while !self.is_done {
            let skipped = self.skip.min(self.held.len());
            on.extend(self.held.drain(..skipped));
            self.skip -= skipped;
            let Some((length, kind, flags)) = head(&self.held) else { return };
            if kind != HEADERS {
                self.skip = HEAD + length;
            } else if length > MAX_FRAME || flags & END_HEADERS == 0 {
                self.is_done = true;
            } else if let Some(frame) = self.held.get_mut(HEAD..HEAD + length) {
                self.is_done = mend(frame, flags);
                self.skip = HEAD + length;
            } else {
                return;
            }
        }
        on.append(&mut self.held);
    }
}

/// Length, type and flags of a frame.
fn head(bytes: &[u8]) -> Option<(usize, u8, u8)> {
    match bytes.get(..HEAD)? {
        [a, b, c, kind, flags, ..] => {
            Some((usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c), *kind, *flags))
        }
        _ => None,
    }
}

/// Mends the authority of a HEADERS frame; says whether this connection needs no more of it.
fn mend(frame: &mut [u8], flags: u8) -> bool {
    let padding = if flags & PADDED == 0 { 0 } else { frame.first().copied().map_or(0, usize::from) };
    let start = usize::from(flags & PADDED != 0) + if flags & PRIORITY == 0 { 0 } else { 5 };
    let end = frame.len().saturating_sub(padding);
    let Some(block) = frame.get_mut(start..end) else { return true };
    match find(block) {
        Found::Nothing => false,
        Found::Unreadable => true,
        Found::At(from, to) => {
            let Some(authority) = block.get_mut(from..to) else { return true };
            if authority.is_empty() || http::uri::Authority::try_from(&*authority).is_ok() {
                return true;
            }
            authority.iter_mut().filter(|byte| !byte.is_ascii_alphanumeric()).for_each(|byte| *byte = b'-');
            false
        }
    }
}

/// Walks a block of headers (RFC 7541, section 6) to a literal `:authority`.
fn find(block: &[u8]) -> Found {
    let mut at = 0;
    while let Some(first) = block.get(at) {
        // Indexed; with incremental indexing; a size update; without indexing.
        let (prefix, is_literal) = match first {
            0x80.. => (7, false),
            0x40.. => (6, true),
            0x20.. => (5, false),
            _ => (4, true),
        };
        let Some((index, mut next)) = integer(block, at, prefix) else { return Found::Unreadable };
        if is_literal {
            let mut is_authority = index == 1;
            if index == 0 {
                let Some((from, to, _)) = string(block, next) else { return Found::Unreadable };
                is_authority = block.get(from..to) == Some(b":authority");
                next = to;
            }
            match string(block, next) {
                Some((from, to, is_plain)) if is_authority => {
                    return if is_plain { Found::At(from, to) } else { Found::Unreadable };
                }
                Some((_, to, _)) => next = to,
                None => return Found::Unreadable,
            }
        }
        at = next;
    }
    Found::Nothing
}

/// An integer with a prefix of so many bits (section 5.1), and where it ends.
fn integer(block: &[u8], at: usize, prefix: u32) -> Option<(usize, usize)> {
    let most = (1_usize << prefix) - 1;
    let mut value = usize::from(*block.get(at)?) & most;
    let mut next = at + 1;
    if value < most {
        return Some((value, next));
    }
    // Three more bytes say more than a frame holds.
    for shift in [0, 7, 14] {
        let byte = usize::from(*block.get(next)?);
        value += (byte & 0x7f) << shift;
        next += 1;
        if byte & 0x80 == 0 {
            return Some((value, next));
        }
    }
    None
}

/// A string (section 5.2): from where to where, and whether it is plain or Huffman-coded.
fn string(block: &[u8], at: usize) -> Option<(usize, usize, bool)> {
    let is_plain = block.get(at)? & 0x80 == 0;
    let (length, from) = integer(block, at, 7)?;
    let to = from.checked_add(length).filter(|to| *to <= block.len())?;
    Some((from, to, is_plain))
}

#[cfg(test)]
mod tests {
    use super::{AuthorityMender, HEAD, PREFACE};

    /// What grpc-python 1.85 sends to `unix:/tmp/gv/run/raw`, shortened by its last headers; then a second request, whose
    /// authority is an index, and a PING.
    fn recorded(authority: &[u8]) -> Vec<u8> {
        let mut block = b"@\x05:path\x1c/grpc.health.v1.Health/Check@\n:authority".to_vec();
        block.push(u8::try_from(authority.len()).unwrap());
        block.extend(authority);
        block.extend(b"\x83\x86@\x0ccontent-type\x10application/grpc@\x02te\x08trailers");
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
        for (block, stream) in [(block.as_slice(), 1), (b"\xc0\xbf\x83\x86\xbe\xbd", 3)] {
            bytes.extend([0, 0, u8::try_from(block.len()).unwrap(), 1, 4, 0, 0, 0, stream]);
            bytes.extend(block);
        }
        bytes.extend(b"\0\0\x08\x06\0\0\0\0\0%2F%2F%2");
        bytes
    }

    /// Passes the bytes in parts of this size.
    fn passed(bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
        let (mut mender, mut on) = (AuthorityMender::new(), Vec::new());
        bytes.chunks(size).for_each(|part| mender.pass(part, &mut on));
        (on, mender.is_done())
    }

    #[test]
    fn a_path_becomes_a_name_of_the_same_length_wherever_the_parts_end() {
        let bytes = recorded(b"tmp%2Fgv%2Frun%2Fraw");
        for size in 1..=bytes.len() {
            let (on, is_done) = passed(&bytes, size);
            assert_eq!(on, recorded(b"tmp-2Fgv-2Frun-2Fraw"), "{size}");
            assert!(!is_done, "it may send its name once more");
        }
        assert_eq!(passed(&recorded(b"/run/user/1/s:x"), 7).0, recorded(b"-run-user-1-s-x"));
    }

    #[test]
    fn a_good_name_ends_the_look() {
        for name in [&b"localhost"[..], b"[::1]:80", b""] {
            let bytes = recorded(name);
            assert_eq!(passed(&bytes, bytes.len()), (bytes.clone(), true));
        }
    }

    #[test]
    fn what_is_not_understood_passes_as_it_is() {
        let bytes = recorded(b"tmp%2Fgv");
        // Another protocol; a frame without its end; cut short; lengths that lie.
        let mut open = bytes.clone();
        open[PREFACE + 2 * HEAD - 5] = 0;
        let mut lying = bytes.clone();
        lying[PREFACE + 2 * HEAD + 1] = 0x7f;
        for bytes in [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n, and some more".to_vec(), open, lying] {
            let (on, _) = passed(&bytes, 5);
            assert!(bytes.starts_with(&on), "{on:?}");
        }
        for seed in 0..=255_u8 {
            let noise: Vec<u8> = (0..300_u16).map(|n| n.to_le_bytes()[0].wrapping_mul(seed) ^ seed).collect();
            let (on, is_done) = passed(&noise, 11);
            assert!(on.len() == noise.len() || !is_done);
        }
    }
}
