// safetensors files (https://huggingface.co/docs/safetensors: format).
//
//   8 bytes        N, little-endian
//   N bytes        JSON: {"NAME": {"dtype": "F32", "shape": [..], "data_offsets": [BEGIN, END]}, ..,
//                  "__metadata__": {"KEY": "TEXT", ..}}, possibly padded with spaces
//   the rest       the tensors; offsets count from here, and tensors cover it without holes or overlaps
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/atomic_file.h"
#include "formats/checkpoint.h"

namespace swinzoo {

class MappedFile;

// Whether the file starts as a safetensors file does: a length that fits the file, then '{'.
bool looks_like_safetensors(const MappedFile& file);

// Throws kCorrupt if the file is damaged: every byte of the header is checked before a tensor is believed.
std::unique_ptr<Checkpoint> open_safetensors(std::unique_ptr<MappedFile> file);

// Writes one, tensor by tensor, so that memory stays small. Not thread-safe. The file appears only with
// commit().
class SafetensorsWriter {
 public:
  // `tensors` is what will be written, in order; `metadata` goes into the header. Values of `metadata` may be
  // replaced until commit() by ones of the same length (digests that are known only at the end).
  SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
                    std::map<std::string, std::string> metadata);

  // The next tensor's bytes. REQUIRES: dtype and shape as declared.
  void write(const TensorView& tensor);

  // Instead of write(): takes the disk space of all tensors and maps it, so that they can be filled in any
  // order until commit(). The bytes of each, in order. Throws kDiskFull where no space is left.
  std::vector<std::span<std::byte>> map_tensors();

  // The same, piece by piece. REQUIRES: its bytes in order, none of the next one's; one empty piece where it
  // has none.
  void write_piece(std::span<const std::byte> bytes);

  // REQUIRES: `value` has the length of the value it replaces.
  void replace_metadata(const std::string& key, const std::string& value);

  // Writes the header again, with the metadata as it is now, and returns where the file stands until
  // commit(). REQUIRES: every tensor was written.
  const std::filesystem::path& finish();

  // Puts the file in place, without waiting for the disk: it can be made again, and that takes several times
  // as long as all else; finishes it where that was not done. REQUIRES: every tensor was written.
  void commit();

 private:
  std::string header() const;

  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  size_t next_ = 0;       // of tensors_
  uint64_t written_ = 0;  // bytes of it
  bool finished_ = false;
  AtomicFile file_;
};

}  // namespace swinzoo
