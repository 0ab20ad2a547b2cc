//! A data folder in a bad way: a database that is damaged or another's, a disk that is full or cannot be written, a key that
//! is missing or wrong.

mod damaged;
mod disk;
mod key;
