// The HTML page of a collection's report: one file that asks for nothing from anywhere.
//
// Its parts are eval/report_page/page.{html,css,js} and Chart.js, embedded at build time. What it shows is
// JSON in a script element, and becomes text by textContent only, so that no name can be read as HTML.
#pragma once

#include <span>
#include <string>

#include "eval/collection_report.h"
#include "eval/history.h"
#include "eval/run.h"

namespace swinzoo::eval {

// Raw samples are left out, and of each model and machine one profile is kept, that of the smallest batch.
// `runs` are those that the report was made of; `history` gives the trends of its models, those of two
// commits and more, the last 100 commits of each.
std::string to_html(const CollectionReport& report, std::span<const Run> runs,
                    std::span<const HistoryRow> history);

// The page's data; docs/report.md does not promise its form.
json::value page_data(const CollectionReport& report, std::span<const Run> runs,
                      std::span<const HistoryRow> history);

// The embedded parts.
std::string page_html_text();
std::string page_css_text();
std::string page_js_text();
std::string chart_js_text();

}  // namespace swinzoo::eval
