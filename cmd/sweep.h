// What bench measures: all combinations of what the command line lists.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"

namespace swinzoo::cmd {

// Numbers and ranges, as llama-bench has them: "1,8,32", "1-4" (1,2,3,4), "1-9+4" (1,5,9), "1-64*2"
// (1,2,4,...,64). Each number once, in the order given. Throws kUsage, naming `option`, on other texts, on
// numbers below 1 or above `most`, and on more than 1000 of them.
std::vector<int> parse_numbers(std::string_view text, const char* option, int most);

// How the streams follow from the threads where the command line does not say.
enum class Mode : uint8_t {
  kLatency,     // one stream on all threads
  kThroughput,  // a stream a thread up to 4 threads; then a stream for 4 threads, but at least 4
};

struct Sweep {
  std::vector<backends::Precision> precisions = {backends::Precision::kFp32};
  std::vector<int> threads;
  std::vector<int> streams;  // none: as the mode gives them
  std::vector<int> batches = {1};
  Mode mode = Mode::kLatency;
};

// What a model is loaded for.
struct LoadSetting {
  backends::Precision precision = backends::Precision::kFp32;
  int threads = 1;
  int streams = 1;

  bool operator==(const LoadSetting&) const = default;
};

struct Configuration {
  LoadSetting load;
  int batch = 1;

  bool operator==(const Configuration&) const = default;
};

// "fp32, 4 threads, 2 streams, batch 8".
std::string to_text(const Configuration& configuration);

// Precision by precision, in these threads by threads, then streams, then batches, so that those of one load
// come one after another. Where there are more streams than threads, which they share, there is no such
// configuration.
std::vector<Configuration> configurations_of(const Sweep& sweep);

}  // namespace swinzoo::cmd
