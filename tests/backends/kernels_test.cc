// Kernels of each instruction set that this CPU has, against loops in double precision.
#include "backends/cpu/kernels.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace swinzoo::backends {
namespace {

struct Table {
  std::string name;
  const Kernels& kernels;
  bool is_portable, is_bf16;
};

std::vector<Table> tables() {
  std::vector<Table> there;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
    for (const Isa isa : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
      if (!has_isa(isa, precision)) continue;
      there.push_back({std::string(name_of(isa)) + " " + std::string(name_of(precision)),
                       kernels_for(isa, precision), isa == Isa::kBaseline, precision == Precision::kBf16});
    }
  }
  return there;
}

// To the nearest bfloat16, ties to even.
float rounded(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  bits += 0x7FFF + (bits >> 16 & 1);
  return std::bit_cast<float>(bits & 0xFFFF0000u);
}

std::vector<float> random_floats(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

double gelu_of(double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }

// |found - expected| where it is largest.
double worst(const std::vector<float>& found, const std::vector<double>& expected) {
  double most = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - expected[i]);
    if (!(difference <= most)) most = difference;  // NaN too
  }
  return most;
}

struct Case {
  int64_t rows, depth, columns;
};

}  // namespace

TEST_CASE("gelu and exp2 stay within their stated errors") {
  for (const auto& [name, kernels, is_portable, is_bf16] : tables()) {
    INFO(name);
    std::vector<float> x;
    for (int i = -12000; i <= 12000; ++i) x.push_back(static_cast<float>(i) / 1000.0f);
    std::vector<float> y(x.size());
    kernels.gelu(x.data(), static_cast<int64_t>(x.size()), y.data());
    double error = 0;
    for (size_t i = 0; i < x.size(); ++i) error = std::max(error, std::abs(y[i] - gelu_of(x[i])));
    CHECK(error < (is_portable ? 1e-6 : 6e-7));  // of which 4.8e-7 is half a unit in the last place of 12

    error = 0;
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * -80.0f / 24000.0f;
    kernels.exp2(x.data(), static_cast<int64_t>(x.size()), y.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = std::exp2(static_cast<double>(x[i]));
      error = std::max(error, std::abs(y[i] - exact) / exact);
    }
    CHECK(error < (is_portable ? 1e-5 : 2e-7));  // Eigen's takes e^(x log 2): the product is rounded
  }
}

TEST_CASE("nothing that is not a number is lost in gelu and exp2, and nothing infinite") {
  const float nan = std::nanf(""), infinite = INFINITY;
  for (const auto& [name, kernels, is_portable, is_bf16] : tables()) {
    INFO(name);
    const std::vector<float> x = {nan, infinite, -infinite, 0, -200};
    std::vector<float> y(x.size());
    kernels.gelu(x.data(), 3, y.data());
    CHECK(std::isnan(y[0]));
    if (!is_portable) {
      CHECK(y[1] == infinite);
      CHECK(std::abs(y[2]) < 1e-7);
    }
    kernels.exp2(x.data(), 5, y.data());
    CHECK(std::isnan(y[0]));
    CHECK(y[2] == Approx(std::exp2(-80.0)).epsilon(1e-5));
    CHECK(y[3] == 1);
    CHECK(y[4] == y[2]);
  }
}

