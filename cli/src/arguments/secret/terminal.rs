//! One line typed at a terminal that does not show it (termios(3)). Ctrl-C ends the line instead of the process, which would leave
//! the user with a terminal that shows nothing any more.

use std::{
    io::{self, Read},
    os::fd::BorrowedFd,
};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex, Termios};

/// What Ctrl-C types.
const CTRL_C: u8 = 3;

/// The terminal as long as it shows nothing. Reads one line.
pub(super) struct Hidden<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
    is_read: bool,
    is_cancelled: bool,
}

impl<'a> Hidden<'a> {
    /// What was typed ahead, and shown, is dropped.
    pub(super) fn new(terminal: BorrowedFd<'a>) -> io::Result<Self> {
        let before = termios::tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        quiet.local_modes.insert(LocalModes::ICANON | LocalModes::ECHONL);
        quiet.special_codes[SpecialCodeIndex::VEOL] = CTRL_C;
        termios::tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before, is_read: false, is_cancelled: false })
    }

    /// Whether the user pressed Ctrl-C.
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

impl Read for Hidden<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_read {
            return Ok(0);
        }
        let length = rustix::io::read(self.terminal, &mut *buffer)?;
        self.is_read = true;
        self.is_cancelled = length.checked_sub(1).and_then(|last| buffer.get(last)) == Some(&CTRL_C);
        Ok(length)
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // An error: the terminal is gone.
        let _ = termios::tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsStr,
        fs::{File, OpenOptions},
        io::{Read as _, Write as _},
        os::{fd::AsFd as _, unix::ffi::OsStrExt as _, unix::fs::OpenOptionsExt as _},
    };

    use rustix::{
        pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
        termios::{LocalModes, tcgetattr},
    };

    use super::Hidden;

    /// The side of the keyboard and the screen, and that of the program.
    fn terminal() -> (File, File) {
        let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&user).unwrap();
        unlockpt(&user).unwrap();
        let name = ptsname(&user, Vec::new()).unwrap();
        let no_controlling_terminal = i32::try_from(OpenptFlags::NOCTTY.bits()).unwrap();
        let mut open = OpenOptions::new();
        open.read(true).write(true).custom_flags(no_controlling_terminal);
        (user.into(), open.open(OsStr::from_bytes(name.to_bytes())).unwrap())
    }

    #[test]
    fn what_is_typed_is_read_and_not_shown() {
        let (mut user, program) = terminal();
        let mut hidden = Hidden::new(program.as_fd()).unwrap();
        user.write_all(b"s3cr3t\n").unwrap();
        let mut typed = String::new();
        hidden.read_to_string(&mut typed).unwrap();
        assert_eq!((typed.as_str(), hidden.is_cancelled()), ("s3cr3t\n", false));
        let mut shown = [0; 100];
        let length = user.read(&mut shown).unwrap();
        assert_eq!(shown.get(..length), Some(&b"\r\n"[..]));
        drop(hidden);
        assert!(tcgetattr(&program).unwrap().local_modes.contains(LocalModes::ECHO | LocalModes::ISIG));
    }

    #[test]
    fn a_user_who_gives_up_is_heard() {
        let (mut user, program) = terminal();
        let mut hidden = Hidden::new(program.as_fd()).unwrap();
        user.write_all(b"s3\x03").unwrap();
        hidden.read_to_string(&mut String::new()).unwrap();
        assert!(hidden.is_cancelled());
    }
}
