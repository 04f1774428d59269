// Options that several subcommands have in common, and how they print.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "formats/json.h"
#include "formats/number.h"
#include "zoo/catalog.h"
#include "zoo/spec_from_tensors.h"

namespace swinzoo::cmd {

// Checks of an option's value that say nothing in --help: the option's type_name does. A number is read as
// whole_number() does, since CLI11 itself takes -1 and what is too large for numbers without a sign.
template <typename Number>
CLI::Validator in_range(Number least, Number most) {
  const auto check = [least, most](const std::string& text) {
    const auto number = whole_number<Number>(text);  // nan is within no bounds
    if (number.has_value() && *number >= least && *number <= most) return std::string();
    return fmt::format("{} is not within {} to {}", text, least, most);
  };
  return CLI::Validator(check, "");
}
CLI::Validator one_of(const std::vector<std::string>& words);

// Declares --format text|json and its short form --json. `json` outlives the app's parsing.
void add_format_option(CLI::App& app, bool& json);

// Declares --catalog FILE, or SWINZOO_CATALOG. `path` outlives the app's parsing.
void add_catalog_option(CLI::App& app, std::string& path);

// Declares --history FILE. `path` outlives the app's parsing.
void add_history_option(CLI::App& app, std::string& path);

// The history's file: `path`, else where it lies by default (eval/history.h).
std::filesystem::path history_path(const std::string& path);

// Declares --arch NAME, --img-size N and --frames N (zoo/spec_from_tensors.h). `hints` outlives the app's
// parsing.
void add_hint_options(CLI::App& app, zoo::SpecHints& hints);

// The built-in catalog, with the rows of the file at `path` unless that is empty. Throws as
// Catalog::with_file does.
zoo::Catalog load_catalog(const std::string& path);

// The collections that the catalog's entries are of, each once, in its order.
std::vector<std::string> collections_of(const zoo::Catalog& catalog);

// The entries of a collection, in the catalog's order, in which they live. Throws kNotFound if there is no
// such collection, saying which there are and which may have been meant.
std::vector<const zoo::ModelSpec*> entries_of_collection(const std::string& collection,
                                                         const zoo::Catalog& catalog);

// The models, and all entries of a collection of the catalog after them, unless its name is empty. Throws
// as entries_of_collection().
std::vector<std::string> with_collection(std::vector<std::string> models, const std::string& collection,
                                         const zoo::Catalog& catalog);

// Calls body(model) for each model in turn. One that fails is reported on standard error and does not stop
// the others: the status is then kFailed, else 0. The error of a single model, and an interruption, is
// thrown.
int for_each_model(const std::vector<std::string>& models,
                   const std::function<void(const std::string&)>& body);

// Prints {"schema": 1, "results": results} on standard output.
void print_results(json::array results);

}  // namespace swinzoo::cmd
