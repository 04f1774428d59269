#include "eval/run.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "eval/statistics.h"
#include "formats/error.h"
#include "zoo/spec_json.h"

namespace swinzoo::eval {

void EvalSample::set_right_classes(std::vector<int64_t> classes) {
  label.reset();
  labels.clear();
  if (classes.size() == 1) {
    label = classes[0];
  } else {
    labels = std::move(classes);
  }
}

void set_model(Run& run, const zoo::ModelSpec& spec) {
  run.model = spec.id;
  run.architecture = spec.architecture;
  run.collection = spec.collection;
  run.image_size = spec.dimensions.image_size;
  run.num_classes = spec.num_classes;
  run.crop_pct = spec.preprocessing.crop_pct;
  run.crop_mode = zoo::name_of(spec.preprocessing.crop_mode);
  run.interpolation = zoo::name_of(spec.preprocessing.interpolation);
}

void set_machine(Run& run, const Machine& machine) {
  run.cpu = machine.cpu;
  run.cpu_features = machine.isa;
  run.cores = machine.available_cores;
  run.memory_mb = machine.memory_mb;
  run.governor = machine.governor;
  run.turbo = machine.turbo;
  run.load_average = machine.load_average;
  run.os = machine.os;
  run.kernel = machine.kernel;
  run.swinzoo_version = machine.swinzoo_version;
  run.commit = machine.commit;
  run.compiler = machine.compiler;
  run.build_type = machine.build_type;
  run.build_flags = machine.build_flags;
  run.sanitizer = machine.sanitizer;
}

void set_accuracy(Run& run, int64_t count, int64_t right1, int64_t right5) {
  run.count = count;
  if (count == 0) return;
  const auto percent = [&](int64_t right) {
    return 100.0 * static_cast<double>(right) / static_cast<double>(count);
  };
  const Interval interval1 = wilson_interval(right1, count);
  const Interval interval5 = wilson_interval(right5, count);
  run.top1 = percent(right1);
  run.top1_err = 100 - *run.top1;
  run.top1_low = 100 * interval1.low;
  run.top1_high = 100 * interval1.high;
  run.top5 = percent(right5);
  run.top5_err = 100 - *run.top5;
  run.top5_low = 100 * interval5.low;
  run.top5_high = 100 * interval5.high;
}

void set_timing(Run& run, const Samples& samples, int64_t batch, std::optional<int64_t> macs_per_image) {
  run.batch = batch;
  run.warmup = samples.warmup;
  run.iterations = static_cast<int64_t>(samples.ms.size());
  run.median_ms = median(samples.ms);
  run.mean_ms = mean(samples.ms);
  if (samples.ms.size() > 1) run.stddev_ms = standard_deviation(samples.ms);
  run.min_ms = *std::min_element(samples.ms.begin(), samples.ms.end());
  run.max_ms = *std::max_element(samples.ms.begin(), samples.ms.end());
  run.p50_ms = percentile(samples.ms, 50);
  run.p90_ms = percentile(samples.ms, 90);
  run.p95_ms = percentile(samples.ms, 95);
  run.p99_ms = percentile(samples.ms, 99);
  run.p99_9_ms = percentile(samples.ms, 99.9);
  if (const auto interval = median_interval(samples.ms)) {
    run.median_low_ms = interval->low;
    run.median_high_ms = interval->high;
    run.median_error = median_error_percent(samples.ms);
  }
  run.drift = samples.drift;
  run.timed_seconds = samples.seconds;
  if (samples.seconds > 0) {
    run.images_per_second = static_cast<double>(batch * *run.iterations) / samples.seconds;
    if (macs_per_image.has_value()) {
      run.gmacs_per_second = *run.images_per_second * static_cast<double>(*macs_per_image) / 1e9;
    }
  }
  run.samples_ms = samples.ms;
}

void set_disturbance(Run& run, const Disturbance& disturbance) {
  run.cpu_ms = 1000 * disturbance.own_seconds / static_cast<double>(*run.warmup + *run.iterations);
  run.steal = disturbance.steal;
  run.other_load = disturbance.other_load;
  run.context_switches = disturbance.context_switches;
  run.throttled = disturbance.throttled;
}

bool is_profiled(const Run& run) { return run.profiled.value_or(run.profile.has_value()); }

std::string utc_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

double seconds_of(const std::string& utc_text) {
  std::tm time = {};
  const char* end = ::strptime(utc_text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return end == nullptr || *end != '\0' ? 0 : static_cast<double>(::timegm(&time));
}

json::value to_document(std::span<const Run> runs) {
  json::array results;
  for (const Run& run : runs) results.push_back(to_object(run));
  return json::object{{"schema", kRunSchema}, {"results", std::move(results)}};
}

std::vector<Run> runs_of(const json::value& document, const std::string& where) {
  const json::object& object = as_object(document, where);
  const auto schema = find_int(object, "schema", where);
  if (schema != kRunSchema) {
    fail(ErrorCode::kCorrupt, "{}: \"schema\": expected {}, found {}", where, kRunSchema,
         schema.has_value() ? std::to_string(*schema) : "none");
  }
  const json::value* results = find_member(object, "results");
  if (results == nullptr) fail(ErrorCode::kCorrupt, "{}: \"results\": expected an array, found none", where);

  std::vector<Run> runs;
  for (const json::value& result : as_array(*results, where + ": \"results\"")) {
    const std::string place = fmt::format("{}: results[{}]", where, runs.size());
    Run run;
    from_value(result, place, run);
    if (run.kind != "eval" && run.kind != "bench") {
      fail(ErrorCode::kCorrupt, "{}: \"kind\": expected \"eval\" or \"bench\", found \"{}\"", place,
           run.kind);
    }
    if (run.model.empty()) fail(ErrorCode::kCorrupt, "{}: \"model\": expected a name, found none", place);
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<Run> read_runs(const std::filesystem::path& path) {
  return runs_of(read_json(path, JsonText::kAnyBytes), path.string());
}

Run read_run(const std::filesystem::path& path) {
  std::vector<Run> runs = read_runs(path);
  if (runs.size() != 1)
    fail(ErrorCode::kCorrupt, "{}: expected one run, found {}", path.string(), runs.size());
  return std::move(runs.front());
}

}  // namespace swinzoo::eval
