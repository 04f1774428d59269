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
#include "eval/disturbance.h"
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

// What a model said about one image or clip.
struct EvalSample {
  std::string path;
  std::optional<int64_t> label;
  std::vector<int64_t> labels;
  std::vector<int64_t> top5;
  std::vector<float> logits;
  std::string error;

  // The classes that are right, however many there are; none: nobody knows, and the sample counts nowhere.
  std::vector<int64_t> right_classes() const { return label.has_value() ? std::vector{*label} : labels; }
  void set_right_classes(std::vector<int64_t> classes);

  bool operator==(const EvalSample&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, EvalSample>
void visit_fields(Self& sample, Visit&& visit) {
  visit(Field{.name = "path", .about = "the image, from the data's folder on"}, sample.path);
  visit(Field{.name = "label", .about = "its class, where it has one"}, sample.label);
  visit(Field{.name = "labels", .about = "its classes, where it has several"}, sample.labels);
  visit(Field{.name = "top5", .about = "the five best classes, best first"}, sample.top5);
  visit(Field{.name = "logits", .about = "the head's outputs for these"}, sample.logits);
  visit(Field{.name = "error", .about = "why it could not be read; only in a folder of results"},
        sample.error);
}

// What a model got right of one class.
struct ClassAccuracy {
  int64_t id = 0;
  std::string name;
  int64_t count = 0;
  double top1 = 0;
  double top5 = 0;

  bool operator==(const ClassAccuracy&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, ClassAccuracy>
void visit_fields(Self& row, Visit&& visit) {
  visit(Field{.name = "class", .about = "the class's number, that of the model's output"}, row.id);
  visit(Field{.name = "name", .about = "what the data calls it: a folder's name, a synset"}, row.name);
  visit(Field{.name = "count", .about = "images of this class that were measured"}, row.count);
  visit(Field{.name = "top1", .unit = "%", .about = "of these, those that `top1` counts"}, row.top1);
  visit(Field{.name = "top5", .unit = "%", .about = "of these, those that `top5` counts"}, row.top5);
}

// A figure that somebody published of the model, beside what was measured (published.h).
struct PublishedFigure {
  std::string by;
  std::string data_set;
  std::optional<double> top1;
  std::optional<double> top5;
  std::optional<double> top1_difference;
  std::optional<double> top5_difference;
  std::optional<bool> top1_within_noise;
  std::optional<bool> top5_within_noise;
  std::string source;

  bool operator==(const PublishedFigure&) const = default;
};

template <typename Self, typename Visit>
requires IsSelf<Self, PublishedFigure>
void visit_fields(Self& figure, Visit&& visit) {
  visit(Field{.name = "by", .about = "`authors`, `timm` or `collection`"}, figure.by);
  visit(Field{.name = "data_set", .about = "what they measured on"}, figure.data_set);
  visit(Field{.name = "top1", .unit = "%", .about = "their top-1"}, figure.top1);
  visit(Field{.name = "top5", .unit = "%", .about = "their top-5"}, figure.top5);
  visit(Field{.name = "top1_difference", .unit = "%", .about = "ours less theirs, in points"},
        figure.top1_difference);
  visit(Field{.name = "top5_difference", .unit = "%", .about = "ours less theirs, in points"},
        figure.top5_difference);
  visit(Field{.name = "top1_within_noise", .about = "whether theirs lies in our 95% interval"},
        figure.top1_within_noise);
  visit(Field{.name = "top5_within_noise", .about = "whether theirs lies in our 95% interval"},
        figure.top5_within_noise);
  visit(Field{.name = "source", .about = "the file or page the figures come from"}, figure.source);
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
  std::string with_preprocessing;
  std::optional<bool> pinned;
  std::optional<bool> profiled;  // see is_profiled()
  std::string error;

  std::string cpu;
  std::vector<std::string> cpu_features;
  std::optional<int64_t> cores;
  std::optional<int64_t> memory_mb;
  std::string governor;
  std::optional<bool> turbo;
  std::string os;
  std::string kernel;
  std::string swinzoo_version;
  std::string commit;
  std::string compiler;
  std::string build_type;
  std::string build_flags;
  std::string sanitizer;

  std::string data;
  std::string data_set;
  std::string labelled_by;
  std::string recipe;
  std::optional<int64_t> valid_classes;
  std::optional<int64_t> shuffle_seed;
  std::optional<int64_t> limit;
  std::string shard;
  std::string samples_digest;
  std::optional<bool> represents;
  std::string classifier;
  std::string train_data;
  std::string train_digest;
  std::optional<int64_t> train_count;
  std::optional<int64_t> count;
  std::optional<int64_t> unlabelled;
  std::optional<double> top1;
  std::optional<double> top1_err;
  std::optional<double> top1_low;
  std::optional<double> top1_high;
  std::optional<double> top5;
  std::optional<double> top5_err;
  std::optional<double> top5_low;
  std::optional<double> top5_high;
  std::optional<double> seconds;
  std::optional<int64_t> resumed;

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
  std::optional<double> p99_9_ms;
  std::optional<double> median_low_ms;
  std::optional<double> median_high_ms;
  std::optional<double> median_error;
  std::optional<double> drift;
  std::optional<double> timed_seconds;

  std::optional<double> images_per_second;
  std::optional<double> gmacs_per_second;
  std::optional<double> roof_share;
  std::optional<double> load_ms;
  std::optional<double> peak_memory_mb;
  std::string output_digest;
  std::optional<double> cpu_ms;
  std::optional<double> steal;
  std::optional<double> other_load;
  std::optional<int64_t> context_switches;
  std::optional<int64_t> throttled;

  std::vector<PublishedFigure> published;
  std::vector<ClassAccuracy> classes;               // those that images were of, by number
  std::optional<std::vector<SkippedFile>> skipped;  // empty where eval skipped none
  std::vector<EvalSample> samples;
  std::vector<std::string> warnings;
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
  field("model", run.model, "",
        "the model's name: the catalog's or the checkpoint's own id, else its repository, file or folder; as "
        "it was asked for where it could not be loaded");
  field("architecture", run.architecture, "", "the architecture's name");
  field("collection", run.collection, "", "the collection that the catalog's entry belongs to");
  field("image_size", run.image_size, "px", "height and width of the model's input");
  field("num_classes", run.num_classes, "", "classes of the head");
  field("params", run.params, "", "parameters");
  field("macs", run.macs, "", "multiply-accumulates of one image, those done once at load included");
  field("activations", run.activations, "",
        "elements put out by convolutions and matrix products, for one image");
  field("weights_digest", run.weights_digest, "",
        "SHA-256 that names the weights, of the bytes that were run");

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
  kind = "bench";
  field("with_preprocessing", run.with_preprocessing, "",
        "the images that each call decoded and prepared too; none: inference only, on a batch in memory");
  field("pinned", run.pinned, "", "whether each thread was bound to a processor of its own");
  field("profiled", run.profiled, "", "whether each step was timed too, which costs a little time");
  kind = "";
  field("error", run.error, "", "why the measurement failed; then there are no figures");

  group = "Machine";
  field("cpu", run.cpu, "", "the processor's name");
  field("cpu_features", run.cpu_features, "", "what `swinzoo env` lists as `isa`");
  field("cores", run.cores, "", "cores that this process may use, the container's quota included");
  field("memory_mb", run.memory_mb, "MiB", "the machine's memory");
  field("governor", run.governor, "", "the frequency governor");
  field("turbo", run.turbo, "", "whether the clock may rise above its nominal frequency");
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
  field("data", run.data, "", "the images: a folder, a tar archive or a CSV");
  field("data_set", run.data_set, "",
        "the published data set that these are of, where their names tell: `imagenet`, `imagenet-real`, "
        "`imagenet-a`, `imagenet-r`, `sketch`, `imagenetv2-matched-frequency`");
  field("labelled_by", run.labelled_by, "", "where the images' classes come from, and how they are numbered");
  field("recipe", run.recipe, "",
        "videos: which views, `kinetics` or `ssv2`; their probabilities are averaged");
  field("valid_classes", run.valid_classes, "", "classes that an answer could be, where these are not all");
  field("shuffle_seed", run.shuffle_seed, "", "the seed that the order was drawn with");
  field("limit", run.limit, "", "images at most, of the data's first");
  field("shard", run.shard, "", "`I/N` where only this part of the images was run");
  field("samples_digest", run.samples_digest, "",
        "SHA-256 of all images' paths and classes in their order, all shards' included");
  field("represents", run.represents, "",
        "whether the images, all shards together, are all that the data holds of `data_set`, or a random "
        "sample of it");
  field("classifier", run.classifier, "",
        "`k-NN` where it is not the model's own head: weighted votes of the 20 nearest training images");
  field("train_data", run.train_data, "", "k-NN: the training images");
  field("train_digest", run.train_digest, "", "k-NN: SHA-256 of the training images' paths and classes");
  field("train_count", run.train_count, "", "k-NN: how many of them could be read");
  field("count", run.count, "", "images that were measured, and have a class");
  field("unlabelled", run.unlabelled, "", "images that were run but have no class, with ReaL's labels");
  field("top1", run.top1, "%", "images whose class came first");
  field("top1_err", run.top1_err, "%", "100 - `top1`");
  field("top1_low", run.top1_low, "%", "lower end of `top1`'s 95% interval (Wilson)");
  field("top1_high", run.top1_high, "%", "its upper end");
  field("top5", run.top5, "%", "images whose class was among the first five");
  field("top5_err", run.top5_err, "%", "100 - `top5`");
  field("top5_low", run.top5_low, "%", "lower end of `top5`'s 95% interval (Wilson)");
  field("top5_high", run.top5_high, "%", "its upper end");
  field("seconds", run.seconds, "s",
        "the evaluation's time, reading the images included; where it was stopped, since it went on");
  field("resumed", run.resumed, "", "images whose results an earlier, stopped evaluation had left");

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
  field("p99_9_ms", run.p99_9_ms, "ms", "99.9th percentile");
  field("median_low_ms", run.median_low_ms, "ms",
        "lower end of the median's 95% interval, of order statistics; none below 6 calls");
  field("median_high_ms", run.median_high_ms, "ms", "its upper end");
  field("median_error", run.median_error, "%", "half that interval's width, of the median");
  field("drift", run.drift, "%", "how much slower the second half of the calls was: medians");
  field("timed_seconds", run.timed_seconds, "s",
        "from the start of the first timed call to the end of the last, of all streams");
  kind = "";
  field("images_per_second", run.images_per_second, "1/s",
        "bench: `batch` x `iterations` over `timed_seconds`; eval: images run in `seconds`, over them");
  kind = "bench";
  field("gmacs_per_second", run.gmacs_per_second, "GMAC/s",
        "multiply-accumulates over time, those done once at load left out");
  field(
      "roof_share", run.roof_share, "%",
      "of the multiply-adds of fp32 that this machine's threads can do, as `bench --profile` measures them");
  field("load_ms", run.load_ms, "ms", "time to read the weights and make them ready");
  kind = "";
  field("peak_memory_mb", run.peak_memory_mb, "MiB",
        "most memory that the process has held; of bench, since it began to load the model");
  kind = "bench";
  field("output_digest", run.output_digest, "",
        "SHA-256 of the first call's results; every call's were compared with them");
  field("cpu_ms", run.cpu_ms, "ms", "processor time of all threads, over warm-up and timed calls, a call");
  field("steal", run.steal, "%", "of the processors' time while timing, what other virtual machines took");
  field("other_load", run.other_load, "", "processors that other programs kept busy while timing");
  field("context_switches", run.context_switches, "",
        "how often one of our threads had to make room for another program");
  field("throttled", run.throttled, "", "how often the container's quota was used up while timing");

  group = "Raw data";
  kind = "eval";
  field("published", run.published, "", "figures that others published of the model, see below");
  field("classes", run.classes, "", "accuracy by class, an object a class, see below");
  field("skipped", run.skipped, "", "images that could not be read: `path` and `error`");
  field("samples", run.samples, "", "where asked for, an object an image, see below");
  kind = "bench";
  field("warnings", run.warnings, "", "what makes these figures less than sure, and what helps");
  field("samples_ms", run.samples_ms, "ms", "time of each timed call, in their order, stream by stream");
  field("profile", run.profile, "", "with `--profile`: `roof`, `total`, `by_kind` and `by_step`, see below");
}

// Fill in the parts of a run that come from elsewhere. set_model leaves the preprocessing's fingerprint, the
// counts and the digest to its caller; set_accuracy takes the images that were measured and those that were
// right, and leaves the percentages out where there are none.
void set_model(Run& run, const zoo::ModelSpec& spec);
void set_machine(Run& run, const Machine& machine);
void set_accuracy(Run& run, int64_t count, int64_t right1, int64_t right5);
// macs_per_image: of what is computed at each call, that is without what is done once at load.
// REQUIRES: at least one sample.
void set_timing(Run& run, const Samples& samples, int64_t batch, std::optional<int64_t> macs_per_image);

// What `disturbance` says of the time that the run took, warm-up included. REQUIRES: set_timing() was called.
void set_disturbance(Run& run, const Disturbance& disturbance);

// Whether each step was timed too. Documents of before `profiled` tell by their profile.
bool is_profiled(const Run& run);

// "2026-01-31T23:59:59Z".
std::string utc_text(std::chrono::system_clock::time_point time);

// Back: seconds since 1970; 0 for a text that is none.
double seconds_of(const std::string& utc_text);

// {"schema": 1, "results": [an object a run]}; runs keep their order. Reading throws kCorrupt, naming the
// file, the result and the field, on another schema, another type or another kind; members it doesn't know
// are left alone.
json::value to_document(std::span<const Run> runs);
std::vector<Run> runs_of(const json::value& document, const std::string& where);
std::vector<Run> read_runs(const std::filesystem::path& path);  // kNotFound too
Run read_run(const std::filesystem::path& path);                // kCorrupt too where there is not just one

}  // namespace swinzoo::eval
