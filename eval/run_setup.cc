#include "eval/run_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>

#include "formats/sha256.h"

namespace swinzoo::eval {
namespace {

constexpr size_t kFingerprintDigits = 16;

enum Role : unsigned {
  kAsked = 1,
  kInput = 2,
  kImages = 4,
  kDerived = 8,
  kModel = 16,
  kMachine = 32,
  kBuild = 64,
  kVersion = 128,
};

struct SetupField {
  const char* name;
  const char* kind;  // the only kind of run that it matters to; empty: both
  Role role;
  const char* digest = nullptr;  // the field that names the same by its content
};

// In the order of the history's texts.
constexpr std::array kFields = {
    SetupField{"kind", "", kAsked},
    SetupField{"backend", "", kAsked},
    SetupField{"isa", "bench", kDerived},
    SetupField{"precision", "", kAsked},
    SetupField{"threads", "bench", kAsked},  // no result of eval depends on threads and batches
    SetupField{"streams", "bench", kAsked},
    SetupField{"batch", "bench", kAsked},
    SetupField{"image_size", "", kInput},
    SetupField{"data", "eval", kImages, "samples_digest"},
    SetupField{"data_set", "eval", kDerived},
    SetupField{"valid_classes", "eval", kAsked},
    SetupField{"shuffle_seed", "eval", kAsked},
    SetupField{"limit", "eval", kAsked},
    SetupField{"shard", "eval", kAsked},
    SetupField{"classifier", "eval", kAsked},
    SetupField{"with_preprocessing", "bench", kAsked},
    SetupField{"pinned", "bench", kAsked},
    SetupField{"preprocessing", "eval", kDerived},
    SetupField{"recipe", "eval", kAsked},
    SetupField{"train_data", "eval", kImages, "train_digest"},
    SetupField{"profiled", "bench", kAsked},
    SetupField{"model", "", kModel},
    SetupField{"weights_digest", "", kModel},
    SetupField{"macs", "", kModel},
    SetupField{"preprocessing", "bench", kModel},
    SetupField{"cpu", "", kMachine},
    SetupField{"cores", "", kMachine},
    SetupField{"memory_mb", "", kMachine},
    SetupField{"cpu_features", "", kMachine},
    SetupField{"governor", "", kMachine},
    SetupField{"build_type", "", kBuild},
    SetupField{"sanitizer", "", kBuild},
    SetupField{"build_flags", "", kVersion},
    SetupField{"compiler", "", kVersion},
    SetupField{"swinzoo_version", "", kVersion},
    SetupField{"commit", "", kVersion},
    SetupField{"kernel", "", kVersion},
};

constexpr unsigned kAllRoles = ~0U;
constexpr unsigned kCompared = kAsked | kInput | kImages;

std::string features_of(const Run& run) {
  std::vector<std::string> features = run.cpu_features;
  std::ranges::sort(features);
  return fmt::format("{}", fmt::join(features, " "));
}

// Kernels keep more or less of it for themselves.
std::string gib_of(int64_t mib) { return fmt::format("{}", std::round(static_cast<double>(mib) / 1024)); }

// A run's fields, as they are compared and shown.
class Values {
 public:
  explicit Values(const Run& run) : run_(run), fields_(to_object(run)) {}

  // Empty where the run does not tell, or is of a kind that the field does not matter to.
  std::string of(const SetupField& field) const {
    if (*field.kind != 0 && run_.kind != field.kind) return "";
    const std::string_view name = field.name;
    if (name == "memory_mb") return run_.memory_mb.has_value() ? gib_of(*run_.memory_mb) : "";
    if (name == "cpu_features") return features_of(run_);
    if (name == "profiled") return is_profiled(run_) ? "true" : "";
    const std::string value = text_of(field.name);
    return field.role == kImages ? last_part(value) : value;
  }

