// Each kernel of each instruction set against its step's own list of operations, as the reference runs it.
#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "backends/cpu/isa.h"
#include "backends/cpu/kernels.h"
#include "formats/error.h"
#include "tests/backends/allocations.h"
#include "tests/backends/made_plan.h"
#include "tests/environment.h"

using namespace swinzoo;
using namespace swinzoo::backends;

namespace {

// Products of depth up to a few hundred in float32, against double.
constexpr double kTolerance = 2e-6;
// Operands are rounded by up to 1/512 of themselves; products average such errors, attention weights don't.
constexpr double kBf16Tolerance = 0.02;

struct Case {
  const char* name;
  Shape input;
  std::function<void(PlanBuilder&)> build;
};

ValueId attention_case(PlanBuilder& b, std::array<int64_t, 3> window, std::array<int64_t, 3> shift,
                       int64_t heads, bool bias) {
  const ValueId x = b.patch_embed("patch_embed", b.input(), 2, 24);
  const Shape grid = b.shape(x);
  return b.attention("block", x,
                     {.windows = {{1, grid[0], grid[1]}, window, shift}, .heads = heads, .qkv_bias = bias});
}

// Clips: grids with a depth, padded before they are shifted.
ValueId clip_attention_case(PlanBuilder& b, Extents window, Extents shift,
                            std::optional<Extents> full_window = {}) {
  const ValueId x = b.patch_embed("patch_embed", b.input(), 2, 24, 2);
  const Shape grid = b.shape(x);
  return b.attention("block", x,
                     {.windows = {{grid[0], grid[1], grid[2]}, window, shift, full_window, true},
                      .heads = 3,
                      .qkv_bias = true});
}

// The step that swinv2 and swinv2_cr have instead.
ValueId cosine_attention_case(PlanBuilder& b, PlanBuilder::AttentionKind kind, bool bias,
                              int64_t pretrained_window) {
  const ValueId x = b.patch_embed("patch_embed", b.input(), 2, 24);
  const Shape grid = b.shape(x);
  return b.attention("block", x,
                     {.kind = kind,
                      .windows = {{1, grid[0], grid[1]}, {1, 7, 7}, {0, 3, 3}},
                      .heads = 3,
                      .qkv_bias = bias,
                      .pretrained_window = pretrained_window});
}

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"patch embedding",
       {3, 20, 12},
       [](PlanBuilder& b) { b.patch_embed("patch_embed", b.input(), 4, 40); }},
      {"plain windows",
       {3, 16, 16},
       [](PlanBuilder& b) {
         attention_case(b, {1, 4, 4}, {0, 0, 0}, 3, true);
       }},
      {"shifted windows",
       {3, 16, 16},
       [](PlanBuilder& b) {
         attention_case(b, {1, 4, 4}, {0, 2, 2}, 2, true);
       }},
      {"padded windows",
       {3, 20, 14},
       [](PlanBuilder& b) {
         attention_case(b, {1, 7, 7}, {0, 0, 0}, 1, true);
       }},
      {"padded and shifted",
       {3, 20, 18},
       [](PlanBuilder& b) {
         attention_case(b, {1, 7, 7}, {0, 3, 3}, 4, true);
       }},
      {"shifted in one axis",
       {3, 8, 16},
       [](PlanBuilder& b) {
         attention_case(b, {1, 4, 4}, {0, 0, 2}, 2, true);
       }},
      {"no bias of q k and v",
       {3, 16, 16},
       [](PlanBuilder& b) {
         attention_case(b, {1, 8, 8}, {0, 0, 0}, 2, false);
       }},
      {"mlp",
       {3, 12, 20},
       [](PlanBuilder& b) { b.mlp("block", b.patch_embed("patch_embed", b.input(), 2, 33), 100); }},
      {"merging",
       {3, 16, 24},
       [](PlanBuilder& b) { b.patch_merging("down", b.patch_embed("e", b.input(), 2, 20)); }},
      {"merging an odd grid",
       {3, 10, 14},
       [](PlanBuilder& b) { b.patch_merging("down", b.patch_embed("e", b.input(), 2, 20)); }},
      {"swinv2 attention",
       {3, 20, 18},
       [](PlanBuilder& b) { cosine_attention_case(b, PlanBuilder::AttentionKind::kSwinV2, true, 0); }},
      {"swinv2 attention of another window and without bias",
       {3, 28, 28},
       [](PlanBuilder& b) { cosine_attention_case(b, PlanBuilder::AttentionKind::kSwinV2, false, 5); }},
      {"swinv2_cr attention",
       {3, 20, 18},
       [](PlanBuilder& b) { cosine_attention_case(b, PlanBuilder::AttentionKind::kSwinV2Cr, true, 0); }},
      {"mlp with its norm last",
       {3, 12, 20},
       [](PlanBuilder& b) { b.mlp("block", b.patch_embed("patch_embed", b.input(), 2, 33), 100, true); }},
      {"merging an odd grid with its norm last",
       {3, 10, 14},
       [](PlanBuilder& b) { b.patch_merging("down", b.patch_embed("e", b.input(), 2, 20), true); }},
      {"clips that the patches do not divide",
       {3, 5, 18, 13},
       [](PlanBuilder& b) { b.patch_embed("patch_embed", b.input(), 4, 40, 2); }},
      {"images that the patches do not divide",
       {3, 18, 13},
       [](PlanBuilder& b) { b.patch_embed("patch_embed", b.input(), 4, 40); }},
      {"windows of clips",
       {3, 8, 8, 12},
       [](PlanBuilder& b) {
         clip_attention_case(b, {2, 4, 3}, {0, 0, 0});
       }},
      {"windows of clips padded and shifted",
       {3, 10, 12, 18},
       [](PlanBuilder& b) {
         clip_attention_case(b, {2, 4, 7}, {1, 2, 3});
       }},
      {"windows of clips smaller than the table of biases",
       {3, 8, 14, 6},
       [](PlanBuilder& b) {
         clip_attention_case(b, {2, 7, 3}, {1, 0, 0}, Extents{2, 8, 7});
       }},
      {"merging clips of odd height",
       {3, 6, 10, 12},
       [](PlanBuilder& b) { b.patch_merging("down", b.patch_embed("e", b.input(), 2, 20, 2)); }},
      {"pool of clips with the channels first",
       {3, 6, 10, 12},
       [](PlanBuilder& b) {
         const ValueId x = b.token_norm("norm", b.patch_embed("e", b.input(), 2, 48, 2));
         b.output("features", x, true);
         b.pool("pool", x);
       }},
      {"results with the channels first",
       {3, 16, 24},
       [](PlanBuilder& b) {
         const ValueId x = b.token_norm("norm", b.patch_embed("e", b.input(), 2, 48));
         b.output("features", x, true);
         b.pool("pool", x);
       }},
      {"norm pool and head",
       {3, 16, 16},
       [](PlanBuilder& b) {
         const ValueId x = b.token_norm("norm", b.patch_embed("e", b.input(), 2, 48));
         b.output("features", x);
         b.output("logits", b.head("head", b.pool("pool", x), 401));
       }},
      {"more rows than a tile",
       {3, 96, 100},
       [](PlanBuilder& b) { b.mlp("block", b.patch_embed("e", b.input(), 4, 260), 300); }},
  };
  return kCases;
}

