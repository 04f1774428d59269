// Runs with every field set, for the tests of what is made of runs.
#pragma once

#include "eval/run.h"

namespace swinzoo::eval {

inline Run made_bench() {
  Run run;
  run.kind = "bench";
  run.model = "swin_mini|`x`";
  run.architecture = "swin_mini";
  run.collection = "made/1";
  run.image_size = 224;
  run.num_classes = 1000;
  run.params = 28288354;
  run.macs = 4493904672;
  run.activations = 17080000;
  run.weights_digest = "ab12";
  run.backend = "cpu";
  run.isa = "avx512";
  run.threads = 2;
  run.streams = 1;
  run.precision = "fp32";
  run.preprocessing = "224 px #12";
  run.crop_pct = 0.9;
  run.crop_mode = "center";
  run.interpolation = "bicubic";
  run.started_at = "2026-01-31T23:59:59Z";
  run.load_average = 0.25;
  run.with_preprocessing = "photos/";
  run.pinned = true;
  run.profiled = false;  // the usual, in spite of the profile below
  run.cpu = "Some CPU @ 2.00GHz";
  run.cpu_features = {"avx2", "fma"};
  run.cores = 3;
  run.memory_mb = 24105;
  run.governor = "performance";
  run.turbo = false;
  run.os = "Debian";
  run.kernel = "Linux 6.1";
  run.swinzoo_version = "0.1.0";
  run.commit = "8ef57bb";
  run.compiler = "GNU 12.2.0";
  run.build_type = "Release";
  run.build_flags = "-O3 -DNDEBUG";
  run.sanitizer = "address";
  set_timing(run, {3, {41.523456789, 40.1, 39.7, 43.25, 40.000001}, 0.2046, 1.25}, 8, 4400000000);
  run.median_low_ms = 39.7;
  run.median_high_ms = 43.25;
  run.median_error = 4.42643391521197;
  set_disturbance(
      run, {.steal = 0.5, .other_load = 0.125, .own_seconds = 0.72, .context_switches = 3, .throttled = 1});
  run.roof_share = 61.5;
  run.output_digest = "cd34";
  run.warnings = {"the machine is | busy"};
  run.load_ms = 123.456;
  run.peak_memory_mb = 512.75;
  Profile& profile = run.profile.emplace();
  profile.roof = {"Some CPU @ 2.00GHz", "avx512", 2, "0.1.0", 485.25, 38.125};
  ProfileRow row;
  row.name = "layers.0.blocks.0.mlp";
  row.kind = "mlp";
  row.ms = 1.0625;
  row.share = 100;
  row.macs = 123456789;
  row.bytes = 987654;
  row.gflops_per_second = 232.389;
  row.roof = "compute";
  row.roof_share = 47.89;
  profile.by_step = {row};
  row.name = "mlp";
  profile.by_kind = {row};
  row.name = "total";
  row.kind = "";
  profile.total = row;
  return run;
}

inline Run bare_run(const char* kind) {
  Run run;
  run.kind = kind;
  run.model = "bare";
  return run;
}

inline Run made_eval() {
  Run run = made_bench();
  visit_fields(run, [&](const Field& field, auto& member) {
    if (std::string_view(field.kind) != "bench") return;
    member = {};
  });
  run.kind = "eval";
  run.model = "hf:made/up, \"second\"";
  run.batch = 16;
  run.data = "/data/images";
  run.data_set = "imagenet";
  run.labelled_by = "folders, in natural order";
  run.recipe = "ssv2";
  run.valid_classes = 200;
  run.shuffle_seed = 42;
  run.limit = 10;
  run.unlabelled = 3;
  run.shard = "2/3";
  run.samples_digest = "cd34";
  run.represents = true;
  run.classifier = "k-NN";
  run.train_data = "/data/train";
  run.train_digest = "ef56";
  run.train_count = 1000;
  run.seconds = 3.5;
  run.resumed = 4;
  set_accuracy(run, 7, 5, 6);
  run.published = {{"timm", "imagenet", 81.25, 95.5, -9.8214, -9.7857, true, false, "results.csv"},
                   {"authors", "imagenet", 81.5, {}, {}, {}, {}, {}, "paper"}};
  run.classes = {{1, "n01", 4, 75, 100}, {17, "a, \"b\"", 3, 66.66666666666667, 66.66666666666667}};
  run.skipped = {{{"n01/bad.jpg", "is | truncated\nat ``` byte 17"}}};
  run.samples = {{"n01/a.jpg", 1, {}, {1, 4, 2, 0, 3}, {9.5f, 0.1f, -1e-7f, -3.0f, -4.25f}, {}},
                 {"b.png", {}, {3, 5}, {0}, {}, {}}};
  return run;
}

}  // namespace swinzoo::eval
