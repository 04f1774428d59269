// Times a model: the input, the output and the calls that the timing loop is given.
#pragma once

#include <vector>

#include "backends/backend.h"
#include "eval/bench.h"

namespace swinzoo::eval {

// Times calls on a batch of made-up images or clips, for the logits (the embedding, where there is
// no head). With several streams each has its own input and output. Throws as measure_streams(). REQUIRES:
// the executable was loaded for as many streams.
Samples time_model(const backends::Executable& executable, int64_t batch, int streams,
                   const BenchOptions& options, Clock& clock);

struct StepSamples {
  Samples samples;
  std::vector<backends::StepTimes> steps;  // of each timed call
};

// The same on one stream, and each step of each call. Looking at the clock before and after every step is in
// the times of the calls.
StepSamples time_steps(const backends::Executable& executable, int64_t batch, const BenchOptions& options,
                       Clock& clock);

}  // namespace swinzoo::eval
