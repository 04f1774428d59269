#include "eval/run_setup.h"

#include <catch2/catch.hpp>
#include <ostream>
#include <utility>

#include "tests/eval/made_runs.h"

using namespace swinzoo::eval;

namespace {

template <typename Change>
Run changed(Run run, Change change) {
  change(run);
  return run;
}

// What a change of a run means to those who tell runs apart.
struct Telling {
  bool history = false, compare = false, folder = false, request = false, machine = false, judged = false;
  bool operator==(const Telling&) const = default;
};

template <typename Change>
Telling telling(const Run& run, Change change) {
  const Run other = changed(run, change);
  return {.history = history_configuration(run) != history_configuration(other),
          .compare = compared_setup(run) != compared_setup(other),
          .folder = !is_same_measurement(run, other),
          .request = !is_same_request(run, other),
          .machine = machine_fingerprint(run) != machine_fingerprint(other),
          .judged = !machine_difference(run, other).empty()};
}

constexpr Telling kAsked{.history = true, .compare = true, .folder = true, .request = true};
constexpr Telling kInput{.history = true, .compare = true, .folder = true};
constexpr Telling kDerived{.history = true, .folder = true};
constexpr Telling kMachine{.folder = true, .machine = true, .judged = true};
constexpr Telling kBuild{.folder = true, .judged = true};
constexpr Telling kFolder{.folder = true};

std::ostream& operator<<(std::ostream& out, const Telling& t) {
  return out << "history " << t.history << ", compare " << t.compare << ", folder " << t.folder
             << ", request " << t.request << ", machine " << t.machine << ", judged " << t.judged;
}

}  // namespace

TEST_CASE("what a bench was asked for tells it apart from all others") {
  const Run run = made_bench();
  CHECK(telling(run, [](Run&) {}) == Telling{});
  CHECK(telling(run, [](Run& r) { r.kind = "eval"; }).compare);
  CHECK(telling(run, [](Run& r) { r.backend = "reference"; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.precision = "bf16"; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.threads = 3; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.streams = 2; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.batch = 9; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.with_preprocessing.clear(); }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.pinned = false; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.profiled = true; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.image_size = 256; }) == kInput);
}

TEST_CASE("what follows from code, model and machine tells only some apart") {
  const Run run = made_bench();
  CHECK(telling(run, [](Run& r) { r.isa = "avx2"; }) == kDerived);
  CHECK(telling(run, [](Run& r) { r.model = "another"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.weights_digest = "00"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.macs = 1; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.preprocessing = "other"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.cpu = "another"; }) == kMachine);
  CHECK(telling(run, [](Run& r) { r.cores = 4; }) == kMachine);
  CHECK(telling(run, [](Run& r) { r.memory_mb = 50000; }) == kMachine);
  CHECK(telling(run, [](Run& r) { r.cpu_features = {"fma"}; }) == kMachine);
  CHECK(telling(run, [](Run& r) { r.governor = "powersave"; }) == kMachine);
  CHECK(telling(run, [](Run& r) { r.build_type = "Debug"; }) == kBuild);
  CHECK(telling(run, [](Run& r) { r.sanitizer.clear(); }) == kBuild);
  CHECK(telling(run, [](Run& r) { r.build_flags = "-O2"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.compiler = "Clang"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.swinzoo_version = "9"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.commit = "abc"; }) == kFolder);
  CHECK(telling(run, [](Run& r) { r.kernel = "Linux 7"; }) == kFolder);
}

TEST_CASE("figures, and what varies by itself, tell no runs apart") {
  const Run run = made_bench();
  CHECK(telling(run, [](Run& r) {
          r.started_at = "2030-01-01T00:00:00Z";
          r.load_average = 9;
          r.memory_mb = *r.memory_mb + 20;
          r.cpu_features = {"fma", "avx2"};
          r.os = "another";
          r.median_ms = 1;
          r.samples_ms = {1};
          r.output_digest = "00";
          r.error = "it broke";
        }) == Telling{});
}