Plan plan_of(const Case& c) {
  PlanBuilder builder(c.input);
  c.build(builder);
  Plan plan = builder.take();
  plan.outputs.push_back({"result", plan.steps.back().output});
  return plan;
}

std::vector<std::pair<std::string, Tensor>> run(std::string_view backend, const Plan& plan,
                                                const MadeWeights& weights, const Tensor& x,
                                                const LoadOptions& options) {
  const auto executable = find_backend(backend).load(plan, weights.views, options);
  return run_outputs(*executable, x.view(), all_outputs(plan));
}

// What this CPU has.
std::vector<std::pair<Isa, Precision>> isas() {
  std::vector<std::pair<Isa, Precision>> there;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
      if (has_isa(isa, precision)) there.emplace_back(isa, precision);
    }
  }
  return there;
}

}  // namespace

TEST_CASE("every kernel of every instruction set agrees with its step's operations") {
  for (const auto& [isa, precision] : isas()) {
    const EnvironmentVariable forced("SWINZOO_FORCE_ISA", std::string(name_of(isa)));
    for (const Case& c : cases()) {
      const Plan plan = plan_of(c);
      const MadeWeights weights(plan);
      for (const int64_t batch : {1, 3}) {
        Shape shape = c.input;
        shape.insert(shape.begin(), batch);
        const Tensor x = random_tensor(shape, 7);
        const auto expected = run("reference", plan, weights, x, {2});
        const auto found = run("cpu", plan, weights, x, {.threads = 2, .precision = precision});
        for (size_t i = 0; i < expected.size(); ++i) {
          INFO(name_of(isa) << ' ' << name_of(precision) << ": " << c.name << ", batch " << batch << ", "
                            << expected[i].first);
          CHECK(found[i].second.shape() == expected[i].second.shape());
          const double error = relative_error(expected[i].second.as<float>(), found[i].second.as<float>());
          CHECK(error < (precision == Precision::kBf16 ? kBf16Tolerance : kTolerance));
        }
      }
    }
  }
}

