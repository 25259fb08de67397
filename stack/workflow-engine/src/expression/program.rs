//! Compiling jq once and running it within its budget.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jaq_core::{
    Compiler, Ctx, Filter, Vars,
    data::JustLut,
    load::{
        Arena, File, Loader,
        parse::{Def, Term},
    },
};

use super::{
    budget, natives,
    syntax::{self, Mentions},
    text,
    value::Value,
};

/// The longest expression that is read, in bytes; parsing recurses with its nesting.
const MAX_CODE: usize = 4 * 1024;

/// Compiled programs that are kept. A workflow has dozens of expressions and runs them many times.
const CACHED: usize = 512;

/// The variables of every expression.
pub(super) const VARIABLES: [&str; 6] =
    ["$data", "$context", "$env", "$secrets", "$input", "$output"];

/// Why an expression has no value; the texts are those of the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is not jq.
    #[error("failed to parse jq expression: {code}, error: {cause}")]
    Parse {
        /// The expression.
        code: String,
        /// What was expected where.
        cause: String,
    },
    /// It names a filter or variable that does not exist.
    #[error("failed to compile jq expression: {code}, error: {cause}")]
    Compile {
        /// The expression.
        code: String,
        /// What is undefined.
        cause: String,
    },
    /// It ended with an error, or was ended.
    #[error("jq evaluation error: {cause} (in {code})")]
    Evaluation {
        /// The expression.
        code: String,
        /// The error.
        cause: String,
    },
    /// Placeholders that the execution was given no value for, in the contract's words.
    #[error("failed to resolve runtime placeholders: {}", .0.join(", "))]
    Placeholders(Vec<String>),
    /// A condition that is neither true nor false.
    #[error("condition {code} must be a boolean, got {kind}")]
    NotBoolean {
        /// The condition.
        code: String,
        /// What it is instead.
        kind: &'static str,
    },
}

/// A compiled expression.
pub(super) struct Program {
    code: String,
    filter: Filter<JustLut<Value>>,
    pub(super) mentions: Mentions,
}

impl Program {
    /// The program of `code`, compiled on first use.
    pub(super) fn of(code: &str) -> Result<Arc<Self>, ExpressionError> {
        static CACHE: LazyLock<Mutex<BTreeMap<String, Arc<Program>>>> =
            LazyLock::new(Mutex::default);
        let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = cache.get(code) {
            return Ok(program.clone());
        }
        let program = Arc::new(Self::compile(code)?);
        if cache.len() >= CACHED {
            cache.clear();
        }
        cache.insert(code.to_owned(), program.clone());
        Ok(program)
    }

    fn compile(code: &str) -> Result<Self, ExpressionError> {
        let parse_error = |cause: String| ExpressionError::Parse {
            code: shorten(code),
            cause,
        };
        if code.len() > MAX_CODE {
            return Err(parse_error(format!("longer than {MAX_CODE} bytes")));
        }
        let jq = text::normalise(code);
        let term = syntax::guard(syntax::parse(&jq).map_err(parse_error)?);
        let mut mentions = Mentions::default();
        mentions.collect(&term);
        let filter = link(term, &mentions).map_err(|cause| ExpressionError::Compile {
            code: shorten(code),
            cause,
        })?;
        Ok(Self {
            code: code.to_owned(),
            filter,
            mentions,
        })
    }

    /// Runs on `input`; `variables` in the order of [`VARIABLES`]. The first output counts; none is
    /// null.
    pub(super) fn run(
        &self,
        input: Value,
        variables: [Value; 6],
    ) -> Result<Value, ExpressionError> {
        let ctx = Ctx::<JustLut<Value>>::new(&self.filter.lut, Vars::new(variables));
        let first = self.filter.id.run((ctx, input)).next();
        if let Some(excess) = budget::excess() {
            return Err(self.failed(excess.text()));
        }
        match first {
            None => Ok(Value::Null),
            Some(Ok(value)) => Ok(value),
            Some(Err(exception)) => Err(match exception.get_err() {
                Ok(error) => self.failed(error.to_string()),
                Err(_) => self.failed("break outside of its label"),
            }),
        }
    }

    /// The evaluation ended with `cause`.
    pub(super) fn failed(&self, cause: impl Into<String>) -> ExpressionError {
        ExpressionError::Evaluation {
            code: shorten(&self.code),
            cause: cause.into(),
        }
    }
}

/// Compiles the term together with the definitions of the prelude that it needs.
fn link(term: Term<&str>, mentions: &Mentions) -> Result<Filter<JustLut<Value>>, String> {
    const MAIN: &str = "stigmer_main";
    let mut definitions = needed(mentions);
    definitions.push(Def {
        name: MAIN,
        args: Vec::new(),
        body: term,
    });
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(
            &arena,
            File {
                code: MAIN,
                path: (),
            },
        )
        .map_err(|_| "it cannot be loaded".to_owned())?;
    Compiler::default()
        .with_funs(natives::funs())
        .with_global_vars(VARIABLES)
        .compile(modules)
        .map_err(|errors| {
            let undefined = errors.iter().flat_map(|(_, undefined)| undefined);
            let names =
                undefined.map(|(name, kind)| format!("{} {name} is not defined", kind.as_str()));
            names
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
                .join(", ")
        })
}

/// The standard library, in order, each definition guarded and with the filters it calls.
static PRELUDE: LazyLock<Vec<(Def<&'static str>, BTreeSet<String>)>> = LazyLock::new(|| {
    // What is asked of the outside, or defined natively here.
    const LEFT_OUT: [&str; 6] = ["stderr", "debug", "halt", "halt_error", "isnan", "ascii"];
    // The text is part of this program and a test runs every definition.
    let own =
        jaq_core::load::parse(include_str!("prelude.jq"), |p| p.defs()).expect("the prelude is jq");
    let std = jaq_core::defs()
        .chain(jaq_std::defs())
        .filter(|def| !LEFT_OUT.contains(&def.name));
    std.chain(own.into_iter().filter(|def| def.name != "ascii"))
        .map(|def| {
            let guarded = syntax::guard_def(def);
            let mut mentions = Mentions::default();
            mentions.collect(&guarded.body);
            (guarded, mentions.calls)
        })
        .collect()
});

pub(super) fn warm_up() {
    LazyLock::force(&PRELUDE);
}

/// The definitions that are called, directly or by each other. Compiling all of them for every
/// expression would cost more than running it.
fn needed(mentions: &Mentions) -> Vec<Def<&'static str>> {
    let mut names = mentions.calls.clone();
    let mut keep = vec![false; PRELUDE.len()];
    let mut grown = true;
    while grown {
        grown = false;
        for (at, (def, calls)) in PRELUDE.iter().enumerate() {
            if !keep[at] && names.contains(def.name) {
                keep[at] = true;
                grown = true;
                names.extend(calls.iter().cloned());
            }
        }
    }
    PRELUDE
        .iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|((def, _), _)| def.clone())
        .collect()
}

fn shorten(code: &str) -> String {
    const SHOWN: usize = 120;
    match code.char_indices().nth(SHOWN) {
        None => code.to_owned(),
        Some((end, _)) => format!("{}…", &code[..end]),
    }
}
