// The outputs of `predict` in a .safetensors file, which the model writes there itself.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "formats/safetensors.h"

namespace swinzoo::cmd {

// The disk space of all outputs is taken at once and mapped, so that a video clip's attention maps, which are
// gigabytes, never stand in memory of ours. Appears only with commit().
class OutputFile {
 public:
  // `outputs` are indexes into plan.outputs; `rows` inputs will be run. The plan must outlive this. Throws
  // kDiskFull where there is no room.
  OutputFile(const std::filesystem::path& path, const backends::Plan& plan, std::vector<size_t> outputs,
             int64_t rows, const std::string& model);

  // Where the outputs of the next `rows` inputs go, in the order of `outputs`.
  std::vector<backends::OutputBinding> next(int64_t rows);

  // REQUIRES: all rows were asked for by next(), and filled.
  void commit() { writer_.commit(); }

 private:
  std::vector<size_t> outputs_;
  int64_t rows_;
  int64_t next_ = 0;
  SafetensorsWriter writer_;
  std::vector<std::span<float>> data_;
};

}  // namespace swinzoo::cmd
