#include "eval/profile.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <numeric>

#include "eval/count.h"
#include "eval/model_bench.h"
#include "tests/backends/made_plan.h"
#include "tests/made_model.h"
#include "zoo/architecture.h"

using namespace swinzoo;
using namespace swinzoo::eval;
using backends::Plan;
using backends::PlanBuilder;
using backends::StepTimes;
using namespace std::chrono_literals;

namespace {

const Roof kRoof{"CPU", "avx2", 1, "1", 100, 10};  // 100 operations or 10 bytes a nanosecond

Plan made_plan(PlanBuilder::AttentionKind kind = PlanBuilder::AttentionKind::kSwin) {
  PlanBuilder builder({3, 16, 16});
  backends::ValueId x = builder.patch_embed("patch_embed", builder.input(), 2, 8);
  for (const char* block : {"layers.0.blocks.0", "layers.0.blocks.1"}) {
    x = builder.attention(
        block, x, {.kind = kind, .windows = {{1, 8, 8}, {1, 4, 4}, {0, 2, 2}}, .heads = 2, .qkv_bias = true});
    x = builder.mlp(block, x, 32);
  }
  x = builder.pool("pool", x);
  builder.output("embedding", x);
  builder.output("logits", builder.head("head.fc", x, 5));
  return builder.take();
}

// Each step of a call takes as many microseconds as `scale` x (its index + 1).
StepTimes made_times(const Plan& plan, int scale) {
  StepTimes times;
  for (size_t i = 0; i < plan.steps.size(); ++i) times.steps.push_back(scale * static_cast<int>(i + 1) * 1us);
  return times;
}

int64_t sum_of_macs(const std::vector<ProfileRow>& rows) {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [](int64_t sum, const ProfileRow& row) { return sum + row.macs; });
}

}  // namespace

TEST_CASE("a step's bytes are what it reads and writes, each once") {
  const Plan plan = made_plan();
  // Image, result; kernels, bias, norm.
  CHECK(bytes_of(plan, plan.steps[0], 1) == 4 * (3 * 256 + 512 + (96 + 8 + 16)));
  CHECK(bytes_of(plan, plan.steps[0], 3) == 4 * (3 * (3 * 256 + 512) + (96 + 8 + 16)));
  // Input, result; norm, qkv, projection; the biases of 2 heads for 16 x 16 tokens, which the load made of
  // the table.
  const int64_t attention_weights = 16 + (8 * 24 + 24) + (64 + 8) + 2 * 256;
  CHECK(bytes_of(plan, plan.steps[1], 1) == 4 * (2 * 512 + attention_weights));
  CHECK(bytes_of(plan, plan.steps[1], 3) == 4 * (3 * 2 * 512 + attention_weights));
  CHECK(bytes_of(plan, plan.steps[2], 1) == 4 * (2 * 512 + 16 + (8 * 32 + 32) + (32 * 8 + 8)));
  CHECK(bytes_of(plan, plan.steps[5], 2) == 4 * 2 * (512 + 8));           // the pool
  CHECK(bytes_of(plan, plan.steps[6], 2) == 4 * (2 * (8 + 5) + 40 + 5));  // the head
}

TEST_CASE("a profile has each step's median, and sums by kind") {
  const Plan plan = made_plan();
  const std::vector<StepTimes> calls = {made_times(plan, 9), made_times(plan, 1), made_times(plan, 2)};
  const Profile profile = profile_of(plan, 1, calls, kRoof);
  REQUIRE(profile.by_step.size() == 7);
  for (size_t i = 0; i < 7; ++i) {
    CHECK(profile.by_step[i].name == plan.steps[i].name);
    CHECK(profile.by_step[i].ms == Approx(0.002 * static_cast<double>(i + 1)));
    CHECK(profile.by_step[i].steps == 1);
    CHECK(profile.by_step[i].bytes == bytes_of(plan, plan.steps[i], 1));
  }
  CHECK(profile.roof == kRoof);
  CHECK(profile.total.name == "total");
  CHECK(profile.total.steps == 7);
  CHECK(profile.total.ms == Approx(0.002 * 28));
  CHECK(profile.total.share == Approx(100));
  std::vector<std::string> kinds;
  for (const ProfileRow& row : profile.by_kind) kinds.push_back(row.name);
  CHECK(kinds == std::vector<std::string>{"patch_embed", "attention", "mlp", "pool", "head"});
  const ProfileRow& mlp = profile.by_kind[2];
  CHECK(mlp.steps == 2);
  CHECK(mlp.ms == Approx(0.002 * (3 + 5)));
  CHECK(*mlp.share == Approx(100.0 * 8 / 28));
  CHECK(mlp.macs == profile.by_step[2].macs + profile.by_step[4].macs);
  CHECK(mlp.bytes == profile.by_step[2].bytes + profile.by_step[4].bytes);
  double shares = 0;
  for (const ProfileRow& row : profile.by_step) shares += *row.share;
  CHECK(shares == Approx(100));
}