TEST_CASE("the forced instruction set is the one that runs") {
  const Plan plan = plan_of(cases()[0]);
  const MadeWeights weights(plan);
  for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512}) {
    const EnvironmentVariable forced("SWINZOO_FORCE_ISA", std::string(name_of(isa)));
    if (has_isa(isa)) {
      CHECK(find_backend("cpu").load(plan, weights.views, {1})->isa() == name_of(isa));
    } else {
      CHECK_THROWS_AS(find_backend("cpu").load(plan, weights.views, {1}), Error);
    }
  }
  const EnvironmentVariable forced("SWINZOO_FORCE_ISA", "sse9");
  CHECK_THROWS_AS(find_backend("cpu").load(plan, weights.views, {1}), Error);
}

TEST_CASE("outputs depend neither on which others are asked for nor on threads, batch and place in it") {
  constexpr int64_t kBatch = 5;
  for (const auto& [isa, precision] : isas()) {
    const EnvironmentVariable forced("SWINZOO_FORCE_ISA", std::string(name_of(isa)));
    for (const Case& c : cases()) {
      const Plan plan = plan_of(c);
      const MadeWeights weights(plan);
      Shape shape = c.input;
      shape.insert(shape.begin(), kBatch);
      const Tensor x = random_tensor(shape, 3);
      const auto all = run("cpu", plan, weights, x, {.threads = 1, .precision = precision});
      for (const int threads : {1, 2, 3, 8}) {
        const auto executable =
            find_backend("cpu").load(plan, weights.views, {.threads = threads, .precision = precision});
        for (const auto& [name, expected] : all) {
          INFO(name_of(isa) << ' ' << name_of(precision) << ": " << c.name << ", " << name << ", " << threads
                            << " threads");
          const auto alone = run_outputs(*executable, x.view(), std::vector<std::string>{name});
          CHECK(std::ranges::equal(alone[0].second.bytes(), expected.bytes()));
        }
        for (const int64_t image : {0, 3}) {
          Shape one = shape;
          one[0] = 1;
          const size_t size = x.bytes().size() / kBatch;
          const TensorView view{DType::kF32, one,
                                std::as_const(x).bytes().subspan(static_cast<size_t>(image) * size, size)};
          const auto found = run_outputs(*executable, view, all_outputs(plan));
          for (size_t i = 0; i < all.size(); ++i) {
            INFO(name_of(isa) << ' ' << name_of(precision) << ": " << c.name << ", " << all[i].first
                              << " of image " << image);
            const auto expected = std::as_const(all[i].second).bytes();
            const size_t part = expected.size() / kBatch;
            CHECK(std::ranges::equal(found[i].second.bytes(),
                                     expected.subspan(static_cast<size_t>(image) * part, part)));
          }
        }
      }
    }
  }
}

