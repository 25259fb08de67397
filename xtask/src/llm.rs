//! Which model answers: what is typed, and what it stands for on this machine.

use anyhow::Result;
use stigmer_e2e_plan::{ExitCode, LlmChoice, OllamaServer, failure};

use crate::checkout::{Checkout, utf8};

/// Where recorded answers are, below the checkout.
pub const CASSETTES: &str = "fixtures/cassettes";

/// The model that was chosen, with the folder of recorded answers in full, or with the Ollama that was
/// found.
///
/// # Errors
///
/// When there is no such folder, or no Ollama.
pub fn chosen_llm(choice: &LlmChoice, checkout: &Checkout) -> Result<LlmChoice> {
    let cassettes = match choice {
        LlmChoice::Replay { cassettes } => cassettes,
        LlmChoice::Ollama { .. } => {
            let server = Some(find_ollama()?);
            return Ok(LlmChoice::Ollama { server });
        }
        other => return Ok(other.clone()),
    };
    let cassettes = checkout.root.join(cassettes);
    if cassettes.is_dir() {
        return Ok(LlmChoice::Replay { cassettes });
    }
    Err(failure(
        ExitCode::Usage,
        format!("{cassettes} is no folder of recorded answers"),
        "record them with `cargo xtask cassettes refresh`, or name another folder: --llm replay=<folder>",
    ))
}

/// Reads `--llm`.
pub fn parse_llm(text: &str) -> Result<LlmChoice, String> {
    let openai = match text {
        "llama-cpp" => return Ok(LlmChoice::LlamaCpp),
        "none" => return Ok(LlmChoice::None),
        "ollama" => return Ok(LlmChoice::Ollama { server: None }),
        "replay" => {
            // Below the checkout, which is not known yet.
            let cassettes = CASSETTES.into();
            return Ok(LlmChoice::Replay { cassettes });
        }
        _ => text,
    };
    if let Some(folder) = openai.strip_prefix("replay=") {
        let absolute = std::path::absolute(folder).map_err(|error| error.to_string())?;
        let cassettes = utf8(absolute).map_err(|error| error.to_string())?;
        return Ok(LlmChoice::Replay { cassettes });
    }
    let openai = openai.strip_prefix("openai=").ok_or(
        "use `llama-cpp`, `ollama`, `none`, `replay`, `replay=<folder>`, or `openai=<base url>,<model>`",
    )?;
    let (base_url, model) = openai
        .split_once(',')
        .ok_or("the model is missing: openai=<base url>,<model>")?;
    let is_url = base_url
        .strip_prefix("http://")
        .or_else(|| base_url.strip_prefix("https://"))
        .is_some_and(|rest| !rest.is_empty());
    if !is_url {
        return Err(format!(
            "`{base_url}` is no URL such as http://localhost:11434/v1"
        ));
    }
    if model.is_empty() {
        return Err("the model's name is empty: openai=<base url>,<model>".to_owned());
    }
    Ok(LlmChoice::OpenAi {
        base_url: base_url.trim_end_matches('/').to_owned(),
        model: model.to_owned(),
    })
}

/// The choice as it is typed.
pub fn describe_llm(llm: &LlmChoice) -> String {
    match llm {
        LlmChoice::LlamaCpp => "llama-cpp".to_owned(),
        LlmChoice::OpenAi { base_url, model } => format!("openai={base_url},{model}"),
        LlmChoice::Replay { cassettes } => format!("replay={cassettes}"),
        LlmChoice::Ollama { .. } => "ollama".to_owned(),
        LlmChoice::None => "none".to_owned(),
    }
}

/// The Ollama that `OLLAMA_HOST` names, or else the program on `PATH`.
fn find_ollama() -> Result<OllamaServer> {
    if let Ok(host) = std::env::var("OLLAMA_HOST")
        && !host.trim().is_empty()
    {
        return Ok(OllamaServer::Running(ollama_url(&host)));
    }
    match which::which("ollama") {
        Ok(program) => Ok(OllamaServer::Program(utf8(program)?)),
        Err(_) => Err(failure(
            ExitCode::PrerequisiteMissing,
            "no Ollama was found: OLLAMA_HOST is not set, and `ollama` is not on PATH",
            "set OLLAMA_HOST to one that runs, install it (`nix develop` has it), or use --llm llama-cpp",
        )),
    }
}