TEST_CASE("products of all shapes and epilogues") {
  const Case made =
      GENERATE(Case{1, 2, 1}, Case{3, 6, 5}, Case{14, 32, 32}, Case{15, 48, 33}, Case{49, 40, 96},
               Case{98, 96, 100}, Case{6, 18, 64}, Case{129, 34, 47}, Case{17, 1, 3}, Case{4, 33, 70});
  const auto [rows, depth, columns] = made;
  const int64_t x_stride = (depth / 32 + 2) * 32, out_stride = (columns / 32 + 2) * 32, out_rows = rows + 4;
  const std::vector<float> x = random_floats(rows * depth, 1), w = random_floats(columns * depth, 2);
  const std::vector<float> start = random_floats(out_rows * out_stride + kSlack, 3);
  std::vector<float> bias = random_floats(columns, 4);
  bias.resize(static_cast<size_t>(columns + kSlack));
  for (const auto& [name, kernels, is_portable, is_bf16] : tables()) {
    const auto operand = [&](float v) { return static_cast<double>(is_bf16 ? rounded(v) : v); };
    std::vector<std::byte> packed(kernels.packed_size(columns, depth) + 64);
    const int64_t scaled = columns / 2;
    kernels.pack(w.data(), columns, depth, scaled, 3.0f, packed.data());
    std::vector<std::byte> operands(static_cast<size_t>((rows + 16) * x_stride) * kernels.operand_size,
                                    std::byte{0xFF});
    for (int64_t row = 0; row < rows; ++row) {
      kernels.to_operands(x.data() + row * depth, depth, kernels.operand(operands.data(), row * x_stride));
    }
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kGelu, Epilogue::kAdd}) {
      INFO(name << ", " << rows << " x " << depth << " x " << columns << ", epilogue "
                << static_cast<int>(epilogue));
      const bool out_is_bf16 = is_bf16 && epilogue == Epilogue::kGelu;
      std::vector<int64_t> places;
      for (int64_t row = 0; row < rows; ++row) places.push_back(row % 5 == 3 ? -1 : row + 4);
      std::vector<float> out = start;
      // In two calls where there are two panels, so that the second starts within.
      const int64_t middle = std::min(columns, kernels.panel_columns);
      for (const auto& [first, last] : {std::pair{int64_t{0}, middle}, std::pair{middle, columns}}) {
        if (first == last) continue;
        kernels.multiply({operands.data(), x_stride, rows, depth, packed.data(), first, last, bias.data(),
                          epilogue, out.data(), out_stride, places.data()});
      }
      double error = 0;
      int64_t touched = 0;
      for (int64_t row = 0; row < rows; ++row) {
        const int64_t to = places[static_cast<size_t>(row)];
        for (int64_t c = 0; c < columns && to >= 0; ++c) {
          double sum = 0;
          for (int64_t k = 0; k < depth; ++k) {
            const float by = c < scaled ? 3.0f : 1.0f;
            sum += operand(x[static_cast<size_t>(row * depth + k)]) *
                   operand(w[static_cast<size_t>(c * depth + k)] * by);
          }
          sum += static_cast<double>(bias[static_cast<size_t>(c)]);
          const auto at = static_cast<size_t>(to * out_stride + c);
          double found = static_cast<double>(out[at]), tolerance = 1e-5 * static_cast<double>(depth);
          if (out_is_bf16) {
            uint16_t half;
            std::memcpy(&half, reinterpret_cast<const std::byte*>(out.data()) + at * 2, 2);
            found = static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(half) << 16));
          }
          if (epilogue == Epilogue::kGelu) sum = gelu_of(sum);
          if (epilogue == Epilogue::kAdd) sum += static_cast<double>(start[at]);
          if (out_is_bf16) tolerance += std::abs(sum) / 256;  // half a unit in the last place
          error = std::max(error, std::abs(found - sum) / tolerance);
          if (!(error <= 1)) FAIL("row " << row << ", column " << c << ": " << found << ", not " << sum);
          ++touched;
        }
      }
      CHECK(touched > 0);
      if (out_is_bf16) continue;
      // All else is as it was.
      for (int64_t row = 0; row < out_rows; ++row) {
        const bool is_target = std::find(places.begin(), places.end(), row) != places.end();
        const auto first = static_cast<size_t>(row * out_stride + (is_target ? columns : 0));
        CHECK(std::equal(out.begin() + static_cast<int64_t>(first), out.begin() + (row + 1) * out_stride,
                         start.begin() + static_cast<int64_t>(first)));
      }
    }
  }
}

TEST_CASE("norms of rows of any length") {
  const int64_t channels = GENERATE(1, 5, 16, 24, 96, 100, 257);
  const std::vector<float> x = random_floats(channels, 1), weight = random_floats(channels, 2),
                           bias = random_floats(channels, 3), start = random_floats(channels + 8, 4);
  double mean = 0, variance = 0;
  for (const float v : x) mean += v / static_cast<double>(channels);
  for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(channels);
  std::vector<double> normed(start.begin(), start.end()), added = normed;
  for (size_t c = 0; c < x.size(); ++c) {
    normed[c] = (x[c] - mean) / std::sqrt(variance + 1e-5) * weight[c] + bias[c];
    added[c] += normed[c];
  }
  for (const auto& [name, kernels, is_portable, is_bf16] : tables()) {
    INFO(name << ", " << channels << " channels");
    std::vector<float> out = start;
    kernels.layer_norm_float(x.data(), channels, weight.data(), bias.data(), 1e-5f, out.data());
    CHECK(worst(out, normed) < 2e-6);
    out = start;
    kernels.add_layer_norm(x.data(), channels, weight.data(), bias.data(), 1e-5f, out.data());
    CHECK(worst(out, added) < 2e-6);
    out = x;
    out.resize(start.size(), 7);
    kernels.normalize(out.data(), channels, 5);
    double squares = 0;
    for (int64_t c = 0; c < channels; ++c) squares += std::pow(out[static_cast<size_t>(c)], 2);
    CHECK(std::sqrt(squares) == Approx(5).epsilon(1e-6));
    CHECK(out.back() == 7);
  }
}

}  // namespace swinzoo::backends
