// Run: one result, of measuring a model's accuracy ("eval") or its speed ("bench").
//
// Every form of a result (JSON, text, Markdown, CSV, the report, docs/results.md) derives from the one list
// of fields below; a new figure is a member and a row there.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/bench.h"
#include "eval/fields.h"
#include "eval/machine.h"
#include "eval/profile.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

inline constexpr int64_t kRunSchema = 1;  // the JSON document's "schema"

// An image that could not be read, and why.
struct SkippedFile {
  std::string path;
  std::string error;

  bool operator==(const SkippedFile&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, SkippedFile>
void visit_fields(Self& file, Visit&& visit) {
  visit(Field{.name = "path", .about = "the file, from the data's folder on"}, file.path);
  visit(Field{.name = "error", .about = "what was wrong with it"}, file.error);
}

// What a model said about one image.
struct EvalSample {
  std::string path;
  std::optional<int64_t> label;
  std::vector<int64_t> top5;
  std::vector<float> logits;

  bool operator==(const EvalSample&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, EvalSample>
void visit_fields(Self& sample, Visit&& visit) {
  visit(Field{.name = "path", .about = "the image, from the data's folder on"}, sample.path);
  visit(Field{.name = "label", .about = "its class"}, sample.label);
  visit(Field{.name = "top5", .about = "the five best classes, best first"}, sample.top5);
  visit(Field{.name = "logits", .about = "the head's outputs for these"}, sample.logits);
}

// Plain data; what was not measured stays empty.
struct Run {
  std::string kind;
  std::string model;
  std::string architecture;
  std::string collection;
  std::optional<int64_t> image_size;
  std::optional<int64_t> num_classes;
  std::optional<int64_t> params;
  std::optional<int64_t> macs;
  std::optional<int64_t> activations;
  std::string weights_digest;

  std::string backend;
  std::string isa;
  std::optional<int64_t> threads;
  std::optional<int64_t> streams;
  std::string precision;
  std::optional<int64_t> batch;
  std::string preprocessing;
  std::optional<double> crop_pct;
  std::string crop_mode;
  std::string interpolation;
  std::string started_at;
  std::optional<double> load_average;

  std::string cpu;
  std::vector<std::string> cpu_features;
  std::optional<int64_t> cores;
  std::optional<int64_t> memory_mb;
  std::string governor;
  std::string os;
  std::string kernel;
  std::string swinzoo_version;
  std::string commit;
  std::string compiler;
  std::string build_type;
  std::string build_flags;
  std::string sanitizer;

  std::string data;
  std::optional<int64_t> count;
  std::optional<double> top1;
  std::optional<double> top1_err;
  std::optional<double> top5;
  std::optional<double> top5_err;
  std::optional<double> seconds;

  std::optional<int64_t> warmup;
  std::optional<int64_t> iterations;
  std::optional<double> median_ms;
  std::optional<double> mean_ms;
  std::optional<double> stddev_ms;
  std::optional<double> min_ms;
  std::optional<double> max_ms;
  std::optional<double> p50_ms;
  std::optional<double> p90_ms;
  std::optional<double> p95_ms;
  std::optional<double> p99_ms;
  std::optional<double> timed_seconds;

  std::optional<double> images_per_second;
  std::optional<double> gmacs_per_second;
  std::optional<double> load_ms;
  std::optional<double> peak_memory_mb;

  std::optional<std::vector<SkippedFile>> skipped;  // empty where eval skipped none
  std::vector<EvalSample> samples;
  std::vector<double> samples_ms;
  std::optional<Profile> profile;

  bool operator==(const Run&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, Run>
void visit_fields(Self& run, Visit&& visit) {
  const char* group = "Model";
  const char* kind = "";
  const auto field = [&](const char* name, auto& member, const char* unit, const char* about) {
    visit(Field{.name = name, .unit = unit, .about = about, .group = group, .kind = kind}, member);
  };
  field("kind", run.kind, "", "`eval` (accuracy) or `bench` (speed)");
  field("model", run.model, "", "the model as it was asked for: a catalog id, a path, `hf:...`");
  field("architecture", run.architecture, "", "the architecture's name");
  field("collection", run.collection, "", "the collection that the catalog's entry belongs to");
  field("image_size", run.image_size, "px", "height and width of the model's input");
  field("num_classes", run.num_classes, "", "classes of the head");
  field("params", run.params, "", "parameters");
  field("macs", run.macs, "", "multiply-accumulates of one image, those done once at load included");
  field("activations", run.activations, "",
        "elements put out by convolutions and matrix products, for one image");
  field("weights_digest", run.weights_digest, "", "SHA-256 that names the weights");

  group = "Setup";
  field("backend", run.backend, "", "`cpu` or `reference`");
  field("isa", run.isa, "", "the instruction set that the kernels used");
  field("threads", run.threads, "", "threads that the model ran on, all streams together");
  field("streams", run.streams, "", "calls that ran at the same time, and shared the threads");
  field("precision", run.precision, "", "`fp32` or `bf16`");
  field("batch", run.batch, "", "images in one call");
  field("preprocessing", run.preprocessing, "",
        "the preprocessing's fingerprint: equal where all its settings are");
  field("crop_pct", run.crop_pct, "", "share of the resized image that the crop keeps");
  field("crop_mode", run.crop_mode, "", "`center`, `squash` or `border`, as timm names them");
  field("interpolation", run.interpolation, "", "the resize filter: `bicubic` or `bilinear`");
  field("started_at", run.started_at, "", "when the measurement began, UTC, ISO 8601");
  field("load_average", run.load_average, "",
        "runnable tasks over the last minute, when the measurement began");

  group = "Machine";
  field("cpu", run.cpu, "", "the processor's name");
  field("cpu_features", run.cpu_features, "", "what `swinzoo env` lists as `isa`");
  field("cores", run.cores, "", "cores that this process may use, the container's quota included");
  field("memory_mb", run.memory_mb, "MiB", "the machine's memory");
  field("governor", run.governor, "", "the frequency governor");
  field("os", run.os, "", "the operating system");
  field("kernel", run.kernel, "", "the kernel's release");
  field("swinzoo_version", run.swinzoo_version, "", "the version that measured");
  field("commit", run.commit, "", "its git commit; `-dirty` where files were changed; `unknown` outside git");
  field("compiler", run.compiler, "", "what it was built with");
  field("build_type", run.build_type, "", "CMake's build type; only `Release` is worth measuring");
  field("build_flags", run.build_flags, "", "the compiler's flags");
  field("sanitizer", run.sanitizer, "", "the sanitizers it was built with");

  group = "Accuracy";
  kind = "eval";
  field("data", run.data, "", "the folder of images");
  field("count", run.count, "", "images that were measured");
  field("top1", run.top1, "%", "images whose class came first");
  field("top1_err", run.top1_err, "%", "100 - `top1`");
  field("top5", run.top5, "%", "images whose class was among the first five");
  field("top5_err", run.top5_err, "%", "100 - `top5`");
  field("seconds", run.seconds, "s", "the whole evaluation's time, reading the images included");

  group = "Speed";
  kind = "bench";
  field("warmup", run.warmup, "", "calls before the timed ones");
  field("iterations", run.iterations, "", "timed calls");
  field("median_ms", run.median_ms, "ms", "median time of one call, that is of one batch");
  field("mean_ms", run.mean_ms, "ms", "mean time of one call");
  field("stddev_ms", run.stddev_ms, "ms", "standard deviation of the calls' times (n - 1)");
  field("min_ms", run.min_ms, "ms", "fastest call");
  field("max_ms", run.max_ms, "ms", "slowest call");
  field("p50_ms", run.p50_ms, "ms", "50th percentile, that is `median_ms`");
  field("p90_ms", run.p90_ms, "ms", "90th percentile");
  field("p95_ms", run.p95_ms, "ms", "95th percentile");
  field("p99_ms", run.p99_ms, "ms", "99th percentile");
  field("timed_seconds", run.timed_seconds, "s",
        "from the start of the first timed call to the end of the last, of all streams");
  kind = "";
  field("images_per_second", run.images_per_second, "1/s",
        "bench: `batch` x `iterations` over `timed_seconds`; eval: `count` over `seconds`");
  kind = "bench";
  field("gmacs_per_second", run.gmacs_per_second, "GMAC/s",
        "multiply-accumulates over time, those done once at load left out");
  field("load_ms", run.load_ms, "ms", "time to read the weights and make them ready");
  kind = "";
  field("peak_memory_mb", run.peak_memory_mb, "MiB", "most memory that the process has held so far");

  group = "Raw data";
  kind = "eval";
  field("skipped", run.skipped, "", "images that could not be read: `path` and `error`");
  field("samples", run.samples, "", "where asked for, an object an image: `path`, `label`, `top5`, `logits`");
  kind = "bench";
  field("samples_ms", run.samples_ms, "ms", "time of each timed call, in their order, stream by stream");
  field("profile", run.profile, "", "with `--profile`: `roof`, `total`, `by_kind` and `by_step`, see below");
}

// Fill in the parts of a run that come from elsewhere. set_model leaves the preprocessing's fingerprint, the
// counts and the digest to its caller; set_accuracy takes percentages.
void set_model(Run& run, const zoo::ModelSpec& spec);
void set_machine(Run& run, const Machine& machine);
void set_accuracy(Run& run, int64_t count, double top1, double top5, double seconds);
// macs_per_image: of what is computed at each call, that is without what is done once at load.
// REQUIRES: at least one sample.
void set_timing(Run& run, const Samples& samples, int64_t batch, std::optional<int64_t> macs_per_image);

// "2026-01-31T23:59:59Z".
std::string utc_text(std::chrono::system_clock::time_point time);

// {"schema": 1, "results": [an object a run]}; runs keep their order. Reading throws kCorrupt, naming the
// file, the result and the field, on another schema, another type or another kind; members it doesn't know
// are left alone.
json::value to_document(std::span<const Run> runs);
std::vector<Run> runs_of(const json::value& document, const std::string& where);
std::vector<Run> read_runs(const std::filesystem::path& path);  // kNotFound too

}  // namespace swinzoo::eval
