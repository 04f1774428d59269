// Times a model: the input, the output and the calls that the timing loop is given.
#pragma once

#include "backends/backend.h"
#include "eval/bench.h"

namespace swinzoo::eval {

// Times calls of run() on a batch of made-up images or clips, for the logits (the embedding, where there is
// no head). With several streams each has its own input and output. Throws as measure_streams(). REQUIRES:
// the executable was loaded for as many streams.
Samples time_model(const backends::Executable& executable, int64_t batch, int streams,
                   const BenchOptions& options, Clock& clock);

}  // namespace swinzoo::eval
