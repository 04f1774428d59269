// The cpu backend's hand-written kernels beside Eigen's for the same instruction set: a row a kernel and a
// shape that Swin has, as Markdown. One thread; the two are timed in turns, and medians are compared.
//
// usage: kernels_benchmark      (pin it to one core: taskset -c 0)
#include "backends/cpu/kernels.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace swinzoo::backends {

namespace eigen_avx2 {
extern const Kernels kKernels;
}
namespace eigen_avx512 {
extern const Kernels kKernels;
}

namespace {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

constexpr int kRounds = 15;
constexpr Microseconds kSlice{4000};  // of one kernel in one round

using Call = std::function<void()>;

double time_of(const Call& call, int64_t repeats) {
  const auto start = Clock::now();
  for (int64_t i = 0; i < repeats; ++i) call();
  return Microseconds(Clock::now() - start).count() / static_cast<double>(repeats);
}

double median(std::array<double, kRounds> times) {
  std::sort(times.begin(), times.end());
  return times[kRounds / 2];
}

// Times both and prints a row. flops: of one call; 0 where they say nothing.
void compare(const std::string& what, double flops, const Call& eigen, const Call& ours) {
  const auto repeats = [](const Call& call) {
    return static_cast<int64_t>(kSlice.count() / time_of(call, 3)) + 1;
  };
  const int64_t eigen_repeats = repeats(eigen), our_repeats = repeats(ours);
  std::array<double, kRounds> eigen_times{}, our_times{};
  for (size_t round = 0; round < kRounds; ++round) {
    eigen_times[round] = time_of(eigen, eigen_repeats);
    our_times[round] = time_of(ours, our_repeats);
  }
  const double of_eigen = median(eigen_times), of_ours = median(our_times);
  const auto speed = [&](double time) {
    return flops == 0 ? std::string() : fmt::format("{:.0f}", flops / time / 1e3);
  };
  fmt::print("| {} | {:.2f} | {} | {:.2f} | {} | {:.2f} |\n", what, of_eigen, speed(of_eigen), of_ours,
             speed(of_ours), of_ours / of_eigen);
}

std::vector<float> random_floats(int64_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count + kSlack));
  for (float& value : values) value = normal(generator);
  return values;
}

struct Linear {
  const char* name;
  int64_t rows, depth, columns;
  Epilogue epilogue;
};

// A product with its own packed weights, as a step calls it.
class ProductCase {
 public:
  ProductCase(const Kernels& kernels, const Linear& linear)
      : kernels_(kernels),
        x_(random_floats((linear.rows + 16) * (linear.depth + 16))),
        bias_(random_floats(linear.columns)),
        out_(static_cast<size_t>(linear.rows * (linear.columns + 16) + kSlack)),
        packed_(kernels.packed_size(linear.columns, linear.depth) / sizeof(float) + 16) {
    const std::vector<float> w = random_floats(linear.columns * linear.depth);
    kernels.pack(w.data(), linear.columns, linear.depth, 0, 1, packed_.data());
    product_ = {.x = x_.data(),
                .x_stride = linear.depth + 16,
                .rows = linear.rows,
                .depth = linear.depth,
                .w = packed_.data(),
                .first_column = 0,
                .columns = linear.columns,
                .bias = bias_.data(),
                .epilogue = linear.epilogue,
                .out = out_.data(),
                .out_stride = linear.columns + 16,
                .out_rows = nullptr};
  }

  void operator()() const { kernels_.multiply(product_); }

 private:
  const Kernels& kernels_;
  std::vector<float> x_, bias_, out_, packed_;
  Product product_;
};

// One head of a window of `side` x `side` tokens.
class AttentionCase {
 public:
  static constexpr int64_t kHeadSize = 32, kStride = 3 * 96 + 16;

  AttentionCase(const Kernels& kernels, int64_t side)
      : kernels_(kernels),
        qkv_(random_floats(side * side * kStride)),
        bias_(random_floats((2 * side - 1) * (2 * side - 1))),
        scratch_(static_cast<size_t>(kernels.attention_scratch(side * side, kHeadSize)) / 16 + 1),
        out_(static_cast<size_t>(side * side * kHeadSize + kSlack)) {
    for (int64_t row = 0; row < side; ++row) {
      runs_.push_back({static_cast<int32_t>(row * side), static_cast<int32_t>(side),
                       static_cast<int32_t>(row * (2 * side - 1))});
      for (int64_t column = 0; column < side; ++column) {
        positions_.push_back(static_cast<int32_t>(row * (2 * side - 1) + column));
      }
    }
    head_ = {.q = qkv_.data(),
             .k = qkv_.data() + 96,
             .v = qkv_.data() + 192,
             .stride = kStride,
             .tokens = side * side,
             .head_size = kHeadSize,
             .bias = bias_.data(),
             .positions = positions_.data(),
             .centre = static_cast<int32_t>((side - 1) * 2 * side),
             .runs = runs_.data(),
             .run_count = side,
             .masks = nullptr,
             .mask_rows = nullptr,
             .mask_stride = 0,
             .scratch = scratch_.front().values,
             .weights = nullptr,
             .out = out_.data(),
             .out_stride = kHeadSize};
  }

