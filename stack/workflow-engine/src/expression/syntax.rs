//! Reading jq: parsing with errors that point, guarding definitions, and finding what an
//! expression refers to.

use std::collections::BTreeSet;

use jaq_core::{
    load::{
        Lexer, Parser,
        lex::{StrPart, Token},
        parse::{BinaryOp, Def, Pattern, Term},
    },
    path::{Part, Path},
};

use super::natives::{ENTER, MATCH};

/// Reads `code`; the error says what was expected and where.
pub(super) fn parse(code: &str) -> Result<Term<&str>, String> {
    let at = |rest: &str| match rest.is_empty() {
        true => "the end".to_owned(),
        false => format!("{:?}", rest.chars().take(20).collect::<String>()),
    };
    let tokens = Lexer::new(code)
        .lex()
        .map_err(|errors| match errors.first() {
            Some((expected, rest)) => format!("{} expected at {}", expected.as_str(), at(rest)),
            None => "not jq".to_owned(),
        })?;
    Parser::new(&tokens)
        .parse(|p| p.term())
        .map_err(|errors| match errors.first() {
            Some((expected, found)) => {
                format!(
                    "{} expected at {}",
                    expected.as_str(),
                    at(Token::opt_as_str(*found, code))
                )
            }
            None => "not jq".to_owned(),
        })
}

/// The definition with every body in it preceded by the budget's guard.
pub(super) fn guard_def(def: Def<&str>) -> Def<&str> {
    let body = BinaryOp::Pipe(None);
    Def {
        body: Term::BinOp(
            Box::new(Term::Call(ENTER, Vec::new())),
            body,
            Box::new(guard(def.body)),
        ),
        ..def
    }
}

/// The term with its inner definitions and regular expressions guarded.
pub(super) fn guard(term: Term<&str>) -> Term<&str> {
    let boxed = |t: Box<Term<_>>| Box::new(guard(*t));
    let part = |part| match part {
        StrPart::Term(t) => StrPart::Term(guard(t)),
        other => other,
    };
    match term {
        Term::Def(defs, rest) => Term::Def(defs.into_iter().map(guard_def).collect(), boxed(rest)),
        Term::Call(name @ ("matches" | "split_matches" | "split_"), arguments) => {
            let arguments = arguments.into_iter().map(guard).collect::<Vec<_>>();
            let afford = Term::Call(MATCH, arguments.clone());
            Term::BinOp(
                Box::new(afford),
                BinaryOp::Pipe(None),
                Box::new(Term::Call(name, arguments)),
            )
        }
        Term::Call(name, arguments) => Term::Call(name, arguments.into_iter().map(guard).collect()),
        Term::Str(format, parts) => Term::Str(format, parts.into_iter().map(part).collect()),
        Term::Arr(inner) => Term::Arr(inner.map(boxed)),
        Term::Obj(entries) => Term::Obj(
            entries
                .into_iter()
                .map(|(k, v)| (guard(k), v.map(guard)))
                .collect(),
        ),
        Term::Neg(inner) => Term::Neg(boxed(inner)),
        Term::BinOp(left, op, right) => Term::BinOp(boxed(left), guard_op(op), boxed(right)),
        Term::Label(name, inner) => Term::Label(name, boxed(inner)),
        Term::Fold(name, source, pattern, terms) => Term::Fold(
            name,
            boxed(source),
            guard_pattern(pattern),
            terms.into_iter().map(guard).collect(),
        ),
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(inner), catch.map(boxed)),
        Term::IfThenElse(cases, otherwise) => Term::IfThenElse(
            cases
                .into_iter()
                .map(|(a, b)| (guard(a), guard(b)))
                .collect(),
            otherwise.map(boxed),
        ),
        Term::Path(head, Path(parts)) => {
            let parts = parts
                .into_iter()
                .map(|(part, opt)| (guard_part(part), opt))
                .collect();
            Term::Path(boxed(head), Path(parts))
        }
        leaf @ (Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_)) => leaf,
    }
}

