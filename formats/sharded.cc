#include "formats/sharded.h"

#include <algorithm>

#include "formats/error.h"
#include "formats/json.h"
#include "formats/mapped_file.h"

namespace swinzoo {
namespace {

namespace fs = std::filesystem;

void fail_if_any(const std::vector<std::string>& names, const fs::path& index, const char* what) {
  if (names.empty()) return;
  fail(ErrorCode::kCorrupt, "{}: {} {}: {}", index.string(), names.size(), what, listed(names));
}

bool is_plain_file_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string::npos;
}

class Sharded : public Checkpoint {
 public:
  Sharded(const fs::path& index_path, OpenFile open) {
    const ShardIndex index = read_shard_index(index_path);
    const std::set<std::string> names = shards_of(index);
    check_present(index_path, names);
    std::vector<std::string> elsewhere, unnamed, missing;
    std::set<std::string_view> held;  // where the index says
    for (const std::string& name : names) {
      format_ = add(open(std::make_unique<MappedFile>(index_path.parent_path() / name)));
      for (const TensorInfo& tensor : shards_.back()->tensors()) {
        const auto found = index.find(tensor.name);
        if (found == index.end()) {
          unnamed.push_back(fmt::format("{} in {}", tensor.name, name));
        } else if (found->second != name) {
          elsewhere.push_back(fmt::format("{} in {} instead of {}", tensor.name, name, found->second));
        } else {
          held.insert(found->first);
        }
      }
    }
    fail_if_any(elsewhere, index_path, "tensors in another shard than the index says");
    for (const auto& [tensor, shard] : index) {
      if (!held.contains(tensor)) missing.push_back(fmt::format("{} of {}", tensor, shard));
    }
    fail_if_any(missing, index_path, "tensors that the shards don't hold");
    fail_if_any(unnamed, index_path, "tensors that the index does not name");
  }

  std::string_view format() const override { return format_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  TensorView read(size_t index, Tensor& scratch) const override {
    const auto [shard, within] = places_[index];
    return shards_[shard]->read(within, scratch);
  }

  void release(size_t index) const override {
    const auto [shard, within] = places_[index];
    shards_[shard]->release(within);
  }

 private:
  static void check_present(const fs::path& index, const std::set<std::string>& names) {
    std::vector<std::string> missing;
    for (const std::string& name : names) {
      std::error_code ignored;
      if (!fs::is_regular_file(index.parent_path() / name, ignored)) missing.push_back(name);
    }
    if (missing.empty()) return;
    fail(ErrorCode::kNotFound, "{}: {} of its {} shards are not there: {}", index.string(), missing.size(),
         names.size(), listed(missing));
  }

  // Returns what its format is called here.
  std::string add(std::unique_ptr<Checkpoint> shard) {
    for (size_t i = 0; i < shard->tensors().size(); ++i) {
      tensors_.push_back(shard->tensors()[i]);
      places_.emplace_back(shards_.size(), i);
    }
    if (shards_.empty()) metadata_ = shard->metadata();
    std::erase_if(metadata_, [&](const auto& entry) {
      const auto found = shard->metadata().find(entry.first);
      return found == shard->metadata().end() || found->second != entry.second;
    });
    shards_.push_back(std::move(shard));
    return fmt::format("sharded {}", shards_.back()->format());
  }

  std::string format_;
  std::vector<std::unique_ptr<Checkpoint>> shards_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::pair<size_t, size_t>> places_;  // of tensors_: the shard, and the index in it
  std::map<std::string, std::string> metadata_;
};

}  // namespace

ShardIndex read_shard_index(const fs::path& path) {
  const std::string where = path.string();
  const json::value document = read_json(path);
  const json::value* map = find_member(as_object(document, where), "weight_map");
  if (map == nullptr) fail(ErrorCode::kCorrupt, "{}: has no weight_map", where);
  ShardIndex index;
  for (const auto& member : as_object(*map, where + ": weight_map")) {
    const std::string tensor = member.key();
    const std::string shard = as_string(member.value(), where + ": weight_map");
    if (!is_plain_file_name(shard)) {
      fail(ErrorCode::kCorrupt, "{}: tensor {:.200}: its shard is no plain file name: '{:.200}'", where,
           tensor, shard);
    }
    index.emplace(tensor, shard);
  }
  if (index.empty()) fail(ErrorCode::kCorrupt, "{}: its weight_map is empty", where);
  return index;
}

std::set<std::string> shards_of(const ShardIndex& index) {
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : index) shards.insert(shard);
  return shards;
}

bool looks_like_shard_index(const MappedFile& file) {
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  return text.starts_with('{') && (file.path().string().ends_with(".index.json") ||
                                   text.find("\"weight_map\"") != std::string_view::npos);
}

std::unique_ptr<Checkpoint> open_sharded(const fs::path& index, OpenFile open) {
  return std::make_unique<Sharded>(index, open);
}

}  // namespace swinzoo
