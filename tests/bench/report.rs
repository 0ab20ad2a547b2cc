//! The figures as a table and as a plot.

use std::{fmt::Write as _, fs};

use crate::{
    msal::Silent,
    sample::{Sample, micros, millis},
};

/// Everything measured in one run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) processes: Vec<Process>,
    pub(crate) kept_one_cpu: Option<Sample>,
    pub(crate) kept_two_cpus: Option<Sample>,
    pub(crate) fresh: Option<Sample>,
    pub(crate) token_source: Option<Sample>,
    pub(crate) loads: Vec<Load>,
    pub(crate) scales: Vec<Scale>,
    pub(crate) msal: Vec<Silent>,
    pub(crate) import: Option<ImportFigures>,
    pub(crate) commit: Option<Sample>,
    pub(crate) start: Option<Sample>,
    pub(crate) beside_hanging: Option<Sample>,
    pub(crate) idle: Option<Idle>,
    pub(crate) rss_idle_kib: u64,
    pub(crate) rss_loaded_kib: u64,
}

/// A program, run as a whole process.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) wall: Sample,
    pub(crate) rss_kib: Option<u64>,
}

/// Hits without and beside idle connections.
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) before: Sample,
    pub(crate) beside: Sample,
    pub(crate) rss_before_kib: u64,
    pub(crate) rss_kib: u64,
}

/// A load series.
pub(crate) struct Load {
    pub(crate) in_flight: usize,
    pub(crate) per_second: f64,
    pub(crate) cpu_each: std::time::Duration,
}

/// The import of a large cache.
pub(crate) struct ImportFigures {
    pub(crate) tokens: usize,
    pub(crate) file_bytes: u64,
    pub(crate) took: std::time::Duration,
    pub(crate) peak_kib: u64,
}

/// The hit at one size of the store: for one scope of a token, and for all of its scopes.
pub(crate) struct Scale {
    pub(crate) tokens: usize,
    pub(crate) hit: Sample,
    pub(crate) exact: Sample,
    pub(crate) rss_kib: u64,
}

impl Report {
    /// The tables.
    pub(crate) fn markdown(&self) -> String {
        let mut page = String::from(
            "# Figures\n\nMeasured by `cargo run --release --bin bench` in one run; figures move with the machine, the ratios are \
             the point.\nA token here has 1400 bytes, a store 100 tokens an account with one scope common to all.\n",
        );
        self.processes_table(&mut page);
        self.hits_table(&mut page);
        self.scales_table(&mut page);
        self.msal_table(&mut page);
        page.push_str("\n![hit latency by store size](figures.svg)\n");
        page
    }

    fn processes_table(&self, page: &mut String) {
        let Some(floor) = self.processes.first() else { return };
        page.push_str(
            "\n## Whole processes, run in turn\n\n| program | p50 | p99 | × no-op | memory |\n|---|---|---|---|---|\n",
        );
        for process in &self.processes {
            let ratio = process.wall.p50().as_secs_f64() / floor.wall.p50().as_secs_f64();
            let memory = process.rss_kib.map_or_else(|| "-".into(), |kib| format!("{kib} KiB"));
            let (p50, p99) = (millis(process.wall.p50()), millis(process.wall.p99()));
            writeln!(page, "| {} | {p50} | {p99} | {ratio:.2} | {memory} |", process.name).unwrap();
        }
    }

    fn hits_table(&self, page: &mut String) {
        page.push_str("\n## Over the socket\n\n| what | p50 | p99 |\n|---|---|---|\n");
        let rows = [
            ("hit, kept connection, one processor", &self.kept_one_cpu),
            ("hit, kept connection", &self.kept_two_cpus),
            ("hit, new connection each time", &self.fresh),
            ("one durable write (fsync)", &self.commit),
            ("exec of the daemon to the first cached token", &self.start),
            ("hit, while another account's refresh hangs at its provider", &self.beside_hanging),
        ];
        for (what, sample) in rows {
            if let Some(sample) = sample {
                writeln!(page, "| {what} | {} | {} |", micros(sample.p50()), micros(sample.p99())).unwrap();
            }
        }
        if let Some(sample) = &self.token_source {
            let nanos = |duration: std::time::Duration| format!("{} ns", duration.as_nanos());
            let (p50, p99) = (nanos(sample.p50()), nanos(sample.p99()));
            writeln!(page, "| token at hand (TokenSource), no call | {p50} | {p99} |").unwrap();
        }
        page.push_str("\n| in flight | answers a second | daemon CPU each |\n|---|---|---|\n");
        for load in &self.loads {
            let cpu = micros(load.cpu_each);
            writeln!(page, "| {} | {:.0} | {cpu} |", load.in_flight, load.per_second).unwrap();
        }
        let (idle, loaded) = (self.rss_idle_kib, self.rss_loaded_kib);
        writeln!(page, "\nDaemon memory: {idle} KiB idle, {loaded} KiB after the load.").unwrap();
        if let Some(idle) = &self.idle {
            page.push_str("\n| idle connections | hit p50 | hit p99 | daemon memory |\n|---|---|---|---|\n");
            let rows = [(0, &idle.before, idle.rss_before_kib), (idle.connections, &idle.beside, idle.rss_kib)];
            for (connections, hit, rss) in rows {
                let (p50, p99) = (micros(hit.p50()), micros(hit.p99()));
                writeln!(page, "| {connections} | {p50} | {p99} | {rss} KiB |").unwrap();
            }
        }
    }