  std::string compared(const SetupField& field) const {
    if (field.digest != nullptr) {
      if (const std::string digest = text_of(field.digest); !digest.empty()) return digest;
    }
    const std::string value = of(field);
    if (std::string_view(field.name) == "with_preprocessing") return last_part(value);
    return value == "false" ? "" : value;
  }

 private:
  std::string text_of(const char* name) const {
    const json::value* value = find_member(fields_, name);
    if (value == nullptr) return "";
    return value->is_string() ? as_string(*value, name) : to_json_line(*value);
  }

  const Run& run_;
  json::object fields_;
};

template <typename Visit>
void visit_roles(unsigned roles, Visit&& visit) {
  for (const SetupField& field : kFields) {
    if ((field.role & roles) != 0) visit(field);
  }
}

std::vector<std::string> difference_of(const Run& a, const Run& b, unsigned roles) {
  const Values left(a), right(b);
  std::vector<std::string> names;
  visit_roles(roles, [&](const SetupField& field) {
    if (left.of(field) != right.of(field)) names.emplace_back(field.name);
  });
  return names;
}

}  // namespace

std::string last_part(const std::filesystem::path& path) {
  return (path.has_filename() ? path : path.parent_path()).filename();
}

std::string history_configuration(const Run& run) {
  const Values values(run);
  std::vector<std::string> pairs;
  visit_roles(kAsked | kInput | kImages | kDerived, [&](const SetupField& field) {
    const std::string value = values.of(field);
    if (!value.empty()) pairs.push_back(fmt::format("{}={}", field.name, value));
  });
  return fmt::format("{}", fmt::join(pairs, " "));
}

std::vector<std::string> compared_setup(const Run& run) {
  const Values values(run);
  std::vector<std::string> setup;
  visit_roles(kCompared, [&](const SetupField& field) { setup.push_back(values.compared(field)); });
  return setup;
}

std::vector<std::string> compared_difference(const Run& a, const Run& b) {
  const auto left = compared_setup(a), right = compared_setup(b);
  std::vector<std::string> names;
  auto at = left.begin(), other = right.begin();
  visit_roles(kCompared, [&](const SetupField& field) {
    if (*at++ != *other++) names.emplace_back(field.name);
  });
  return names;
}

bool is_same_measurement(const Run& a, const Run& b) { return difference_of(a, b, kAllRoles).empty(); }

bool is_same_request(const Run& a, const Run& b) { return difference_of(a, b, kAsked).empty(); }

std::string machine_fingerprint(const Run& run) {
  const std::string text =
      fmt::format("cpu={}\ncores={}\nmemory_gib={}\ncpu_features={}\ngovernor={}\n", run.cpu,
                  run.cores.value_or(0), gib_of(run.memory_mb.value_or(0)), features_of(run), run.governor);
  return sha256_hex(std::as_bytes(std::span(text))).substr(0, kFingerprintDigits);
}

std::string this_machines_fingerprint() {
  Run here;
  set_machine(here, this_machine());
  return machine_fingerprint(here);
}

std::vector<std::string> machine_difference(const Run& a, const Run& b) {
  return difference_of(a, b, kMachine | kBuild);
}

std::string setup_text(const Run& run) {
  std::string text = run.precision;
  const auto add = [&](const std::optional<int64_t>& number, const char* format) {
    if (number.has_value()) text += fmt::format(fmt::runtime(format), *number);
  };
  add(run.threads, ", {} threads");
  add(run.streams, ", {} streams");
  add(run.batch, ", batch {}");
  for (const std::string& word : unusual_words(run)) text += ", " + word;
  if (run.backend != "cpu" && !run.backend.empty()) text += ", " + run.backend;
  return text;
}

std::vector<std::string> unusual_words(const Run& run) {
  std::vector<std::string> words;
  if (!run.with_preprocessing.empty()) words.emplace_back("with preprocessing");
  if (run.pinned.value_or(false)) words.emplace_back("pinned");
  if (is_profiled(run)) words.emplace_back("profiled");
  return words;
}

}  // namespace swinzoo::eval