TEST_CASE("a profile's MACs are those that count gives for each run, times the batch") {
  for (const auto kind : {PlanBuilder::AttentionKind::kSwin, PlanBuilder::AttentionKind::kSwinV2}) {
    const Plan plan = made_plan(kind);
    const Count counted = count(plan);
    if (kind == PlanBuilder::AttentionKind::kSwinV2) CHECK(counted.macs_each_run < counted.macs);
    const std::vector<StepTimes> calls = {made_times(plan, 1)};
    for (const int64_t batch : {1, 8}) {
      const Profile profile = profile_of(plan, batch, calls, kRoof);
      CHECK(profile.total.macs == batch * counted.macs_each_run);
      CHECK(sum_of_macs(profile.by_step) == profile.total.macs);
      CHECK(sum_of_macs(profile.by_kind) == profile.total.macs);
    }
  }
}

TEST_CASE("a step is held against the roof that it meets first") {
  const Plan plan = made_plan();
  const std::vector<StepTimes> calls = {made_times(plan, 10)};
  const Profile profile = profile_of(plan, 1, calls, kRoof);
  const ProfileRow& mlp = profile.by_step[2];  // 30 us
  CHECK(mlp.macs == 64 * (2 * 8 * 32) + 5 * 512);
  CHECK(mlp.roof == "compute");
  CHECK(*mlp.gflops_per_second == Approx(2 * static_cast<double>(mlp.macs) / 30000));
  CHECK(*mlp.roof_share == Approx(*mlp.gflops_per_second));  // of 100 GFLOP/s
  const ProfileRow& head = profile.by_step[6];               // 70 us
  CHECK(head.roof == "memory");
  CHECK(*head.roof_share == Approx(100 * (static_cast<double>(head.bytes) / 10) / 70000));

  const std::vector<StepTimes> none = {made_times(plan, 0)};
  const Profile timeless = profile_of(plan, 1, none, kRoof);
  CHECK_FALSE(timeless.total.share.has_value());
  CHECK_FALSE(timeless.total.gflops_per_second.has_value());
  CHECK_FALSE(timeless.by_step[0].roof_share.has_value());
  CHECK_THAT(table_by_step(timeless).text(), Catch::Contains(" - "));
}

TEST_CASE("the tables show every row and the total") {
  const Plan plan = made_plan();
  const std::vector<StepTimes> calls = {made_times(plan, 10)};
  const Profile profile = profile_of(plan, 1, calls, kRoof);
  const std::string by_kind = table_by_kind(profile).text();
  CHECK(std::count(by_kind.begin(), by_kind.end(), '\n') == 1 + 5 + 1);
  CHECK_THAT(by_kind, Catch::Contains("\nattention ") && Catch::Contains("\ntotal "));
  const std::string by_step = table_by_step(profile).text();
  CHECK(std::count(by_step.begin(), by_step.end(), '\n') == 1 + 7 + 1);
  CHECK_THAT(by_step, Catch::Contains("\nlayers.0.blocks.1.mlp ") && Catch::Contains("\ntotal "));
  CHECK_THAT(by_step, Catch::Contains("compute") && Catch::Contains("memory"));
}

TEST_CASE("the steps of a call take no longer than the call") {
  const Plan plan = zoo::build_plan(made_spec({}));
  const backends::MadeWeights weights(plan);
  for (const char* name : {"cpu", "reference"}) {
    const auto executable = backends::find_backend(name).load(plan, weights.views, {2});
    SteadyClock clock;
    BenchOptions options;
    options.warmup = 1;
    options.warmup_seconds = 0;
    options.iterations = 4;
    OutputCheck check;
    const ModelSamples timed =
        time_steps({.executable = *executable, .check = check, .batch = 2}, options, clock);
    REQUIRE(timed.steps.size() == 4);
    REQUIRE(timed.samples.ms.size() == 4);
    for (size_t call = 0; call < 4; ++call) {
      const auto& steps = timed.steps[call].steps;
      REQUIRE(steps.size() == plan.steps.size());
      CHECK(std::ranges::all_of(steps, [](auto time) { return time > 0ns; }));
      const auto sum = std::accumulate(steps.begin(), steps.end(), 0ns);
      CHECK(std::chrono::duration<double, std::milli>(sum).count() <= timed.samples.ms[call]);
    }
  }
}