/// The URL that `OLLAMA_HOST` stands for, as Ollama itself reads it: scheme and port may be left out.
fn ollama_url(host: &str) -> String {
    let host = host.trim().trim_end_matches('/');
    let (scheme, rest, port) = match host.split_once("://") {
        Some(("https", rest)) => ("https", rest, 443),
        Some((scheme, rest)) => (scheme, rest, 80),
        None => ("http", host, 11434),
    };
    let (name, port) = match rest.rsplit_once(':') {
        // A colon inside brackets is part of an IPv6 address.
        Some((name, port)) if !port.contains(']') => (name, port.to_owned()),
        _ => (rest, port.to_string()),
    };
    let name = match name {
        // What listens everywhere is reached here.
        "" | "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        name => name,
    };
    format!("{scheme}://{name}:{port}")
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::*;

    #[test]
    fn a_model_is_chosen_in_one_word() {
        assert_eq!(parse_llm("llama-cpp"), Ok(LlmChoice::LlamaCpp));
        assert_eq!(parse_llm("none"), Ok(LlmChoice::None));
        let ollama = LlmChoice::Ollama { server: None };
        assert_eq!(parse_llm("ollama"), Ok(ollama));
        let openai = LlmChoice::OpenAi {
            base_url: "http://localhost:11434/v1".into(),
            model: "qwen2.5-coder:7b".into(),
        };
        assert_eq!(
            parse_llm("openai=http://localhost:11434/v1/,qwen2.5-coder:7b"),
            Ok(openai.clone())
        );
        assert_eq!(parse_llm(&describe_llm(&openai)), Ok(openai));
    }

    #[test]
    fn a_wrong_model_choice_says_what_is_right() {
        let error = |text: &str| parse_llm(text).expect_err("refused");
        assert!(error("gpt").contains("openai=<base url>,<model>"));
        assert!(error("openai=http://localhost/v1").contains("model is missing"));
        assert!(error("openai=localhost,m").contains("is no URL"));
        assert!(error("openai=http://,m").contains("is no URL"));
        assert!(error("openai=http://localhost/v1,").contains("name is empty"));
    }

    #[test]
    fn ollama_is_found_where_it_would_look_itself() {
        for (host, url) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            (":9000", "http://127.0.0.1:9000"),
            ("[::]:9000", "http://[::1]:9000"),
            ("[::1]", "http://[::1]:11434"),
            ("http://gpu/", "http://gpu:80"),
            ("https://gpu:8443", "https://gpu:8443"),
        ] {
            assert_eq!(ollama_url(host), url, "{host}");
        }
    }

    #[test]
    fn recorded_answers_are_those_of_the_checkout_or_of_a_folder() {
        let replay = |cassettes: &str| LlmChoice::Replay {
            cassettes: cassettes.into(),
        };
        let own = parse_llm("replay").expect("a choice");
        assert_eq!(own, replay(CASSETTES));
        assert_eq!(parse_llm("replay=/there"), Ok(replay("/there")));
        assert_eq!(describe_llm(&replay("/there")), "replay=/there");
        let root = tempfile::tempdir().expect("a folder");
        let checkout = Checkout {
            root: Utf8Path::from_path(root.path()).expect("UTF-8").to_owned(),
            target: "/t".into(),
            binaries: "/t/debug".into(),
            cache: "/k".into(),
        };
        let error = chosen_llm(&own, &checkout).expect_err("there are none");
        assert_eq!(stigmer_e2e_plan::exit_code_of(&error), ExitCode::Usage);
        let folder = checkout.root.join(CASSETTES);
        std::fs::create_dir_all(&folder).expect("writable");
        let chosen = chosen_llm(&own, &checkout).expect("they are there");
        assert_eq!(chosen, replay(folder.as_str()));
    }
}