fn guard_op(op: BinaryOp<&str>) -> BinaryOp<&str> {
    match op {
        BinaryOp::Pipe(Some(pattern)) => BinaryOp::Pipe(Some(guard_pattern(pattern))),
        other => other,
    }
}

fn guard_pattern(pattern: Pattern<&str>) -> Pattern<&str> {
    match pattern {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(guard_pattern).collect()),
        Pattern::Obj(entries) => Pattern::Obj(
            entries
                .into_iter()
                .map(|(k, p)| (guard(k), guard_pattern(p)))
                .collect(),
        ),
    }
}

fn guard_part(part: Part<Term<&str>>) -> Part<Term<&str>> {
    match part {
        Part::Index(index) => Part::Index(guard(index)),
        Part::Range(start, end) => Part::Range(start.map(guard), end.map(guard)),
    }
}

/// What a term says about its surroundings.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    /// Variables, with the `$`.
    pub(super) variables: BTreeSet<String>,
    /// Variables and the first name taken out of them: `$context["fetch"].title` gives
    /// `("$context", "fetch")`.
    pub(super) fields: BTreeSet<(String, String)>,
    /// Filters called.
    pub(super) calls: BTreeSet<String>,
}

impl Mentions {
    pub(super) fn collect(&mut self, term: &Term<&str>) {
        match term {
            Term::Var(name) => drop(self.variables.insert((*name).to_owned())),
            Term::Call(name, arguments) => {
                self.calls.insert((*name).to_owned());
                self.all(arguments);
            }
            Term::Path(head, Path(parts)) => {
                if let (Term::Var(name), Some((Part::Index(Term::Str(None, key)), _))) =
                    (&**head, parts.first())
                    && let [StrPart::Str(key)] = key.as_slice()
                {
                    self.fields.insert(((*name).to_owned(), (*key).to_owned()));
                }
                self.collect(head);
                for (part, _) in parts {
                    match part {
                        Part::Index(index) => self.collect(index),
                        Part::Range(start, end) => self.all(start.iter().chain(end)),
                    }
                }
            }
            Term::Str(format, parts) => {
                self.calls.extend(format.map(str::to_owned));
                self.all(parts.iter().filter_map(|part| match part {
                    StrPart::Term(term) => Some(term),
                    _ => None,
                }));
            }
            Term::Def(defs, rest) => {
                self.all(defs.iter().map(|def| &def.body));
                self.collect(rest);
            }
            Term::BinOp(left, op, right) => {
                if let BinaryOp::Pipe(Some(pattern)) = op {
                    self.pattern(pattern);
                }
                self.all([&**left, &**right]);
            }
            Term::Fold(_, source, pattern, terms) => {
                self.collect(source);
                self.pattern(pattern);
                self.all(terms);
            }
            Term::Arr(inner) => self.all(inner.as_deref()),
            Term::Obj(entries) => entries.iter().for_each(|(key, value)| {
                self.collect(key);
                self.all(value);
            }),
            Term::Neg(inner) | Term::Label(_, inner) => self.collect(inner),
            Term::TryCatch(inner, catch) => {
                self.all([&**inner].into_iter().chain(catch.as_deref()))
            }
            Term::IfThenElse(cases, otherwise) => {
                cases.iter().for_each(|(a, b)| self.all([a, b]));
                self.all(otherwise.as_deref());
            }
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) => {}
        }
    }

    fn all<'t, 's: 't>(&mut self, terms: impl IntoIterator<Item = &'t Term<&'s str>>) {
        terms.into_iter().for_each(|term| self.collect(term));
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        match pattern {
            Pattern::Var(_) => {}
            Pattern::Arr(items) => items.iter().for_each(|item| self.pattern(item)),
            Pattern::Obj(entries) => entries.iter().for_each(|(key, inner)| {
                self.collect(key);
                self.pattern(inner);
            }),
        }
    }
}
