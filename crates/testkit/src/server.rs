//! Starts the binary as a server, and sends requests over plain sockets.

use std::{
    borrow::BorrowMut,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{models, tiny::TinyModel};

/// A server of its own; it's killed when the test ends.
pub struct Server {
    child: Child,
    /// What it writes to standard error.
    log: tempfile::NamedTempFile,
    /// HOST:PORT.
    pub address: String,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Server {
    /// Starts one on a free port, with SmolLM2.
    pub fn start(args: &[&str], key: Option<&str>) -> Server {
        let mut command = Server::command(args);
        command.env("KELVIN_MODELS", models::folder());
        if let Some(key) = key {
            command.env("KELVIN_API_KEY", key);
        }
        Server::spawn(command)
    }

    /// Starts one on a free port, with a very small model of random weights.
    pub fn tiny(model: &TinyModel, args: &[&str]) -> Server {
        let path = model.write();
        let server = Server::of_file(&path, args);
        // It's in memory.
        std::fs::remove_file(path).unwrap();
        server
    }

    /// Starts one with a model file, on a free port unless the arguments name one.
    pub fn of_file(path: &Path, args: &[&str]) -> Server {
        let mut command = Server::command(args);
        Server::spawn(command.arg("--model").arg(path))
    }

    /// Starts the server with a variable in its environment.
    pub fn of_file_with(path: &Path, args: &[&str], variable: (&str, &str)) -> Server {
        let mut command = Server::command(args);
        Server::spawn(command.arg("--model").arg(path).env(variable.0, variable.1))
    }

    fn command(args: &[&str]) -> Command {
        let mut command = crate::kelvin();
        command.args(["serve", "--offline"]).args(args);
        if !args.contains(&"--port") {
            command.args(["--port", "0"]);
        }
        command.env_remove("KELVIN_MODEL").env_remove("KELVIN_API_KEY");
        command
    }

    fn spawn(mut command: impl BorrowMut<Command>) -> Server {
        let log = tempfile::NamedTempFile::new().unwrap();
        let command = command.borrow_mut().stdout(Stdio::piped()).stderr(log.reopen().unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((_, address)) = line.trim().split_once(" on http://") else {
            panic!(
                "no start (kelvin models pull smollm2 fetches the model): {line:?}, {}",
                read(&log)
            )
        };
        Server { child, address: address.to_string(), log }
    }

    /// What it has written to standard error.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of computing that it has cost so far, which other programs don't change; where the
    /// system doesn't tell, none.
    pub fn cpu_secs(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        // After its name, which may hold anything, the 12th and 13th: hundredths of a second in the
        // program and for it in the system.
        let fields =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
    }

    /// Sends the bytes of a request and leaves the connection open.
    pub fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        let is_typed = method != "POST" || headers.contains("Content-Type:");
        let kind = if is_typed { "" } else { "Content-Type: application/json\r\n" };
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{kind}{headers}Content-Length: {}\r\nConnection: \
             close\r\n\r\n",
            body.len()
        );
        // A server that refuses may close before it has read all of it.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        stream
    }

    /// A whole exchange.
    pub fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.answer(self.send(method, path, headers, body))
    }

    /// What comes back on a connection.
    pub fn answer(&self, mut stream: TcpStream) -> Answer {
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).unwrap();
        let split = text.split_once("\r\n\r\n");
        let (head, rest) = split.unwrap_or_else(|| panic!("no answer: {text:?}, {end:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let is_chunked = head.contains("transfer-encoding: chunked");
        let body = if is_chunked { unchunked(rest) } else { rest.to_string() };
        Answer { status, head: head.to_string(), body }
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.exchange("POST", path, "", &body.to_string())
    }

    /// Posts JSON that has to be answered well.
    pub fn good(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body);
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// The number of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let text = self.exchange("GET", "/metrics", "", "").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        // What has never happened isn't listed.
        line.map_or(0.0, |line| line.trim().parse().unwrap())
    }

    /// Waits until a metric has a value.
    pub fn wait_for(&self, name: &str, value: f64) {
        let begun = Instant::now();
        while self.metric(name) != value {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{name} is {}, not {value}",
                self.metric(name)
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the process to end.
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends the process a signal.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Whether the process hasn't ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the process's end.
    #[track_caller]
    pub fn end(&mut self) -> ExitStatus {
        crate::ended(&mut self.child).unwrap_or_else(|| panic!("it doesn't end: {}", self.log()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(log: &tempfile::NamedTempFile) -> String {
    std::fs::read_to_string(log.path()).unwrap()
}

fn unchunked(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((len, tail)) = rest.split_once("\r\n") {
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            break;
        }
        body.push_str(&tail[..len]);
        rest = &tail[len + 2..];
    }
    body
}

/// The text of choice `index` in a stream of events.
pub fn streamed_text(body: &str, index: u64) -> String {
    let events = body.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let mut text = String::new();
    for event in events.filter(|event| *event != "[DONE]") {
        let event: Value = serde_json::from_str(event).unwrap();
        for choice in
            event["choices"].as_array().unwrap().iter().filter(|choice| choice["index"] == index)
        {
            text += choice["text"].as_str().or(choice["delta"]["content"].as_str()).unwrap_or("");
        }
    }
    text
}
