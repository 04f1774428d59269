// swinzoo inspect: what a checkpoint holds; or how two differ (inspect_two.cc).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/entry_facts.h"
#include "cmd/inspect_two.h"
#include "cmd/options.h"
#include "eval/text_table.h"
#include "formats/error.h"
#include "formats/sha256.h"
#include "zoo/architecture.h"
#include "zoo/matched_model.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string file;
  std::string other;
  std::string catalog;
  zoo::SpecHints hints;
  bool json = false;
};

// Over the finite elements; the others are counted.
struct Statistics {
  double min = 0, max = 0, mean = 0;
  int64_t not_finite = 0;
};

std::optional<Statistics> statistics_of(const TensorView& view) {
  const bool is_float = view.dtype == DType::kF32 || view.dtype == DType::kF64 || view.dtype == DType::kF16 ||
                        view.dtype == DType::kBF16;
  if (!is_float) return std::nullopt;
  const Tensor values = to_f32(view);
  Statistics statistics;
  int64_t finite = 0;
  double sum = 0;
  for (const float value : values.as<float>()) {
    if (!std::isfinite(value)) {
      ++statistics.not_finite;
      continue;
    }
    statistics.min = finite == 0 ? value : std::min(statistics.min, double{value});
    statistics.max = finite == 0 ? value : std::max(statistics.max, double{value});
    sum += value;
    ++finite;
  }
  if (finite > 0) statistics.mean = sum / static_cast<double>(finite);
  return statistics;
}

// The model that the file is said to be, with its tensors matched; where nothing tells it, why.
struct Told {
  std::optional<zoo::ModelSpec> spec;
  backends::Plan plan;
  zoo::WeightMatch match;
  std::string why_not;
};

Told tell(const Options& options, const zoo::OpenedFiles& opened, const zoo::Catalog& catalog) {
  Told told;
  try {
    zoo::ModelSpec spec = zoo::spec_of(options.file, opened, catalog, options.hints);
    told.plan = zoo::build_plan(spec);
    told.match = zoo::match_weights(told.plan, spec.dimensions.family, *opened.checkpoint);
    told.spec = std::move(spec);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kUnsupported) throw;
    told.why_not = error.what();
  }
  return told;
}

// What of the model a tensor of the file is.
struct Place {
  std::string weight;         // the canonical name
  int64_t row = 0, rows = 0;  // those of the weight that it makes up; 0 rows: all
  std::vector<size_t> axes;   // the weight's axis k is its axis axes[k]; empty: as they are
};

struct Row {
  TensorInfo info;
  int64_t bytes;
  std::string sha256;
  std::optional<Statistics> statistics;
  std::optional<Place> place;
};

struct Contents {
  std::string file;
  std::string format;
  std::map<std::string, std::string> metadata;
  std::vector<Row> rows;
  Told told;
  std::vector<std::string> notes;
};

void place_rows(const Told& told, std::vector<Row>& rows) {
  for (size_t i = 0; i < told.match.tensors.size(); ++i) {
    const std::vector<int64_t>& parts = told.match.tensors[i];
    int64_t row = 0;
    for (const int64_t part : parts) {
      Row& of_file = rows[static_cast<size_t>(part)];
      const Shape& shape = of_file.info.shape;
      const int64_t count = parts.size() > 1 && !shape.empty() ? shape[0] : 0;
      of_file.place = Place{told.plan.weights[i].name, row, count, told.match.axes[i]};
      row += count;
    }
  }
}

Contents read_contents(const Options& options) {
  const zoo::Catalog catalog = load_catalog(options.catalog);
  zoo::OpenedFiles opened = zoo::open_files(options.file, catalog);
  const Checkpoint& checkpoint = *opened.checkpoint;
  Contents contents{options.file, std::string(checkpoint.format()), checkpoint.metadata(),
                    {},           tell(options, opened, catalog),   {}};
  for (size_t i = 0; i < checkpoint.tensors().size(); ++i) {
    Tensor scratch;
    const TensorView view = checkpoint.read(i, scratch);
    contents.rows.push_back({checkpoint.tensors()[i], static_cast<int64_t>(view.bytes.size()),
                             sha256_hex(view.bytes), statistics_of(view), std::nullopt});
    checkpoint.release(i);
  }
  const Told& told = contents.told;
  if (!told.spec) return contents;
  place_rows(told, contents.rows);
  if (told.match.fits() && zoo::has_identity_norm(told.plan, told.match, checkpoint)) {
    contents.notes.emplace_back(kIdentityNorm);
  }
  return contents;
}

