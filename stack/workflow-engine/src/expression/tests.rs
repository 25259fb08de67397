use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};

use super::*;

struct World {
    data: Json,
    context: Json,
    env: Json,
    placeholders: BTreeMap<String, String>,
}

impl World {
    fn new() -> Self {
        Self {
            data: json!({"item": {"x": 7}, "count": 2}),
            context: json!({"fetch": {"title": "fix: it", "n": 10, "list": [3, 1, 2], "none": null}}),
            env: json!({"A": {"value": "1", "is_secret": false}}),
            placeholders: BTreeMap::from([
                ("TOKEN".into(), "marker".into()),
                ("A".into(), "1".into()),
            ]),
        }
    }

    fn with<T>(&self, f: impl FnOnce(Scope<'_>) -> T) -> T {
        let map = |json: &Json| {
            let fields = json.as_object().expect("an object literal").iter();
            fields
                .map(|(name, value)| (name.clone(), Arc::new(value.clone())))
                .collect::<Shared>()
        };
        let (data, context) = (map(&self.data), map(&self.context));
        f(Scope::new(
            Variables {
                data: &data,
                context: &context,
                env: &self.env,
                placeholders: &self.placeholders,
                input: &json!({"who": "me"}),
                output: &json!("before"),
                subject: None,
            },
            Surroundings {
                now: 1_700_000_000.5,
                seed: 42,
            },
        ))
    }
}

fn value(text: &str) -> Result<Json, ExpressionError> {
    World::new().with(|scope| scope.resolve(&json!(text)))
}

fn text_of(error: Result<impl std::fmt::Debug, ExpressionError>) -> String {
    error.expect_err("an expression error").to_string()
}

#[test]
fn a_text_that_is_one_expression_has_its_value() {
    for (text, expected) in [
        ("${ $context[\"fetch\"].title }", json!("fix: it")),
        ("  ${ $context.fetch.n + 1 }  ", json!(11)),
        ("${ $context['fetch'].n }", json!(10)),
        ("${ .item.x }", json!(7)),
        ("${ $data.count }", json!(2)),
        ("${ $env.A.value }", json!("1")),
        ("${ $input.who }", json!("me")),
        ("${ $output }", json!("before")),
        ("${ $secrets.TOKEN }", json!("marker")),
        ("${ .secrets.TOKEN }", json!("marker")),
        ("${ $context.fetch.absent.deep }", json!(null)),
        ("${ empty }", json!(null)),
        ("${ 1, 2 }", json!(1)),
        (
            "${ {a: .item, b: [1, null]} }",
            json!({"a": {"x": 7}, "b": [1, null]}),
        ),
    ] {
        assert_eq!(value(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn inside_longer_text_values_are_written_as_text() {
    for (text, expected) in [
        ("Bearer ${ .secrets.TOKEN }", "Bearer marker"),
        (
            "#${ $context.fetch.n }: ${$context.fetch.title}",
            "#10: fix: it",
        ),
        (
            "${ $context.fetch.list } ${ $context.fetch.none }",
            "[3,1,2] null",
        ),
        (
            "https://x/${.env_vars.A}?t=${.secrets.TOKEN}",
            "https://x/1?t=marker",
        ),
        ("no expression at all", "no expression at all"),
        ("open ${ .a", "open ${ .a"),
    ] {
        assert_eq!(value(text).unwrap(), json!(expected), "{text}");
    }
}

#[test]
fn trees_are_resolved_at_every_level_and_other_values_kept() {
    let tree = json!({"a": ["${ .item.x }", 1, {"b": "n=${ .count }"}], "c": null, "d": true});
    let resolved = World::new().with(|scope| scope.resolve(&tree)).unwrap();
    assert_eq!(
        resolved,
        json!({"a": [7, 1, {"b": "n=2"}], "c": null, "d": true})
    );
}

#[test]
fn the_standard_library_is_there() {
    for (code, expected) in [
        ("[3,1,2] | sort | map(. * 2) | add", json!(12)),
        ("\"a,b\" | split(\",\") | join(\"-\")", json!("a-b")),
        (
            "{a: 1} + {b: 2} | to_entries | map(.key) | join(\"\")",
            json!("ab"),
        ),
        ("[1,2,3] | any(. > 2), all(. > 2)", json!(true)),
        ("\"fix: it\" | test(\"^fix\")", json!(true)),
        ("\"a1b22\" | [scan(\"[0-9]+\")]", json!(["1", "22"])),
        ("\"x\" | gsub(\"x\"; \"y\")", json!("y")),
        (
            "\"Hello\" | ascii_downcase | ltrimstr(\"he\")",
            json!("llo"),
        ),
        ("\"7\" | tonumber", json!(7)),
        ("[1,[2]] | flatten", json!([1, 2])),
        ("{\"a\":[1]} | tojson | fromjson | .a[0]", json!(1)),
        ("\"hi\" | @base64", json!("aGk=")),
        ("[1,\"a\\\"b\"] | @csv", json!("1,\"a\"\"b\"")),
        ("@uri \"q=\\(\"a b\")\"", json!("q=a%20b")),
        ("[range(5)] | .[1:3]", json!([1, 2])),
        ("[1,2] | contains([2])", json!(true)),
        (
            "{} | .a.b = 1 | .l[2] = 3",
            json!({"a": {"b": 1}, "l": [null, null, 3]}),
        ),
        ("[1,2,3] | del(.[1])", json!([1, 3])),
        (
            "{\"a\":1,\"b\":2} | with_entries(.value += 1) | keys",
            json!(["a", "b"]),
        ),
        (
            "[{\"k\":1,\"v\":2},{\"k\":1,\"v\":3}] | group_by(.k) | map(length)",
            json!([2]),
        ),
        ("try error(\"no\") catch .", json!("no")),
        ("(null | length), 1 | . // 5", json!(0)),
        ("7 / 2, 6 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("[limit(3; repeat(1))] | length", json!(3)),
        ("reduce range(10) as $i (0; . + $i)", json!(45)),
        ("[[1,2],[3]] | transpose", json!([[1, 3], [2, null]])),
        ("2 | IN(1, 2)", json!(true)),
        ("\"a-b\" | index(\"-\")", json!(1)),
        ("1700000000 | todate", json!("2023-11-14T22:13:20Z")),
        (
            "def f($n): if $n < 1 then 0 else $n + f($n - 1) end; f(50)",
            json!(1275),
        ),
        ("[[1, {a: 2}] | ..] | length", json!(4)),
        ("nan | isnan", json!(true)),
        ("[nan, 1] | sort | .[1]", json!(1)),
        (
            "9223372036854775807 + 1",
            json!(9_223_372_036_854_775_808.0),
        ),
    ] {
        assert_eq!(
            value(&format!("${{ {code} }}")).map_err(|e| e.to_string()),
            Ok(expected),
            "{code}"
        );
    }
}

#[test]
fn now_and_uuid_come_from_the_workflow() {
    assert_eq!(value("${ now() | floor }").unwrap(), json!(1_700_000_000));
    let both = json!([
        "${ uuid }",
        "${ uuid }",
        "${ [uuid, uuid] | unique | length }"
    ]);
    let first = World::new().with(|scope| scope.resolve(&both)).unwrap();
    assert_eq!(
        first,
        World::new().with(|scope| scope.resolve(&both)).unwrap()
    );
    assert_ne!(first[0], first[1]);
    assert_eq!(first[2], json!(2));
    let id = first[0].as_str().unwrap();
    assert!(
        regex_lite::Regex::new(
            "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        )
        .unwrap()
        .is_match(id),
        "{id}"
    );
}

#[test]
fn nothing_outside_the_workflow_can_be_asked() {
    for filter in [
        "env",
        "$ENV",
        "halt",
        "debug",
        "input",
        "localtime",
        "$__prog_args",
        "import \"a\" as a; 1",
    ] {
        assert!(value(&format!("${{ {filter} }}")).is_err(), "{filter}");
    }
}

#[test]
fn errors_name_the_expression_and_the_cause() {
    let parse = text_of(value("${ .a | }"));
    assert!(
        parse.starts_with("failed to parse jq expression: .a |, error: term expected at the end"),
        "{parse}"
    );
    let compile = text_of(value("${ nope(1) + $nope }"));
    assert!(
        compile.starts_with("failed to compile jq expression: nope(1) + $nope, error: "),
        "{compile}"
    );
    assert!(
        compile.contains("filter nope is not defined") && compile.contains("variable $nope"),
        "{compile}"
    );
    let evaluation = text_of(value("${ $context.fetch.list.length }"));
    assert!(
        evaluation.starts_with("jq evaluation error: cannot index"),
        "{evaluation}"
    );
    let missing = text_of(value(
        "${.secrets.NOPE} ${.env_vars.NADA} ${.secrets.TOKEN}",
    ));
    assert_eq!(
        missing,
        "failed to resolve runtime placeholders: secrets.NOPE, env_vars.NADA"
    );
}

#[test]
fn conditions_are_true_false_or_an_error() {
    let holds = |text: &str| World::new().with(|scope| scope.holds(text));
    for (text, expected) in [
        ("${ $context.fetch.n == 10 }", true),
        ("${ $context[\"fetch\"].n } > 10", false),
        ("${ $context[\"fetch\"].title } | contains(\"fix\")", true),
        ("$context.fetch.title | startswith('feat')", false),
        ("${ $context.fetch.absent.success == true }", false),
        ("${ $context.fetch.absent }", false),
        ("${ \"TRUE\" }", true),
        ("true", true),
    ] {
        assert_eq!(
            holds(text).map_err(|e| e.to_string()),
            Ok(expected),
            "{text}"
        );
    }
    assert_eq!(
        text_of(holds("${ $context.fetch.list }")),
        "condition ${ $context.fetch.list } must be a boolean, got array"
    );
}

/// Each of these would run for ever, eat the memory, or overflow the stack.
#[test]
fn whatever_never_ends_ends_with_an_error() {
    let begin = std::time::Instant::now();
    for code in [
        "def f: f; f",
        "def f: try error(1) catch f; f",
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: .a | f; f",
        "[repeat(1)]",
        "last(range(infinite))",
        "[range(1e12)]",
        "until(false; . )",
        "[recurse(.)]",
        "[limit(1e12; repeat(1))]",
        "[range(1000)] | [.[] + .[] + .[] + .[]]",
        "[range(1000)] | {a: .[], b: .[], c: .[]} | empty",
        "reduce range(100) as $i (\"a\"; . + .)",
        "reduce range(100) as $i ([1]; [., .]) | tojson",
        "reduce range(1000) as $i (1; [.])",
        "\"abc\" * 1e12",
        "[range(100000) | \"x\" * 4000000]",
        ".[1000000000] = 1",
        "[range(2000)] | [combinations(5)]",
        "\"a\" * 100000 | test(\"(a*)*{1000}b{1000}\")",
        "[path(repeat(.))]",
        "def f: path(f); f",
    ] {
        let error = value(&format!("${{ null | {code} }}")).map_err(|e| e.to_string());
        let error = error.expect_err(code);
        assert!(
            error.starts_with("jq evaluation error: ") || error.contains("regex"),
            "{code}: {error}"
        );
    }
    assert!(begin.elapsed().as_secs() < 60, "{:?}", begin.elapsed());
}

#[test]
fn code_nested_beyond_reason_is_an_error_not_a_crash() {
    for code in [
        "(".repeat(4000),
        "[".repeat(2000) + &"]".repeat(2000) + "|",
        "-".repeat(4000) + "nope",
        "if ".repeat(1300),
        "a".repeat(9000),
        "1|".repeat(2000),
        "{a:".repeat(1000) + "1" + &"}".repeat(1000) + "|",
        "1+".repeat(2000),
    ] {
        assert!(value(&format!("${{ {code} }}")).is_err());
    }
}

#[test]
fn references_are_found_wherever_they_stand() {
    let found = references(
        "${ $context[\"a\"].x } and ${ [$data.b, ($context.c | .d)] | map(. + $context['e']) }",
    )
    .unwrap();
    let names = found
        .iter()
        .map(|(v, f)| format!("{v}.{f}"))
        .collect::<Vec<_>>();
    assert_eq!(names, ["$context.a", "$context.c", "$context.e", "$data.b"]);
    assert!(references("${ ] }").is_err());
    assert_eq!(references_of_condition("$context.a == 1").unwrap().len(), 1);
}

/// Paths are read without jq; in parentheses they are not, and must mean the same.
#[test]
fn a_path_means_what_jq_means_by_it() {
    let mut world = World::new();
    world.data = json!({
        "item": {"x": 7, "list": [1, [2.0, 2.5, 1e300], null], "big": u64::MAX},
        "a b": "c",
        "text": "t",
    });
    for path in [
        ".",
        ".item",
        ".item.list",
        ".item.list[1][0]",
        ".item.list[1][2]",
        ".item.list[9].deep[1]",
        ".item.big",
        ".item.none.deep",
        ".item[0]",
        ".item.list.x",
        ".text.x",
        ".text[0]",
        ".[\"a b\"]",
        ".['a b']",
        ".secrets.TOKEN",
        ".env_vars",
        ".[0]",
        "$data",
        "$data.item.x",
        "$data[0]",
        "$context.fetch.list[2]",
        "$context['fetch']",
        "$env.A.value",
        "$env.B.value",
        "$secrets.TOKEN",
        "$secrets.NOPE",
        "$secrets",
        "$input.who",
        "$output",
        "$output.x",
        "$nope",
        "$nope.x",
    ] {
        let texts = [format!("${{ {path} }}"), format!("${{ ({path}) }}")];
        let [plain, jq] = texts.map(|text| world.with(|scope| scope.resolve(&json!(text))));
        assert_eq!(plain.is_err(), jq.is_err(), "{path}: {plain:?} {jq:?}");
        if let (Ok(plain), Ok(jq)) = (plain, jq) {
            assert_eq!(plain, jq, "{path}");
        }
        let [plain, jq] = [path.to_owned(), format!("({path})")]
            .map(|code| world.with(|scope| scope.holds(&code).ok()));
        assert_eq!(plain, jq, "{path}");
    }
}

#[test]
fn data_too_large_for_jq_is_an_error_and_not_null() {
    let mut world = World::new();
    world.data = json!({"big": vec!["x".repeat(1000); 5000], "small": 1});
    let value = |text: &str| world.with(|scope| scope.resolve(&json!(text)));
    assert_eq!(value("${ .small }").unwrap(), json!(1));
    let error = text_of(value("${ .small + 1 }"));
    assert!(
        error.contains("what it works on is larger than 4 MiB"),
        "{error}"
    );
    // Many small values are not steps of the expression.
    let small = json!({"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""});
    world.data = json!({"many": vec![small; 60_000]});
    let value = |text: &str| world.with(|scope| scope.resolve(&json!(text)));
    assert_eq!(value("${ .many | length }").unwrap(), json!(60_000));
}
