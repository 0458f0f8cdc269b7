//! Running cases from the editor: a line above each case, and what came of it.
use crate::cases::{CaseResult, run};
use crate::lang::ast;
use crate::lang::source::FileId;
use crate::lang::typed::Case;
use crate::lsp::findings::Pages;
use crate::lsp::place::path_of;
use crate::lsp::session::{Refused, Session};
use crate::rulebook::Draft;
use gen_lsp_types as lsp;
use serde_json::{Value as Json, json};

/// The command that runs one case of a file, or all of them: arguments are the file's address and the case's name.
pub(super) const RUN: &str = "zhanggui.runCase";

/// A line above each case, and one above all of them.
pub(super) fn lenses(session: &Session, params: &lsp::CodeLensParams) -> Vec<lsp::CodeLens> {
    let uri = &params.text_document.uri;
    let Some((_, _, draft, file)) = path_of(uri).and_then(|path| session.books.of(&path)) else {
        return Vec::new();
    };
    let Some(ast::File::Cases(cases)) = draft.tree(file) else { return Vec::new() };
    let mut pages = Pages::new(draft, session.encoding);
    let mut lens = |span, title: String, name: Option<&str>| lsp::CodeLens {
        range: pages.range(span),
        command: Some(lsp::Command {
            title,
            tooltip: None,
            command: RUN.to_owned(),
            arguments: Some(vec![json!(uri.0)].into_iter().chain(name.map(|n| json!(n))).collect()),
        }),
        data: None,
    };
    let all = cases.head.as_ref().filter(|_| !cases.cases.is_empty());
    let mut out: Vec<lsp::CodeLens> = all
        .map(|head| lens(head.span, format!("▶ run all {} cases", cases.cases.len()), None))
        .into_iter()
        .collect();
    out.extend(
        cases.cases.iter().map(|c| lens(c.name.span, "▶ run this case".to_owned(), Some(&c.name.value))),
    );
    out
}

/// Runs what the command names. The answer has each case; the message says it in words.
pub(super) fn execute(session: &Session, params: &lsp::ExecuteCommandParams) -> Result<Json, Refused> {
    if params.command != RUN {
        return Err(Refused::failed(format!("there is no command `{}`", params.command)));
    }
    let args = params.arguments.as_deref().unwrap_or_default();
    let uri = args.first().and_then(Json::as_str).map(lsp::Uri::from);
    let name = args.get(1).and_then(Json::as_str);
    let found = uri.as_ref().and_then(path_of).and_then(|path| session.books.of(&path));
    let Some((_, _, draft, file)) = found else {
        return Err(Refused::failed("this file belongs to no rulebook that can be read"));
    };
    let Some(books) = draft.rulebooks() else {
        return Err(Refused::failed("the rulebook has errors: cases run once they are mended"));
    };
    let Some(book) = books.books.first() else { return Err(Refused::failed("there is no rulebook")) };
    let wanted = |case: &Case| case.span.file_id() == file && name.is_none_or(|n| case.name == n);
    let results = run(book, wanted);
    if results.is_empty() {
        return Err(Refused::failed("there is no such case in this file"));
    }
    let told: Vec<Json> =
        results.iter().filter_map(|r| told(draft, file, book.cases.get(r.case)?, r)).collect();
    let failed = results.iter().filter(|r| r.failure.is_some()).count();
    Ok(json!({"passed": results.len() - failed, "failed": failed, "cases": told}))
}

fn told(draft: &Draft, file: FileId, case: &Case, result: &CaseResult) -> Option<Json> {
    let expected = match draft.tree(file)? {
        ast::File::Cases(cases) => cases.cases.iter().find(|c| c.span == case.span).map(|c| {
            let spans = c.expect.iter().map(|e| draft.snippet(e.span));
            spans.collect::<Vec<_>>().join(", ")
        }),
        _ => None,
    };
    let (differences, outcome) = match &result.failure {
        Some(failure) => (failure.differences.clone(), failure.outcome.clone()),
        None => (Vec::new(), Vec::new()),
    };
    Some(json!({
        "name": case.name,
        "passed": result.failure.is_none(),
        "expected": expected,
        "differences": differences,
        "outcome": outcome,
    }))
}

/// The result in words, and whether all is well.
pub(super) fn in_words(result: &Json) -> (bool, String) {
    let cases = result["cases"].as_array().map(Vec::as_slice).unwrap_or_default();
    let well = result["failed"] == 0;
    let name = |case: &Json| case["name"].as_str().unwrap_or_default().to_owned();
    let lines = |case: &Json, of: &str| -> Vec<String> {
        let list = case[of].as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    if let [case] = cases {
        let expected = case["expected"].as_str().unwrap_or_default();
        return match well {
            true => (true, format!("\"{}\" passes: {expected}", name(case))),
            false => {
                let mut said = vec![format!("\"{}\" fails", name(case))];
                said.extend(lines(case, "differences"));
                said.extend(lines(case, "outcome").into_iter().map(|l| format!("came: {l}")));
                (false, said.join("\n"))
            }
        };
    }
    let mut said = vec![format!("{} passed, {} failed", result["passed"], result["failed"])];
    for case in cases.iter().filter(|c| c["passed"] == false) {
        said.push(format!("\"{}\": {}", name(case), lines(case, "differences").join("; ")));
    }
    (well, said.join("\n"))
}