TEST_CASE("evaluations are told apart by what changes a result") {
  const Run run = made_eval();
  CHECK(telling(run, [](Run& r) {
          r.threads = 9;
          r.streams = 9;
          r.batch = 9;
        }) == Telling{});
  CHECK(telling(run, [](Run& r) { r.valid_classes = 9; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.shuffle_seed = 9; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.limit = 9; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.shard = "1/3"; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.classifier.clear(); }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.recipe = "kinetics"; }) == kAsked);
  CHECK(telling(run, [](Run& r) { r.data_set.clear(); }) == kDerived);
  CHECK(telling(run, [](Run& r) { r.preprocessing = "other"; }) == kDerived);
}

TEST_CASE("compare knows images by their digest, the history by their folder's name") {
  for (auto [path, digest] :
       {std::pair(&Run::data, &Run::samples_digest), std::pair(&Run::train_data, &Run::train_digest)}) {
    const Run run = made_eval();
    const Run moved = changed(run, [&](Run& r) { r.*path = "/elsewhere/" + (run.*path).substr(6) + "/"; });
    CHECK(history_configuration(moved) == history_configuration(run));
    CHECK(compared_setup(moved) == compared_setup(run));
    const Run other = changed(run, [&](Run& r) { r.*path = "/data/other"; });
    CHECK(history_configuration(other) != history_configuration(run));
    CHECK(compared_setup(other) == compared_setup(run));
    const Run edited = changed(run, [&](Run& r) { r.*digest = "00"; });
    CHECK(history_configuration(edited) == history_configuration(run));
    CHECK(compared_setup(edited) != compared_setup(run));
    const auto nameless = [&](const Run& r) { return changed(r, [&](Run& c) { (c.*digest).clear(); }); };
    CHECK(compared_setup(nameless(moved)) == compared_setup(nameless(run)));
    CHECK(compared_setup(nameless(other)) != compared_setup(nameless(run)));
  }
}

TEST_CASE("the history's texts stay as they are in files") {
  Run bench = made_bench();
  bench.with_preprocessing.clear();
  bench.pinned = false;
  CHECK(history_configuration(bench) ==
        "kind=bench backend=cpu isa=avx512 precision=fp32 threads=2 streams=1 batch=8 image_size=224 "
        "pinned=false");
  bench.profiled = true;
  CHECK_THAT(history_configuration(bench), Catch::EndsWith(" pinned=false profiled=true"));
  Run eval = made_eval();
  eval.classifier.clear();
  eval.recipe.clear();
  eval.train_data.clear();
  CHECK(history_configuration(eval) ==
        "kind=eval backend=cpu precision=fp32 image_size=224 data=images data_set=imagenet valid_classes=200 "
        "shuffle_seed=42 limit=10 shard=2/3 preprocessing=224 px #12");
}

TEST_CASE("a flag that is off is one that an older version did not write") {
  Run off = made_bench(), older = off;
  off.pinned = false;
  older.pinned.reset();
  CHECK(compared_setup(off) == compared_setup(older));
  CHECK(compared_setup(off) != compared_setup(made_bench()));
}

TEST_CASE("a result of before the field is profiled where it has a profile") {
  const Run now = changed(made_bench(), [](Run& r) { r.profiled = true; });
  const Run before = changed(now, [](Run& r) { r.profiled.reset(); });
  CHECK(is_profiled(before));
  CHECK(is_same_measurement(now, before));
  CHECK(compared_setup(now) == compared_setup(before));
  CHECK(history_configuration(now) == history_configuration(before));

  const Run plain = changed(now, [](Run& r) {
    r.profiled = false;
    r.profile.reset();
  });
  const Run plain_before = changed(plain, [](Run& r) { r.profiled.reset(); });
  CHECK_FALSE(is_profiled(plain_before));
  CHECK(is_same_measurement(plain, plain_before));
  CHECK(compared_setup(plain) == compared_setup(plain_before));
  CHECK(history_configuration(plain) == history_configuration(plain_before));
  CHECK_FALSE(is_same_measurement(now, plain));
}

TEST_CASE("a setup's text has what is not as usual") {
  Run run = made_bench();
  run.profiled = true;
  CHECK(setup_text(run) == "fp32, 2 threads, 1 streams, batch 8, with preprocessing, pinned, profiled");
  run.with_preprocessing.clear();
  run.pinned = false;
  run.profiled = false;
  run.backend = "reference";
  CHECK(setup_text(run) == "fp32, 2 threads, 1 streams, batch 8, reference");
}
