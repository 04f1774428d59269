// What an evaluation has found so far, sample by sample, in a folder that survives kill -9:
//
//   config.json    the run as it was begun: a results document of one run, without figures
//   samples.jsonl  a line a sample in the data's order (EvalSample), or why it could not be read
//   outputs.npy    where asked for: float32 [samples, classes], all of what the model said of each; of
//                  training images for k-NN [samples, channels], the embeddings; zeros for one that could
//                  not be read
//   result.json    the results document, once all samples are done
//
// A row is on the disk before its line is written, and a line counts once it ends: what a kill or a power
// failure leaves half-written or loses is written again. Names of files stand as they are, so that a line
// need not be UTF-8.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

// Where the files lie. For a folder that somebody else may be writing, only read_samples() is safe.
struct SampleFiles {
  std::filesystem::path folder;

  std::filesystem::path config() const { return folder / "config.json"; }
  std::filesystem::path samples() const { return folder / "samples.jsonl"; }
  std::filesystem::path outputs() const { return folder / "outputs.npy"; }
  std::filesystem::path result() const { return folder / "result.json"; }
};

// The samples of complete lines. Throws kNotFound, and kCorrupt for a line that is none.
std::vector<EvalSample> read_samples(const std::filesystem::path& samples_jsonl);

// Bytes that stand before the first row of outputs.npy, whatever its shape.
inline constexpr uint64_t kOutputsHeader = 128;

// What must be equal for two runs' samples to belong together: weights, instruction set, build,
// preprocessing, data. Returns a few words on the first that differs, or nothing. with_shard: the shard too.
std::string difference_of(const Run& a, const Run& b, bool with_shard);

// A process's hold on such a folder. Not thread-safe.
class SampleLog {
 public:
  // Goes on with what the folder holds of `config`, or begins; `expected` are all samples, of which path and
  // classes are looked at. width: floats of a row of outputs.npy; 0 keeps none. restart: whatever was there
  // is removed. Throws kUsage, saying what differs, if it was begun with another configuration or without
  // outputs.npy; kCorrupt if a line is not what it must be; kFailed while another process holds it;
  // kDiskFull.
  SampleLog(const std::filesystem::path& folder, const Run& config, std::span<const EvalSample> expected,
            size_t width, bool restart);
  ~SampleLog();
  SampleLog(const SampleLog&) = delete;
  SampleLog& operator=(const SampleLog&) = delete;

  // The first samples, as an earlier process left them.
  const std::vector<EvalSample>& done() const { return done_; }

  // The next sample; `outputs` is its row, empty for one that could not be read. It is on its way to the disk
  // after flush().
  void add(const EvalSample& sample, std::span<const float> outputs);
  void flush();

  // All samples are done: waits until they are on the disk and writes result.json.
  void finish(const Run& result);

 private:
  void open_samples(bool restart);
  void take_over(const Run& config, std::span<const EvalSample> expected);
  void open_outputs(size_t rows);

  SampleFiles files_;
  size_t width_;
  int samples_fd_ = -1;
  int outputs_fd_ = -1;
  std::vector<EvalSample> done_;
  size_t next_ = 0;      // sample
  std::string pending_;  // lines
};

}  // namespace swinzoo::eval