TEST_CASE("a run that has run before allocates nothing") {
  for (const auto& [isa, precision] : isas()) {
    if (isa == Isa::kBaseline) continue;  // Eigen allocates
    const EnvironmentVariable forced("SWINZOO_FORCE_ISA", std::string(name_of(isa)));
    for (const Case& c : cases()) {
      const Plan plan = plan_of(c);
      const MadeWeights weights(plan);
      Shape shape = c.input;
      shape.insert(shape.begin(), 3);
      const Tensor x = random_tensor(shape, 3);
      const auto executable =
          find_backend("cpu").load(plan, weights.views, {.threads = 2, .precision = precision});
      Tensor result(DType::kF32, plan.output_shape(plan.outputs[0], 3));
      const OutputBinding binding{0, result.as<float>()};
      const TensorView view = x.view();
      // What TBB keeps for later it may still allocate in some early runs; one without must come.
      int64_t least = 1;
      for (int i = 0; i < 20 && least > 0; ++i) {
        const int64_t before = allocations();
        executable->run(view, std::span(&binding, 1));
        least = std::min(least, allocations() - before);
      }
      INFO(name_of(isa) << ' ' << name_of(precision) << ": " << c.name);
      CHECK(least == 0);
    }
  }
  const int64_t before = allocations();
  delete new std::string(100, 'x');
  CHECK(allocations() == before + 2);
}

TEST_CASE("several threads may run one executable at once with batches of their own") {
  const Plan plan = plan_of(cases()[4]);
  const MadeWeights weights(plan);
  const auto executable = find_backend("cpu").load(plan, weights.views, {2});
  std::vector<Tensor> inputs, expected;
  const std::vector<std::string> names = {"result"};
  for (uint32_t i = 0; i < 4; ++i) {
    inputs.push_back(random_tensor({1 + static_cast<int64_t>(i) % 3, 3, 20, 18}, 20 + i));
    expected.push_back(std::move(run_outputs(*executable, inputs.back().view(), names)[0].second));
  }
  std::vector<int> wrong(inputs.size(), 0);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < inputs.size(); ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 10; ++round) {
          const auto result = run_outputs(*executable, inputs[i].view(), names);
          wrong[i] += std::ranges::equal(result[0].second.bytes(), expected[i].bytes()) ? 0 : 1;
        }
      });
    }
  }
  CHECK(wrong == std::vector<int>(inputs.size(), 0));
}

TEST_CASE("inputs of another shape and unknown outputs and backends are usage errors") {
  const Plan plan = plan_of(cases()[0]);
  const MadeWeights weights(plan);
  const auto executable = find_backend("reference").load(plan, weights.views, {1});
  const std::vector<std::string> names = {"result"};
  const auto code_of = [](const auto& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{0};
  };
  CHECK(code_of([&] {
          run_outputs(*executable, random_tensor({1, 3, 20, 13}, 1).view(), names);
        }) == ErrorCode::kUsage);
  CHECK(code_of([&] {
          run_outputs(*executable, random_tensor({3, 20, 12}, 1).view(), names);
        }) == ErrorCode::kUsage);
  CHECK(code_of([&] {
          run_outputs(*executable, random_tensor({0, 3, 20, 12}, 1).view(), names);
        }) == ErrorCode::kUsage);
  const std::vector<std::string> unknown = {"logit"};
  CHECK(code_of([&] {
          run_outputs(*executable, random_tensor({1, 3, 20, 12}, 1).view(), unknown);
        }) == ErrorCode::kUsage);
  CHECK(code_of([&] { find_backend("gpu"); }) == ErrorCode::kUsage);
}