json::array names(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

json::object to_result(const Row& row, bool told) {
  json::object tensor = {{"name", row.info.name},
                         {"dtype", name_of(row.info.dtype)},
                         {"shape", json::array(row.info.shape.begin(), row.info.shape.end())},
                         {"bytes", row.bytes},
                         {"sha256", row.sha256}};
  if (row.statistics) {
    tensor["min"] = row.statistics->min;
    tensor["max"] = row.statistics->max;
    tensor["mean"] = row.statistics->mean;
    tensor["not_finite"] = row.statistics->not_finite;
  }
  if (!told) return tensor;
  tensor["canonical"] = row.place ? json::value(row.place->weight) : json::value(nullptr);
  if (row.place && row.place->rows > 0) {
    tensor["canonical_rows"] = {row.place->row, row.place->row + row.place->rows};
  }
  if (row.place && !row.place->axes.empty()) {
    tensor["canonical_axes"] = json::array(row.place->axes.begin(), row.place->axes.end());
  }
  return tensor;
}

void print_json(const Contents& contents) {
  const Told& told = contents.told;
  json::array tensors;
  for (const Row& row : contents.rows) tensors.push_back(to_result(row, told.spec.has_value()));
  json::object metadata;
  for (const auto& [key, text] : contents.metadata) metadata[key] = text;
  json::object result = {{"file", contents.file},
                         {"format", contents.format},
                         {"metadata", std::move(metadata)},
                         {"tensors", std::move(tensors)},
                         {"notes", names(contents.notes)}};
  if (told.spec) {
    result["architecture"] = told.spec->architecture;
    result["layout"] = told.match.layout;
    result["missing"] = names(told.match.missing);
    result["misshaped"] = names(told.match.misshaped);
    result["unexpected"] = names(told.match.unexpected);
    result["buffers"] = names(told.match.buffers);
  }
  print_results({std::move(result)});
}

std::string text_of(const std::optional<Place>& place) {
  if (!place) return "-";
  std::string text = place->weight;
  if (place->rows > 0) text += fmt::format("[{}:{}]", place->row, place->row + place->rows);
  if (!place->axes.empty()) text += fmt::format(" (axes {})", fmt::join(place->axes, ", "));
  return text;
}

// The canonical names are a column only where one of them is not the file's own.
void print_table(const Contents& contents) {
  using eval::Align;
  const bool renamed = contents.told.spec && std::ranges::any_of(contents.rows, [](const Row& row) {
                         return row.place && row.place->weight != row.info.name;
                       });
  std::vector<eval::TextTable::Column> columns = {{"tensor"},
                                                  {"dtype"},
                                                  {"shape"},
                                                  {"bytes", Align::kRight},
                                                  {"min", Align::kRight},
                                                  {"max", Align::kRight},
                                                  {"mean", Align::kRight},
                                                  {"sha256"}};
  if (renamed) columns.push_back({"canonical name"});
  eval::TextTable table(std::move(columns));
  for (const Row& row : contents.rows) {
    const auto figure = [&](double Statistics::*member) {
      return row.statistics ? fmt::format("{:.4g}", (*row.statistics).*member) : std::string("-");
    };
    std::vector<std::string> cells = {row.info.name,
                                      std::string(name_of(row.info.dtype)),
                                      to_string(row.info.shape),
                                      std::to_string(row.bytes),
                                      figure(&Statistics::min),
                                      figure(&Statistics::max),
                                      figure(&Statistics::mean),
                                      row.sha256.substr(0, 12)};
    if (renamed) cells.push_back(text_of(row.place));
    table.add(std::move(cells));
  }
  fmt::print("{}", table.text());
}

void print_mapping(const Told& told) {
  if (!told.spec) {
    fmt::print("\nIts architecture can't be told, so names are not checked.\n  {}\n", told.why_not);
    return;
  }
  const auto print_names = [](const char* what, const std::vector<std::string>& list) {
    if (!list.empty()) fmt::print("{}: {}\n", what, fmt::join(list, ", "));
  };
  fmt::print("\narchitecture: {}\nlayout: {}\n{}\n", told.spec->architecture, told.match.layout,
             told.match.fits() ? "Every tensor of the model is there." : "It does not fit the model:");
  print_names("missing", told.match.missing);
  print_names("of another shape", told.match.misshaped);
  print_names("unexpected", told.match.unexpected);
  print_names("buffers that are computed, so left out", told.match.buffers);
}

void print_text(const Contents& contents) {
  int64_t elements = 0, bytes = 0, not_finite = 0;
  for (const Row& row : contents.rows) {
    elements += element_count(row.info.shape);
    bytes += row.bytes;
    not_finite += row.statistics ? row.statistics->not_finite : 0;
  }
  fmt::print("{}: {}, {} tensors, {} elements, {} bytes\n\n", contents.file, contents.format,
             contents.rows.size(), elements, bytes);
  print_table(contents);
  if (not_finite > 0) fmt::print("\n{} elements are NaN or infinite\n", not_finite);
  if (!contents.metadata.empty()) fmt::print("\nmetadata\n");
  for (const auto& [key, text] : contents.metadata) {
    fmt::print("  {}: {}\n", key, text.size() > 100 ? text.substr(0, 97) + "..." : text);
  }
  print_mapping(contents.told);
  for (const std::string& note : contents.notes) fmt::print("{}\n", note);
}

int run(const Options& options) {
  if (!options.other.empty()) {
    return inspect_two(options.file, options.other, load_catalog(options.catalog), options.hints,
                       options.json);
  }
  (options.json ? print_json : print_text)(read_contents(options));
  return 0;
}

}  // namespace

Action setup_inspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("file", options->file, "A checkpoint: a path, hf:OWNER/REPO in the cache, or a catalog id")
      ->required()
      ->type_name("FILE");
  app.add_option("other", options->other, "Another checkpoint, to compare the first with")
      ->type_name("FILE2");
  add_catalog_option(app, options->catalog);
  add_hint_options(app, options->hints);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
