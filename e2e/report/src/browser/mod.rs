//! A browser without a window, spoken to by its DevTools protocol: for pictures of a report, and for
//! the tests that look at it as a reader does.

mod pipe;
mod screenshots;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use self::pipe::Pipe;
pub use self::screenshots::{FOLDER as SCREENSHOTS, screenshots};

/// What Chromium is called by those who package it.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
/// How long any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Something about the browser went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// There is none.
    #[error("no Chromium is on PATH; install one (Debian: apt-get install chromium)")]
    Missing,
    /// It does not start.
    #[error("{program} does not start: {reason}")]
    Start {
        /// The browser.
        program: Utf8PathBuf,
        /// The reason.
        reason: String,
    },
    /// It went away, or gave no answer in time.
    #[error("the browser gave no answer to {method}: {reason}")]
    Silent {
        /// What was asked.
        method: String,
        /// How it was noticed.
        reason: String,
    },
    /// It refused.
    #[error("the browser refuses {method}: {reason}")]
    Refused {
        /// What was asked.
        method: String,
        /// Its words.
        reason: String,
    },
}

/// The Chromium of this machine.
///
/// # Errors
///
/// When there is none on `PATH`.
pub fn find() -> Result<Utf8PathBuf, BrowserError> {
    let found = NAMES.iter().find_map(|name| which::which(name).ok());
    found
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .ok_or(BrowserError::Missing)
}

/// The address of a file.
fn url_of(file: &Utf8Path) -> String {
    // `%` first, or what stands for the others would be changed again.
    let special = [("%", "%25"), (" ", "%20"), ("#", "%23"), ("?", "%3F")];
    let escape = |path: String, (from, to): (&str, &str)| path.replace(from, to);
    let path = special.into_iter().fold(file.to_string(), escape);
    format!("file://{path}")
}

/// What the page is shown on.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// `desktop` or `phone`.
    pub name: &'static str,
    /// In pixels of the page.
    pub width: u32,
    /// In pixels of the page.
    pub height: u32,
    /// Whether it is held in a hand.
    pub mobile: bool,
}

/// A desk.
pub const DESKTOP: Screen = Screen {
    name: "desktop",
    width: 1280,
    height: 1600,
    mobile: false,
};
/// A hand.
pub const PHONE: Screen = Screen {
    name: "phone",
    width: 390,
    height: 1200,
    mobile: true,
};

/// One page in a browser of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Page {
    pipe: Pipe,
    session: String,
}

impl Page {
    /// Starts the browser `program` with an empty page.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn open(program: &Utf8Path) -> Result<Self, BrowserError> {
        let mut pipe = Pipe::start(program)?;
        let target = pipe.ask("Target.createTarget", json!({"url": "about:blank"}), None)?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = pipe.ask("Target.attachToTarget", attach, None)?;
        let session = attached["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut page = Self { pipe, session };
        for domain in ["Page", "Runtime", "Network"] {
            page.ask(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(page)
    }

    /// Shows what follows on `screen`, in the colours `scheme`: `light` or `dark`.
    ///
    /// # Errors
    ///
    /// When the browser refuses or is silent.
    pub fn show_on(&mut self, screen: Screen, scheme: &str) -> Result<(), BrowserError> {
        let Screen {
            width,
            height,
            mobile,
            ..
        } = screen;
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.ask("Emulation.setDeviceMetricsOverride", metrics)?;
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.ask("Emulation.setEmulatedMedia", json!({"features": features}))?;
        Ok(())
    }

    /// Goes to the file `page` at `hash`, and waits until it is loaded.
    ///
    /// # Errors
    ///
    /// When the browser refuses or is silent.
    pub fn go(&mut self, page: &Utf8Path, hash: &str) -> Result<(), BrowserError> {
        // From an empty page, because another hash alone would load nothing.
        for url in ["about:blank".to_owned(), format!("{}#{hash}", url_of(page))] {
            self.pipe.events.clear();
            self.ask("Page.navigate", json!({"url": url}))?;
            self.pipe.wait_for("Page.loadEventFired")?;
        }
        Ok(())
    }

    /// What a JavaScript expression gives, as JSON.
    ///
    /// # Errors
    ///
    /// When it throws, or the browser is silent.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value, BrowserError> {
        let what = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.ask("Runtime.evaluate", what)?;
        match answer.get("exceptionDetails") {
            Some(thrown) => Err(BrowserError::Refused {
                method: expression.to_owned(),
                reason: thrown["exception"]["description"].to_string(),
            }),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    /// Presses and releases a key, such as `j` or `Tab`.
    ///
    /// # Errors
    ///
    /// When the browser refuses or is silent.
    pub fn press(&mut self, key: &str) -> Result<(), BrowserError> {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            key => (0, Some(key)),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code});
            if let Some(text) = text {
                event["text"] = text.into();
            }
            self.ask("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// What the page asked for since it was gone to, itself included.
    pub fn requests(&self) -> Vec<String> {
        let events = self.pipe.events.iter();
        let asked = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        let url = |event: &Value| Some(event["params"]["request"]["url"].as_str()?.to_owned());
        asked.filter_map(url).collect()
    }

    /// A picture of what is on the screen, as PNG.
    ///
    /// # Errors
    ///
    /// When the browser refuses or is silent.
    pub fn picture(&mut self) -> Result<Vec<u8>, BrowserError> {
        let answer = self.ask("Page.captureScreenshot", json!({"format": "png"}))?;
        let data = answer["data"].as_str().unwrap_or_default();
        STANDARD.decode(data).map_err(|error| BrowserError::Silent {
            method: "Page.captureScreenshot".to_owned(),
            reason: error.to_string(),
        })
    }

    fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, BrowserError> {
        self.pipe.ask(method, parameters, Some(&self.session))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_the_same_as_an_address() {
        assert_eq!(url_of("/a b/50%#1?".into()), "file:///a%20b/50%25%231%3F");
    }
}
