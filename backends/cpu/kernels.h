// The cpu backend's kernels: small, single-threaded, and compiled once for each instruction set.
//
// There is one table of them for each instruction set and precision. The portable one is Eigen's
// (eigen_kernels.inc); AVX2 and AVX-512 have their own, written once with Highway (simd_*.inc), and bf16 has
// products of its own. Each object keeps its code in a namespace of its own, so that no two share a symbol
// (tests/backends/weak_symbols.cmake checks). Matrices are row-major; a stride is in elements. No kernel but
// Eigen's allocates. All are thread-safe: they write only where they are told to.
//
// What a product reads is called an operand: float, or bfloat16 where the table says so. All else is float.
// Rows of operands have room for a multiple of kOperandBlock of them; where they are bfloat16, layer_norm,
// to_operands and Epilogue::kGelu fill what is beyond a row's end with zeros.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/isa.h"

namespace swinzoo::backends {

// Elements that may be read or written beyond the end of a buffer's last row, whatever they hold: buffers
// that kernels work in have that much room behind them.
inline constexpr int64_t kSlack = 64;

inline constexpr int64_t kOperandBlock = 32;

// What becomes of a product on its way out.
enum class Epilogue : uint8_t {
  kStore,  // out = x w^T + bias, float
  kGelu,   // out = gelu(x w^T + bias), an operand
  kAdd,    // out += x w^T + bias, float
};

// The columns [first_column, columns) of out[rows, ..] of x[rows, depth] w[.., depth]^T. Each element is
// summed in an order that depends on depth alone: its bits depend neither on the other rows and columns nor
// on how a product is cut into calls.
struct Product {
  const void* x;  // operands
  int64_t x_stride;
  int64_t rows;  // x has room for a multiple of 16 of them
  int64_t depth;
  const void* w;         // packed, from column 0 on
  int64_t first_column;  // starts a panel
  int64_t columns;
  const float* bias;  // from column 0 on, padded with zeros to whole panels; null: none
  Epilogue epilogue;
  void* out;
  int64_t out_stride;
  // Null: row i goes to row i of out. Else to row out_rows[i], and nowhere where that is negative.
  const int64_t* out_rows;
};

// The position biases of one shape of window, as a kernel reads them. The bias of query i and key j is
// table[position[j] - position[i] + centre] of a head's table, whose order is reversed so that keys side by
// side have biases side by side; a run is a stretch of such keys.
struct BiasRun {
  int32_t first_key;
  int32_t length;
  int32_t position;  // of the first key
};

// One head of one window: softmax(q k^T + bias + mask) v, in powers of two: scores, bias and mask come
// multiplied by log2(e). q, k and v are float [tokens, head_size], rows `stride` apart.
struct HeadAttention {
  const float* q;
  const float* k;
  const float* v;
  int64_t stride;
  int64_t tokens;
  int64_t head_size;
  const float* bias;  // the head's table, kSlack floats of any value behind it
  const int32_t* positions;
  int32_t centre;
  const BiasRun* runs;
  int64_t run_count;
  // What is added to a query's scores: rows of mask_stride floats; null where nothing is. mask_rows[i] is
  // query i's.
  const float* masks;
  const int32_t* mask_rows;
  int64_t mask_stride;
  float* scratch;  // attention_scratch(tokens, head_size) floats, 64-byte aligned
  float* weights;  // [tokens, tokens]: receives what softmax gives; null where nobody asks
  void* out;       // operands [tokens, head_size]
  int64_t out_stride;
};

struct Kernels {
  int64_t panel_columns;  // the packed weights' columns stand in panels of that many
  size_t operand_size;    // bytes: 4, or 2 for bfloat16

  // Bytes of w[columns, depth] packed. Panels have the same size: the one of column c starts at
  // c / panel_columns * packed_size(panel_columns, depth).
  size_t (*packed_size)(int64_t columns, int64_t depth);

  // Packs w[columns, depth] as whole panels, missing columns as zeros. The first `scaled` columns are
  // multiplied by scale.
  void (*pack)(const float* w, int64_t columns, int64_t depth, int64_t scaled, float scale, void* packed);

  void (*multiply)(const Product& product);

  // out = (x - mean(x)) / sqrt(var(x) + epsilon) * weight + bias, as operands.
  void (*layer_norm)(const float* x, int64_t channels, const float* weight, const float* bias, float epsilon,
                     void* out);
  // The same as floats; may work in place.
  void (*layer_norm_float)(const float* x, int64_t channels, const float* weight, const float* bias,
                           float epsilon, float* out);
  // to += the same.
  void (*add_layer_norm)(const float* x, int64_t channels, const float* weight, const float* bias,
                         float epsilon, float* to);

  // x as operands.
  void (*to_operands)(const float* x, int64_t count, void* out);

  // to += from.
  void (*add)(const float* from, int64_t count, float* to);

  // x = x / max(|x|, 1e-12) * scale (torch.nn.functional.normalize's bound).
  void (*normalize)(float* x, int64_t count, float scale);

  int64_t (*attention_scratch)(int64_t tokens, int64_t head_size);
  void (*attention)(const HeadAttention& head);

  // What epilogues and softmax are made of, for the tests of their errors. gelu: x Phi(x), within 3e-7 of it
  // for |x| < 6 and 3e-7 |x| beyond. exp2: 2^x for x from -80 to 0, within 2e-7 of itself; 2^-80 below.
  void (*gelu)(const float* x, int64_t count, float* out);
  void (*exp2)(const float* x, int64_t count, float* out);

  // The place of an operand in a buffer.
  void* operand(void* buffer, int64_t index) const {
    return static_cast<std::byte*>(buffer) + static_cast<size_t>(index) * operand_size;
  }
};

// The kernels for an instruction set. REQUIRES: has_isa(isa, precision).
const Kernels& kernels_for(Isa isa, Precision precision);

}  // namespace swinzoo::backends
