use super::*;

fn scenario(id: &str, tier: &str) -> Scenario {
    Scenario {
        id: id.into(),
        source: "N".into(),
        tier: tier.into(),
    }
}

fn scenarios() -> Vec<Scenario> {
    [
        ("APP-01", "p"),
        ("APP-04", "p"),
        ("APP-20", "n"),
        ("APP-21", "n"),
        ("FUL-01", "r"),
        ("FUL-07", "p"),
        ("FIX-14b", "p"),
    ]
    .map(|(id, tier)| scenario(id, tier))
    .into()
}

fn suite() -> Vec<SuiteTest> {
    let list = "apply::app_01_app_04_two_agents_are_stored: test\nfull::ful_01_hello: test\nfull::ful_07_validator: test\n\
                fixtures::fix_14b_no_marker: test\nsmoke::talks_to_the_real_model: test\n\
                apply::nightly::app_20_a_hundred_agents: test\n\n6 tests, 0 benchmarks\n";
    parse_list(list, &scenarios())
}

fn selection(tier: Tier, filters: &[&str]) -> Selection {
    Selection {
        tier,
        filters: filters.iter().map(|filter| (*filter).to_owned()).collect(),
        ..Selection::default()
    }
}

fn paths(filters: &[&str]) -> Vec<String> {
    paths_of(Tier::Commit, filters)
}

fn paths_of(tier: Tier, filters: &[&str]) -> Vec<String> {
    select(&suite(), &selection(tier, filters), &scenarios())
        .unwrap()
        .into_iter()
        .map(|test| test.path)
        .collect()
}

fn nothing_for(filter: &str) -> NothingMatches {
    select(&suite(), &selection(Tier::Commit, &[filter]), &scenarios()).unwrap_err()
}

#[test]
fn the_list_gives_paths_with_their_ids() {
    let tests = suite();
    assert_eq!(tests.len(), 6);
    assert_eq!(tests[0].ids, ["APP-01", "APP-04"]);
}

#[test]
fn tests_of_real_scenarios_and_tests_that_say_so_use_the_real_model() {
    let real: Vec<_> = suite()
        .into_iter()
        .filter(|test| test.real_model)
        .map(|test| test.path)
        .collect();
    assert_eq!(
        real,
        ["full::ful_01_hello", "smoke::talks_to_the_real_model"]
    );
}

#[test]
fn no_filter_selects_all_and_filters_add_up_in_the_suites_order() {
    assert_eq!(paths(&[]).len(), 5);
    assert_eq!(
        paths(&["ful-07", "APP-04"]),
        [
            "apply::app_01_app_04_two_agents_are_stored",
            "full::ful_07_validator"
        ]
    );
}

#[test]
fn an_area_selects_all_its_scenarios_and_a_part_of_a_path_its_tests() {
    assert_eq!(
        paths(&["FUL"]),
        ["full::ful_01_hello", "full::ful_07_validator"]
    );
    assert_eq!(
        paths(&["two_agents"]),
        ["apply::app_01_app_04_two_agents_are_stored"]
    );
    assert_eq!(paths(&["smoke::"]), ["smoke::talks_to_the_real_model"]);
    assert_eq!(paths(&["fix-14B"]), ["fixtures::fix_14b_no_marker"]);
}

#[test]
fn a_filter_that_selects_nothing_is_an_error_even_beside_one_that_does() {
    let error = select(
        &suite(),
        &selection(Tier::Commit, &["APP", "RUN-01"]),
        &scenarios(),
    )
    .unwrap_err();
    assert_eq!(error.filter, "RUN-01");
}

#[test]
fn nightly_tests_run_in_their_tier_only_and_are_not_selected_otherwise() {
    let nightly = "apply::nightly::app_20_a_hundred_agents".to_owned();
    assert!(!paths(&[]).contains(&nightly) && !paths(&["APP"]).contains(&nightly));
    assert_eq!(paths_of(Tier::Nightly, &[]).len(), 6);
    assert_eq!(paths_of(Tier::Nightly, &["APP-20"]), [nightly]);
    let nothing = nothing_for("APP-20");
    assert_eq!(nothing.later_tier, Some(Tier::Nightly));
    assert!(
        nothing.to_string().contains("in the tier nightly"),
        "{nothing}"
    );
    assert_eq!(nothing_for("APP-21").later_tier, None);
}

#[test]
fn exact_paths_are_selected_in_their_order_and_must_exist() {
    let exactly = |paths: &[&str]| {
        let selection = Selection {
            exactly: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Selection::default()
        };
        let selected = select(&suite(), &selection, &scenarios())?;
        Ok::<_, NothingMatches>(
            selected
                .into_iter()
                .map(|test| test.path)
                .collect::<Vec<_>>(),
        )
    };
    let order = ["full::ful_07_validator", "full::ful_01_hello"];
    assert_eq!(exactly(&order).unwrap(), order);
    assert_eq!(
        exactly(&["full::ful_01"]).unwrap_err().filter,
        "full::ful_01"
    );
}

#[test]
fn near_misses_are_named() {
    assert_eq!(nothing_for("APP-02").near[..2], ["APP-01", "APP-04"]);
    assert_eq!(
        nothing_for("two_agnets").near,
        ["app_01_app_04_two_agents_are_stored"]
    );
    assert_eq!(nothing_for("zzzzzz").near, Vec::<String>::new());
}

#[test]
fn a_scenario_without_a_test_is_told_apart_from_a_typing_error() {
    assert!(
        nothing_for("app-21")
            .to_string()
            .contains("the suite has no test for it")
    );
    assert!(!nothing_for("APP-02").known_scenario);
}
