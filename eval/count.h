// Counting: parameters, multiply-accumulates and activations of a plan, by fvcore's conventions.
//
// fvcore.nn.FlopCountAnalysis and ActivationCountAnalysis (0.1.5) count, at batch 1: for a convolution, a
// linear layer and a matrix product one MAC an element of the result and depth, and the result's elements as
// activations; for a layer norm 5 an element (its norm_flop_counter) and for a pooling layer one an element
// of its input, with no activations; for everything else nothing. Operations that are done once at load count
// once, whatever the batch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "backends/plan.h"

namespace swinzoo::eval {

struct StepCount {
  std::string name;
  int64_t params = 0;
  int64_t macs = 0;
  int64_t macs_each_run = 0;  // without what is done once at load
  int64_t activations = 0;
};

struct Count {
  int64_t params = 0;
  int64_t macs = 0;
  int64_t macs_each_run = 0;  // without what is done once at load
  int64_t activations = 0;
  std::map<std::string, int64_t>
      by_operator;  // MACs, by fvcore's names: "conv", "layer_norm", "linear", "matmul", ...
  std::vector<StepCount> by_step;
};

// For one image. Throws kUnsupported where a figure does not fit 63 bits.
Count count(const backends::Plan& plan);

// What torch.utils.flop_counter.FlopCounterMode (PyTorch 2.13) gives: floating-point operations, two a
// multiply-accumulate, of convolutions, linear layers and matrix products only.
int64_t torch_flops(const Count& count);

}  // namespace swinzoo::eval