  void operator()() const { kernels_.attention(head_); }

 private:
  struct alignas(64) Line {
    float values[16];
  };

  const Kernels& kernels_;
  std::vector<float> qkv_, bias_;
  std::vector<Line> scratch_;
  std::vector<float> out_;
  std::vector<int32_t> positions_;
  std::vector<BiasRun> runs_;
  HeadAttention head_;
};

constexpr Linear kLinears[] = {
    {"tiny's stage 1, qkv", 98, 96, 288, Epilogue::kStore},
    {"tiny's stage 1, fc1 and GELU", 98, 96, 384, Epilogue::kGelu},
    {"base's stage 3, qkv", 98, 512, 1536, Epilogue::kStore},
    {"base's stage 3, projection and sum", 98, 512, 512, Epilogue::kAdd},
    {"base's stage 3, fc1 and GELU", 98, 512, 2048, Epilogue::kGelu},
    {"base's stage 3, fc2 and sum", 98, 2048, 512, Epilogue::kAdd},
    {"base's stage 4, fc1 and GELU", 49, 1024, 4096, Epilogue::kGelu},
    {"base's stage 4, fc2 and sum", 49, 4096, 1024, Epilogue::kAdd},
};

void compare_all(Isa isa, const Kernels& eigen) {
  const Kernels& ours = kernels_for(isa, Precision::kFp32);
  fmt::print(
      "### {}\n\n| kernel | Eigen us | GFLOP/s | ours us | GFLOP/s | ratio |\n|---|---|---|---|---|---|\n",
      name_of(isa));
  for (const Linear& linear : kLinears) {
    compare(fmt::format("{}: {} x {} by {}", linear.name, linear.rows, linear.depth, linear.columns),
            2.0 * static_cast<double>(linear.rows * linear.depth * linear.columns),
            ProductCase(eigen, linear), ProductCase(ours, linear));
  }
  for (const int64_t side : {7, 12, 16}) {
    const auto tokens = static_cast<double>(side * side);
    compare(fmt::format("attention, a head of a window of {} x {}", side, side),
            4 * tokens * tokens * static_cast<double>(AttentionCase::kHeadSize), AttentionCase(eigen, side),
            AttentionCase(ours, side));
  }
  constexpr int64_t kChannels = 512, kCount = 98 * kChannels;
  const std::vector<float> x = random_floats(kCount), weight = random_floats(kChannels),
                           bias = random_floats(kChannels);
  std::vector<float> out(x.size());
  using Rows = std::function<void(const Kernels&)>;
  const std::pair<const char*, Rows> row_kernels[] = {
      {"layer norm of 98 x 512",
       [&](const Kernels& kernels) {
         for (int64_t i = 0; i < kCount; i += kChannels) {
           kernels.layer_norm(x.data() + i, kChannels, weight.data(), bias.data(), 1e-5f, out.data() + i);
         }
       }},
      {"sum and layer norm of 98 x 512 (Swin v2)",
       [&](const Kernels& kernels) {
         for (int64_t i = 0; i < kCount; i += kChannels) {
           kernels.add_layer_norm(x.data() + i, kChannels, weight.data(), bias.data(), 1e-5f, out.data() + i);
         }
       }},
      {"cosine of 1568 heads of 32 (Swin v2)",
       [&](const Kernels& kernels) {
         for (int64_t i = 0; i < kCount; i += 32) kernels.normalize(out.data() + i, 32, 1);
       }},
      {"sum of 98 x 512", [&](const Kernels& kernels) { kernels.add(x.data(), kCount, out.data()); }},
      {"GELU of 98 x 512", [&](const Kernels& kernels) { kernels.gelu(x.data(), kCount, out.data()); }},
      {"2^x of 98 x 512", [&](const Kernels& kernels) { kernels.exp2(x.data(), kCount, out.data()); }},
  };
  for (const auto& [name, run] : row_kernels) {
    compare(
        name, 0, [&run = run, &eigen] { run(eigen); }, [&run = run, &ours] { run(ours); });
  }
  fmt::print("\n");
}

}  // namespace
}  // namespace swinzoo::backends

int main() {
  using namespace swinzoo::backends;
  if (has_isa(Isa::kAvx512)) compare_all(Isa::kAvx512, eigen_avx512::kKernels);
  if (has_isa(Isa::kAvx2)) compare_all(Isa::kAvx2, eigen_avx2::kKernels);
}
