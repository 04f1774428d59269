// One pass over samples (images, videos) with one or several models: what is read and decoded once is run by
// all of them, and the next batch is made ready while this one is run.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace swinzoo::eval {

// Makes models' inputs of samples. One sample can be needed in several forms (sizes, preprocessings), and a
// form has one or more views of it: one of an image, clips x crops of a video.
class SampleReader {
 public:
  virtual ~SampleReader() = default;

  // Floats of one view, a form.
  virtual std::span<const size_t> input_sizes() const = 0;
  virtual size_t views() const = 0;

  // Fills inputs[form] with views() x input_sizes()[form] floats, view by view; forms whose span is empty are
  // not needed. Safe to call from several threads at once. Throws kCorrupt, kNotFound or kUnsupported if the
  // sample can't be read; anything else ends the pass.
  virtual void read(size_t sample, std::span<const std::span<float>> inputs) const = 0;
};

// Fills `outputs` (count x width) for `inputs` (count x the form's input size). Calls don't overlap, but may
// come from different threads.
using RunBatch = std::function<void(std::span<const float> inputs, int64_t count, std::span<float> outputs)>;

// A model in a pass. Its samples are told one after another, each by `take` or by `skip`, from one thread at
// a time; what these and `run` throw ends the pass for this model only.
struct PassModel {
  size_t form = 0;   // of the reader's
  size_t width = 0;  // floats that the model gives for an input
  size_t first = 0;  // samples before this one are done
  RunBatch run;
  std::function<void(std::span<const float> rows)> take;  // views x width
  std::function<void(const std::string& message)> skip;   // the sample could not be read
  std::function<void()> after_batch;
};

struct PassOptions {
  int64_t batch_size = 8;                     // inputs in one call; a sample's views may take several
  std::function<void(size_t done)> progress;  // samples, after each batch; may be empty
};

// Runs samples [the least `first`, count). Where memory for a batch is lacking (std::bad_alloc), batches
// become smaller. Returns what ended the pass for each of the models, null where it ran to the end. Throws
// what reading throws, once the samples before are told.
std::vector<std::exception_ptr> run_pass(const SampleReader& reader, size_t count,
                                         std::span<const PassModel> models, const PassOptions& options);

}  // namespace swinzoo::eval
