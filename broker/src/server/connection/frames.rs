//! Whether a caller is in the middle of something: half a preface, half a frame, half a block of headers (RFC 9113, sections
//! 3.4, 4.1 and 4.3). Between its requests a caller may be silent for as long as it likes. Only heads of frames are looked at.

/// The client connection preface, in bytes.
const PREFACE: usize = 24;
/// A frame's head, in bytes.
const HEAD: usize = 9;
/// The types of frames that hold headers.
const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
/// Flag: the block of headers ends with this frame.
const END_HEADERS: u8 = 0x4;

/// Where a caller is in what it says.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the preface or of a frame that are still to come.
    awaited: usize,
    /// The head of a frame, as far as it came.
    head: [u8; HEAD],
    held: usize,
    /// Whether the block of headers goes on in another frame.
    in_headers: bool,
    /// Whether the first frame, the settings, has begun.
    is_begun: bool,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { awaited: PREFACE, head: [0; HEAD], held: 0, in_headers: false, is_begun: false }
    }

    /// Takes what was read; whether something was completed by it.
    pub(super) fn pass(&mut self, mut read: &[u8]) -> bool {
        let mut completed = false;
        while !read.is_empty() {
            if self.awaited > 0 {
                let (_, rest) = read.split_at(self.awaited.min(read.len()));
                self.awaited -= read.len() - rest.len();
                read = rest;
            } else {
                let (part, rest) = read.split_at((HEAD - self.held).min(read.len()));
                for (to, from) in self.head.iter_mut().skip(self.held).zip(part) {
                    *to = *from;
                }
                self.held += part.len();
                read = rest;
                if self.held == HEAD {
                    self.begin();
                }
            }
            completed |= self.is_between();
        }
        completed
    }

    fn begin(&mut self) {
        let [a, b, c, kind, flags, ..] = self.head;
        self.awaited = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        self.held = 0;
        self.is_begun = true;
        if matches!(kind, HEADERS | PUSH_PROMISE | CONTINUATION) {
            self.in_headers = flags & END_HEADERS == 0;
        }
    }

    /// Whether everything that was begun is complete.
    pub(super) fn is_between(&self) -> bool {
        self.is_begun && self.awaited == 0 && self.held == 0 && !self.in_headers
    }
}

#[cfg(test)]
mod tests {
    use super::Frames;

    const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

    /// Whether this much, in parts of each size, ends between two frames.
    fn ends_between(bytes: &[u8]) -> bool {
        let ends: Vec<_> = (1..=bytes.len())
            .map(|size| {
                let mut frames = Frames::new();
                for part in bytes.chunks(size) {
                    frames.pass(part);
                }
                frames.is_between()
            })
            .collect();
        assert!(ends.iter().all(|end| *end == ends[0]), "it depends on the parts: {ends:?}");
        ends[0]
    }

    #[test]
    fn half_of_anything_is_seen() {
        assert!(ends_between(BEGIN));
        for half in [&BEGIN[..3], &BEGIN[..24], &BEGIN[..30]] {
            assert!(!ends_between(half), "{half:?}");
        }
        let after = |more: &[u8]| ends_between(&[BEGIN, more].concat());
        // A PING whole and half; headers without their end, and then with it; a frame that is announced and does not come.
        assert!(after(b"\0\0\x08\x06\0\0\0\0\0pingpong"));
        assert!(!after(b"\0\0\x08\x06\0\0\0\0\0ping"));
        assert!(!after(b"\0\0\x02\x01\x00\0\0\0\x01\x83\x86"));
        assert!(after(b"\0\0\x02\x01\x00\0\0\0\x01\x83\x86\0\0\x01\x09\x04\0\0\0\x01\x84"));
        assert!(!after(b"\xff\xff\xff\0\0\0\0\0\x01"));
    }

    #[test]
    fn what_is_completed_on_the_way_is_told() {
        let mut frames = Frames::new();
        assert!(!frames.pass(&BEGIN[..30]));
        assert!(frames.pass(&[&BEGIN[30..], b"\0\0\x08\x06"].concat()), "the settings are complete");
        assert!(!frames.is_between(), "the next frame is not");
    }
}
