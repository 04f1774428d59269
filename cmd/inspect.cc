// swinzoo inspect: what a checkpoint file holds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "cmd/command.h"
#include "cmd/options.h"
#include "eval/text_table.h"
#include "formats/checkpoint.h"
#include "formats/error.h"
#include "formats/sha256.h"
#include "zoo/architecture.h"
#include "zoo/model.h"

namespace swinzoo::cmd {
namespace {

struct Options {
  std::string file;
  std::string catalog;
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

// How the file's tensors match the model that it says it is, where it says so.
std::optional<zoo::WeightMatch> match_of(const Options& options, const zoo::Catalog& catalog) {
  try {
    const zoo::OpenedModel model = zoo::open_model(options.file, catalog);
    return zoo::match_weights(zoo::build_plan(model.spec), model.spec.dimensions.family, *model.checkpoint);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kUnsupported) return std::nullopt;
    throw;
  }
}

struct Row {
  TensorInfo info;
  int64_t bytes;
  std::string sha256;
  std::optional<Statistics> statistics;
};

json::array names(const std::vector<std::string>& list) { return json::array(list.begin(), list.end()); }

void print_json(const Checkpoint& checkpoint, const std::vector<Row>& rows, const Options& options,
                const std::optional<zoo::WeightMatch>& match) {
  json::array tensors;
  for (const Row& row : rows) {
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
    tensors.push_back(std::move(tensor));
  }
  json::object metadata;
  for (const auto& [key, text] : checkpoint.metadata()) metadata[key] = text;
  json::object result = {{"file", options.file},
                         {"format", checkpoint.format()},
                         {"metadata", std::move(metadata)},
                         {"tensors", std::move(tensors)}};
  if (match) {
    result["layout"] = match->layout;
    result["missing"] = names(match->missing);
    result["misshaped"] = names(match->misshaped);
    result["unexpected"] = names(match->unexpected);
    result["buffers"] = names(match->buffers);
  }
  print_results({std::move(result)});
}

void print_text(const Checkpoint& checkpoint, const std::vector<Row>& rows, const Options& options,
                const std::optional<zoo::WeightMatch>& match) {
  using eval::Align;
  eval::TextTable table({{"tensor"},
                         {"dtype"},
                         {"shape"},
                         {"bytes", Align::kRight},
                         {"min", Align::kRight},
                         {"max", Align::kRight},
                         {"mean", Align::kRight},
                         {"sha256"}});
  int64_t elements = 0, bytes = 0, not_finite = 0;
  for (const Row& row : rows) {
    const auto figure = [&](double Statistics::*member) {
      return row.statistics ? fmt::format("{:.4g}", (*row.statistics).*member) : std::string("-");
    };
    table.add({row.info.name, std::string(name_of(row.info.dtype)), to_string(row.info.shape),
               std::to_string(row.bytes), figure(&Statistics::min), figure(&Statistics::max),
               figure(&Statistics::mean), row.sha256.substr(0, 12)});
    elements += element_count(row.info.shape);
    bytes += row.bytes;
    not_finite += row.statistics ? row.statistics->not_finite : 0;
  }
  fmt::print("{}: {}, {} tensors, {} elements, {} bytes\n\n{}", options.file, checkpoint.format(),
             rows.size(), elements, bytes, table.text());
  if (not_finite > 0) fmt::print("\n{} elements are NaN or infinite\n", not_finite);
  if (!checkpoint.metadata().empty()) fmt::print("\nmetadata\n");
  for (const auto& [key, text] : checkpoint.metadata()) {
    fmt::print("  {}: {}\n", key, text.size() > 100 ? text.substr(0, 97) + "..." : text);
  }
  if (!match) {
    fmt::print("\nIts architecture can't be told, so names are not checked.\n");
    return;
  }
  const auto print_names = [](const char* what, const std::vector<std::string>& list) {
    if (!list.empty()) fmt::print("{}: {}\n", what, fmt::join(list, ", "));
  };
  fmt::print("\nlayout: {}\n{}\n", match->layout,
             match->fits() ? "Every tensor of the model is there." : "It does not fit the model:");
  print_names("missing", match->missing);
  print_names("of another shape", match->misshaped);
  print_names("unexpected", match->unexpected);
  print_names("buffers that are computed, so left out", match->buffers);
}

int run(const Options& options) {
  const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(options.file);
  const std::optional<zoo::WeightMatch> match = match_of(options, load_catalog(options.catalog));
  std::vector<Row> rows;
  for (size_t i = 0; i < checkpoint->tensors().size(); ++i) {
    Tensor scratch;
    const TensorView view = checkpoint->read(i, scratch);
    rows.push_back({checkpoint->tensors()[i], static_cast<int64_t>(view.bytes.size()), sha256_hex(view.bytes),
                    statistics_of(view)});
    checkpoint->release(i);
  }
  (options.json ? print_json : print_text)(*checkpoint, rows, options, match);
  return 0;
}

}  // namespace

Action setup_inspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("file", options->file, "A checkpoint file")->required()->type_name("FILE");
  add_catalog_option(app, options->catalog);
  add_format_option(app, options->json);
  return [options](const Globals&) { return run(*options); };
}

}  // namespace swinzoo::cmd
