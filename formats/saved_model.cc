#include "formats/saved_model.h"

#include <archive_entry.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <limits>

#include "formats/error.h"
#include "formats/mapped_file.h"
#include "formats/meta_graph.h"
#include "formats/tar_reader.h"
#include "formats/temporary_file.h"
#include "formats/tensor_bundle.h"

namespace swinzoo {
namespace {

namespace fs = std::filesystem;
using Facts = std::map<std::string, std::string>;

constexpr std::string_view kFormat = "saved_model";
constexpr const char* kGraph = "saved_model.pb";
constexpr const char* kIndex = "variables/variables.index";
constexpr std::string_view kShardPrefix = "variables/variables";
constexpr std::string_view kShardStart = "variables/variables.data-";

constexpr uint64_t kMostOther = uint64_t{4} << 30;
constexpr uint64_t kMostWeightsBase = uint64_t{16} << 20;
constexpr uint64_t kMostWeightsFactor = 32;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A message has less than 2 GiB: protobuf's own limit.
void check_graph_size(uint64_t size) {
  if (size > static_cast<uint64_t>(std::numeric_limits<int>::max())) {
    fail(ErrorCode::kCorrupt, "{} has {} bytes; no protobuf message has 2 GiB", kGraph, size);
  }
}

Facts read_graph(const MappedFile& file) {
  check_graph_size(file.bytes().size());
  google::protobuf::io::ArrayInputStream stream(file.bytes().data(), static_cast<int>(file.bytes().size()));
  return read_meta_graphs(stream);
}

// A member as protobuf reads. Exceptions don't pass through protobuf: an error ends the stream and is kept.
class MemberStream : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit MemberStream(TarReader& archive) : archive_(archive) {}

  bool Next(const void** data, int* size) override {
    try {
      if (rest_.empty()) rest_ = archive_.read();
    } catch (...) {
      error_ = std::current_exception();
    }
    const size_t taken = std::min(rest_.size(), size_t{1} << 30);
    *data = rest_.data();
    *size = static_cast<int>(taken);
    last_ = rest_.first(taken);
    rest_ = rest_.subspan(taken);
    count_ += static_cast<int64_t>(taken);
    return taken > 0;
  }

  void BackUp(int count) override {
    const auto back = static_cast<size_t>(count);
    rest_ = {last_.data() + last_.size() - back, back + rest_.size()};
    count_ -= count;
  }

  bool Skip(int count) override {
    const void* data = nullptr;
    for (int size = 0; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size > count) {
        BackUp(size - count);
        size = count;
      }
    }
    return true;
  }

  int64_t ByteCount() const override { return count_; }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  TarReader& archive_;
  std::span<const std::byte> last_, rest_;
  int64_t count_ = 0;
  std::exception_ptr error_;
};

// What an archive holds of a SavedModel.
class Unpacked {
 public:
  explicit Unpacked(const MappedFile& file) try
      : path_(file.path()),
        archive_(file.bytes()),
        most_weights_(kMostWeightsBase + kMostWeightsFactor * file.bytes().size()) {
    while (archive_entry* entry = archive_.next()) take(entry);
    if (!has_graph_) fail(ErrorCode::kUnsupported, "it has no {} at its top", kGraph);
  } catch (const Error& error) {
    fail(error.code(), "{}: SavedModel archive: {}", file.path().string(), error.what());
  }

  Facts facts() const { return facts_; }

  // Gives a file of the bundle away.
  std::unique_ptr<MappedFile> file(const std::string& name) {
    auto found = files_.extract(name);
    if (found.empty()) {
      fail(ErrorCode::kCorrupt, "{}: SavedModel archive: it has no {}", path_.string(), name);
    }
    return std::move(found.mapped());
  }

 private:
  void take(archive_entry* entry) {
    const std::string name = checked_member_name(entry);
    if (name == kIndex || name.starts_with(kShardStart)) {
      if (files_.contains(name)) fail(ErrorCode::kCorrupt, "has {} twice", name);
      files_.emplace(name, unpack(name));
      return;
    }
    const auto size = static_cast<uint64_t>(archive_entry_size(entry));
    if (size > kMostOther || (other_ += size) > kMostOther) {
      fail(ErrorCode::kCorrupt, "members beside the weights expand to more than {} bytes", kMostOther);
    }
    if (name == kGraph) read_graph_member(size);
  }

  void read_graph_member(uint64_t size) {
    if (has_graph_) fail(ErrorCode::kCorrupt, "has {} twice", kGraph);
    has_graph_ = true;
    check_graph_size(size);
    MemberStream stream(archive_);
    try {
      facts_ = read_meta_graphs(stream);
    } catch (const Error&) {
      stream.rethrow();
      throw;
    }
    stream.rethrow();
  }

  std::unique_ptr<MappedFile> unpack(const std::string& name) {
    TemporaryFile file;
    for (auto piece = archive_.read(); !piece.empty(); piece = archive_.read()) {
      weights_ += piece.size();
      if (weights_ > most_weights_) {
        fail(
            ErrorCode::kCorrupt,
            "the weights expand to more than {} bytes, which weights don't; unpack it and open the folder if "
            "you trust it",
            most_weights_);
      }
      file.write(piece);
    }
    return std::make_unique<MappedFile>(path_ / name, file.fd());
  }

  fs::path path_;
  TarReader archive_;
  uint64_t most_weights_;
  uint64_t weights_ = 0;
  uint64_t other_ = 0;
  bool has_graph_ = false;
  Facts facts_;
  std::map<std::string, std::unique_ptr<MappedFile>> files_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_saved_model(const fs::path& folder) {
  if (!is_there(folder / kGraph)) {
    fail(ErrorCode::kUnsupported, "{}: a folder without {} is no SavedModel", folder.string(), kGraph);
  }
  const auto open = [folder](const std::string& name) {
    if (!is_there(folder / name)) {
      fail(ErrorCode::kNotFound, "{}: is a SavedModel, but {} is not there", folder.string(), name);
    }
    return std::make_unique<MappedFile>(folder / name);
  };
  Facts facts;
  try {
    facts = read_graph(*open(kGraph));
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", (folder / kGraph).string(), error.what());
  }
  return open_tensor_bundle({kFormat, open(kIndex), std::move(facts)}, [&](const std::string& suffix) {
    return open(std::string(kShardPrefix) + suffix);
  });
}

bool looks_like_saved_model_archive(const MappedFile& file) { return looks_like_tar(file.bytes()); }

std::unique_ptr<Checkpoint> open_saved_model_archive(std::unique_ptr<MappedFile> archive) {
  Unpacked unpacked(*archive);
  return open_tensor_bundle(
      {kFormat, unpacked.file(kIndex), unpacked.facts()},
      [&](const std::string& suffix) { return unpacked.file(std::string(kShardPrefix) + suffix); });
}

}  // namespace swinzoo