    fn scales_table(&self, page: &mut String) {
        let Some(first) = self.scales.first() else { return };
        page.push_str("\n## By size of the store, one processor\n\n| tokens | hit p50 | hit p99 | × 100 tokens | exact scopes p50 | subset : exact | daemon memory |\n|---|---|---|---|---|---|---|\n");
        for scale in &self.scales {
            let ratio = scale.hit.p50().as_secs_f64() / first.hit.p50().as_secs_f64();
            let (p50, p99) = (micros(scale.hit.p50()), micros(scale.hit.p99()));
            let exact = scale.exact.p50();
            let to_exact = scale.hit.p50().as_secs_f64() / exact.as_secs_f64();
            let (tokens, exact, rss) = (scale.tokens, micros(exact), scale.rss_kib);
            writeln!(page, "| {tokens} | {p50} | {p99} | {ratio:.2} | {exact} | {to_exact:.2} | {rss} KiB |").unwrap();
        }
    }

    fn msal_table(&self, page: &mut String) {
        if !self.msal.is_empty() {
            page.push_str(
                "\n## Beside MSAL Python, in its own process\n\nA hit there asks nobody, so an exact one is quicker than any call over a \
                 socket; a subset of a token's scopes is found by looking through all tokens.\n\n\
                 | tokens | MSAL exact | MSAL subset | broker exact | broker subset |\n|---|---|---|---|---|\n",
            );
        }
        for row in &self.msal {
            let Some(scale) = self.scales.iter().find(|scale| scale.tokens == row.tokens) else { continue };
            let (exact, subset) = (micros(scale.exact.p50()), micros(scale.hit.p50()));
            let Silent { tokens, exact_us, subset_us } = row;
            writeln!(page, "| {tokens} | {exact_us:.1} µs | {subset_us:.1} µs | {exact} | {subset} |").unwrap();
        }
        if let Some(import) = &self.import {
            let (megabytes, seconds) = (import.file_bytes / 1_000_000, import.took.as_secs_f64());
            let (tokens, peak) = (import.tokens, import.peak_kib / 1024);
            writeln!(
                page,
                "\n`cache import-msal` of {tokens} tokens ({megabytes} MB): {seconds:.1} s, the daemon at most {peak} MiB."
            )
            .unwrap();
        }
    }

    /// A plot of the hit by size of the store, both axes from zero up, sizes by their order of magnitude.
    fn plot(&self) -> String {
        let top = self.scales.iter().map(|scale| scale.hit.p99().as_secs_f64() * 1e6).fold(1.0, f64::max) * 1.1;
        let mut plot = String::from(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 320\" font-family=\"sans-serif\" font-size=\"13\">\
             <style>text{fill:#556}line{stroke:#99a}.p50{fill:#2a6fd6}.p99{fill:#c2541b}@media(prefers-color-scheme:dark){text{fill:#bcd}}</style>\
             <line x1=\"60\" y1=\"270\" x2=\"620\" y2=\"270\"/><line x1=\"60\" y1=\"20\" x2=\"60\" y2=\"270\"/>\
             <text x=\"60\" y=\"14\">hit over the socket, µs: p50 (blue), p99 (orange)</text>",
        );
        for (index, scale) in self.scales.iter().enumerate() {
            let x = 120.0 + 140.0 * f64::from(u8::try_from(index).unwrap_or(0));
            for (class, value) in [("p50", scale.hit.p50()), ("p99", scale.hit.p99())] {
                let value = value.as_secs_f64() * 1e6;
                let y = 270.0 - 250.0 * value / top;
                write!(plot, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y:.1}\" r=\"5\"/>").unwrap();
                write!(plot, "<text x=\"{}\" y=\"{:.1}\">{value:.0}</text>", x + 9.0, y + 4.0).unwrap();
            }
            write!(plot, "<text x=\"{x}\" y=\"292\" text-anchor=\"middle\">{}</text>", scale.tokens).unwrap();
        }
        plot.push_str("<text x=\"340\" y=\"314\" text-anchor=\"middle\">tokens in the store</text></svg>\n");
        plot
    }

    /// Writes both into the documentation.
    pub(crate) fn write(&self) {
        let docs = token_broker_tests::folder("../broker/docs");
        fs::create_dir_all(&docs).expect("the folder");
        fs::write(docs.join("figures.md"), self.markdown()).expect("the page");
        fs::write(docs.join("figures.svg"), self.plot()).expect("the plot");
    }
}
