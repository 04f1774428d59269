// Times a model: the inputs, the outputs and the calls that the timing loop is given.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "eval/bench.h"
#include "eval/disturbance.h"
#include "eval/image_source.h"
#include "zoo/spec.h"

namespace swinzoo::eval {

// What a model gives must be the same bits for the same input, whatever the batch, the place in it, the
// threads and the streams (backends/cpu). So a fast wrong answer is seen while it is timed: every result is
// held against the first one of its input. One check serves all calls on a model's weights in one precision
// of one backend. Thread-safe.
class OutputCheck {
 public:
  // inputs[i]: which input row i of `results` is of. Throws kFailed, naming the input and the first value
  // that is another one than at first.
  void check(std::span<const int64_t> inputs, std::span<const float> results);

 private:
  std::mutex mutex_;
  std::vector<std::vector<float>> expected_;  // of each input; empty: not seen yet
};

// Images that each call decodes and prepares before the model runs. What is named outlives the calls.
struct BenchImages {
  const ImageSource& source;
  const zoo::ModelSpec& spec;
};

// What is timed. Each stream has its own input and output. REQUIRES: the executable was loaded for as many
// streams; with images, its model takes images of three channels.
struct ModelCalls {
  const backends::Executable& executable;
  OutputCheck& check;
  int64_t batch = 1;
  int streams = 1;
  int threads_of_stream = 1;            // that prepare images
  const BenchImages* images = nullptr;  // none: a made-up batch that lies in memory, so inference only
};

struct ModelSamples {
  Samples samples;
  Disturbance disturbance;                 // over warm-up and timed calls
  std::string output_digest;               // SHA-256 of the first call's results, as float32 bytes
  std::vector<backends::StepTimes> steps;  // time_steps(): of each timed call
};

// Times calls for the logits (the embedding, where there is no head). Made-up inputs are the same for each
// stream and each batch: the first image of a batch of 8 is that of a batch of 1. Of a source's images, the
// streams' calls take one batch after another, from the first image on and round again. Throws as
// measure_streams() and OutputCheck; what decoding an image throws.
ModelSamples time_model(const ModelCalls& calls, const BenchOptions& options, Clock& clock);

// The same on one stream, and each step of each call. Looking at the clock before and after every step is in
// the times of the calls. REQUIRES: one stream, no images.
ModelSamples time_steps(const ModelCalls& calls, const BenchOptions& options, Clock& clock);

}  // namespace swinzoo::eval
