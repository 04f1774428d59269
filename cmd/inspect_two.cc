#include "cmd/inspect_two.h"

#include <fmt/format.h>

#include <optional>

#include "cmd/options.h"
#include "eval/text_table.h"
#include "formats/error.h"
#include "zoo/compare_weights.h"

namespace swinzoo::cmd {
namespace {

using zoo::Verdict;
using zoo::WeightComparison;

struct Side {
  std::string name;  // as it was given
  bool told;         // whether its own files tell its architecture; else it is taken to be the other's
  zoo::MatchedModel model;
};

// The spec that the files tell; else nothing, and why not.
std::optional<zoo::ModelSpec> told_spec(const std::string& name, const zoo::OpenedFiles& opened,
                                        const zoo::Catalog& catalog, const zoo::SpecHints& hints,
                                        std::string& why_not) {
  try {
    return zoo::spec_of(name, opened, catalog, hints);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    why_not = error.what();
    return std::nullopt;
  }
}

Side matched_side(const std::string& name, bool told, const zoo::ModelSpec& spec, zoo::OpenedFiles opened) {
  return {name, told, zoo::match_model({spec, std::move(opened.files.origin), std::move(opened.checkpoint)})};
}

json::array to_array(const auto& list) { return json::array(list.begin(), list.end()); }

json::object to_result(const Side& side) {
  const zoo::WeightMatch& match = side.model.match;
  return {{"file", side.name},
          {"format", side.model.opened.checkpoint->format()},
          {"architecture", side.model.opened.spec.architecture},
          {"architecture_told", side.told},
          {"layout", match.layout},
          {"missing", to_array(match.missing)},
          {"misshaped", to_array(match.misshaped)},
          {"unexpected", to_array(match.unexpected)}};
}

void print_json(const Side& a, const Side& b, const WeightComparison& comparison) {
  json::array different, reshaped;
  for (const zoo::DifferentTensor& tensor : comparison.different) {
    different.push_back(json::object{{"name", tensor.name},
                                     {"shape", to_array(tensor.shape)},
                                     {"elements", element_count(tensor.shape)},
                                     {"different", tensor.elements.different},
                                     {"not_finite", tensor.elements.not_finite},
                                     {"max_abs_difference", tensor.elements.max_abs},
                                     {"abs_max", tensor.elements.abs_max},
                                     {"relative", tensor.elements.relative()}});
  }
  for (const zoo::ReshapedTensor& tensor : comparison.reshaped) {
    reshaped.push_back(
        json::object{{"name", tensor.name}, {"a", to_array(tensor.a)}, {"b", to_array(tensor.b)}});
  }
  json::object dimensions;
  for (const zoo::DimensionDifference& dimension : comparison.dimensions) {
    dimensions[dimension.name] = {parse_json(dimension.a, dimension.name),
                                  parse_json(dimension.b, dimension.name)};
  }
  const bool rounded =
      comparison.verdict == Verdict::kSameAfterF16 || comparison.verdict == Verdict::kSameAfterBF16;
  json::object result = {{"a", to_result(a)},
                         {"b", to_result(b)},
                         {"verdict", zoo::text_of(comparison.verdict)},
                         {"compared", comparison.compared},
                         {"different", std::move(different)},
                         {"reshaped", std::move(reshaped)},
                         {"only_in_a", to_array(comparison.only_in_a)},
                         {"only_in_b", to_array(comparison.only_in_b)},
                         {"dimensions", std::move(dimensions)}};
  if (rounded) result["rounded"] = comparison.a_is_rounded ? "a" : "b";
  print_results({std::move(result)});
}

void print_side(const char* letter, const Side& side) {
  const zoo::WeightMatch& match = side.model.match;
  fmt::print("{}: {}: {}, {}, layout {}\n", letter, side.name, side.model.opened.checkpoint->format(),
             side.model.opened.spec.architecture, match.layout);
  if (!side.told) fmt::print("   its files don't tell the architecture: taken to be the other's\n");
  const auto print_names = [](const char* what, const std::vector<std::string>& list) {
    if (!list.empty()) fmt::print("   {}: {}\n", what, fmt::join(list, ", "));
  };
  print_names("missing", match.missing);
  print_names("of another shape", match.misshaped);
  print_names("unexpected", match.unexpected);
}

std::string summary_of(const WeightComparison& comparison) {
  const std::string_view verdict = zoo::text_of(comparison.verdict);
  switch (comparison.verdict) {
    case Verdict::kSame:
      return fmt::format("{}: all {} tensors, bit for bit", verdict, comparison.compared);
    case Verdict::kSameAfterF16:
    case Verdict::kSameAfterBF16:
      return fmt::format("{}: {} of {} tensors are rounded in {}", verdict, comparison.different.size(),
                         comparison.compared, comparison.a_is_rounded ? "A" : "B");
    case Verdict::kDifferent:
      break;
  }
  std::string text = fmt::format("{}: {} of the {} tensors that both have differ", verdict,
                                 comparison.different.size(), comparison.compared);
  const auto append = [&](size_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", count, what);
  };
  append(comparison.reshaped.size(), "are of another shape");
  append(comparison.only_in_a.size(), "are only in A");
  append(comparison.only_in_b.size(), "are only in B");
  return text;
}

void print_text(const Side& a, const Side& b, const WeightComparison& comparison) {
  print_side("A", a);
  print_side("B", b);
  for (const zoo::DimensionDifference& dimension : comparison.dimensions) {
    fmt::print("the architectures differ in {}: {} in A, {} in B\n", dimension.name, dimension.a,
               dimension.b);
  }
  fmt::print("{}\n", summary_of(comparison));
  if (comparison.verdict != Verdict::kDifferent) return;
  using eval::Align;
  eval::TextTable table({{"tensor"},
                         {"shape"},
                         {"elements that differ", Align::kRight},
                         {"max abs difference", Align::kRight},
                         {"of abs max", Align::kRight},
                         {"not finite", Align::kRight}});
  for (const zoo::DifferentTensor& tensor : comparison.different) {
    table.add({tensor.name, to_string(tensor.shape), std::to_string(tensor.elements.different),
               fmt::format("{:.4g}", tensor.elements.max_abs),
               fmt::format("{:.4g}", tensor.elements.relative()),
               std::to_string(tensor.elements.not_finite)});
  }
  if (!table.empty()) fmt::print("\n{}", table.text());
  for (const zoo::ReshapedTensor& tensor : comparison.reshaped) {
    fmt::print("{} is {} in A, {} in B\n", tensor.name, to_string(tensor.a), to_string(tensor.b));
  }
  for (const std::string& name : comparison.only_in_a) fmt::print("only in A: {}\n", name);
  for (const std::string& name : comparison.only_in_b) fmt::print("only in B: {}\n", name);
}

}  // namespace

int inspect_two(const std::string& a, const std::string& b, const zoo::Catalog& catalog,
                const zoo::SpecHints& hints, bool json) {
  zoo::OpenedFiles files_a = zoo::open_files(a, catalog), files_b = zoo::open_files(b, catalog);
  std::string why_not;
  const auto spec_a = told_spec(a, files_a, catalog, hints, why_not);
  const auto spec_b = told_spec(b, files_b, catalog, hints, why_not);
  if (!spec_a && !spec_b) throw Error(ErrorCode::kUnsupported, why_not);
  const Side side_a = matched_side(a, spec_a.has_value(), spec_a ? *spec_a : *spec_b, std::move(files_a));
  const Side side_b = matched_side(b, spec_b.has_value(), spec_b ? *spec_b : *spec_a, std::move(files_b));
  const WeightComparison comparison = zoo::compare_weights(side_a.model, side_b.model);
  (json ? print_json : print_text)(side_a, side_b, comparison);
  if (comparison.verdict == Verdict::kDifferent) {
    fail(ErrorCode::kFailed, "{} and {} hold different weights", a, b);
  }
  return 0;
}

}  // namespace swinzoo::cmd
