#include "tests/formats/tensorflow_files.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "formats/crc32c.h"

namespace swinzoo {
namespace {

uint32_t masked_crc_of(std::string_view bytes) {
  return mask_crc32c(crc32c(std::as_bytes(std::span(bytes.data(), bytes.size()))));
}

}  // namespace

std::unique_ptr<MappedFile> file_of(std::string_view bytes, const std::string& name) {
  const int fd = ::memfd_create("made", MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  auto file = std::make_unique<MappedFile>(name, fd);
  ::close(fd);
  return file;
}

std::string f32_bytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string fixed32(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string proto_number(uint32_t field, uint64_t value) { return varint(field << 3) + varint(value); }

std::string proto_bytes(uint32_t field, std::string_view bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + std::string(bytes);
}

std::string proto_shape(const Shape& shape) {
  std::string dims;
  for (const int64_t extent : shape) dims += proto_bytes(2, proto_number(1, static_cast<uint64_t>(extent)));
  return dims;
}

std::string table_entry(size_t shared, std::string_view suffix, std::string_view value) {
  return varint(shared) + varint(suffix.size()) + varint(value.size()) + std::string(suffix) +
         std::string(value);
}

std::string table_block(const std::string& entries, char compression) {
  const std::string sealed = entries + fixed32(0) + fixed32(1) + compression;
  return sealed + fixed32(masked_crc_of(sealed));
}

std::string block_handle(uint64_t offset, uint64_t size) { return varint(offset) + varint(size); }

std::string table_footer(const std::string& metaindex_handle, const std::string& index_handle) {
  std::string footer = metaindex_handle + index_handle;
  footer.resize(40);
  return footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

std::string make_table(const KeyValues& entries, size_t entries_a_block) {
  constexpr size_t kTrailer = 5;
  std::string table, index;
  for (size_t begin = 0; begin < entries.size(); begin += entries_a_block) {
    const size_t end = std::min(begin + entries_a_block, entries.size());
    std::string block, before;
    for (size_t i = begin; i < end; ++i) {
      const auto& [key, value] = entries[i];
      const auto differs = std::mismatch(key.begin(), key.end(), before.begin(), before.end()).first;
      const auto shared = static_cast<size_t>(differs - key.begin());
      block += table_entry(shared, std::string_view(key).substr(shared), value);
      before = key;
    }
    const std::string sealed = table_block(block);
    index += table_entry(0, before, block_handle(table.size(), sealed.size() - kTrailer));
    table += sealed;
  }
  const std::string metaindex = table_block("");
  const std::string metaindex_handle = block_handle(table.size(), metaindex.size() - kTrailer);
  table += metaindex;
  const std::string sealed_index = table_block(index);
  const std::string index_handle = block_handle(table.size(), sealed_index.size() - kTrailer);
  return table + sealed_index + table_footer(metaindex_handle, index_handle);
}

std::string make_graph(const std::vector<MadeNode>& nodes) {
  std::string graph;
  for (const MadeNode& node : nodes) {
    std::string object;
    for (const auto& [name, id] : node.children) {
      object += proto_bytes(1, proto_number(1, static_cast<uint64_t>(id)) + proto_bytes(2, name));
    }
    for (const auto& [name, key] : node.attributes) {
      object += proto_bytes(2, proto_bytes(1, name) + proto_bytes(2, "full_name") + proto_bytes(3, key));
    }
    graph += proto_bytes(1, object);
  }
  return graph;
}

std::string string_tensor(const std::string& text) {
  return varint(text.size()) + fixed32(masked_crc_of(fixed32(static_cast<uint32_t>(text.size())))) + text;
}

std::string bundle_header(int shards, int endianness, int min_consumer) {
  return proto_number(1, static_cast<uint64_t>(shards)) + proto_number(2, static_cast<uint64_t>(endianness)) +
         proto_bytes(3, proto_number(1, 1) + proto_number(2, static_cast<uint64_t>(min_consumer)));
}

std::string bundle_entry(const MadeTensor& tensor, uint64_t offset, uint32_t masked_crc32c) {
  return proto_number(1, static_cast<uint64_t>(tensor.dtype)) + proto_bytes(2, proto_shape(tensor.shape)) +
         proto_number(3, static_cast<uint64_t>(tensor.shard)) + proto_number(4, offset) +
         proto_number(5, tensor.bytes.size()) + varint(6 << 3 | 5) + fixed32(masked_crc32c);
}

MadeBundle make_bundle(const std::vector<MadeTensor>& tensors, const std::string& graph, int shards) {
  MadeBundle bundle;
  bundle.shards.resize(static_cast<size_t>(shards));
  bundle.entries.emplace_back("", bundle_header(shards));
  const auto add = [&](const MadeTensor& tensor, uint32_t crc) {
    std::string& data = bundle.shards[static_cast<size_t>(tensor.shard)];
    bundle.entries.emplace_back(tensor.key, bundle_entry(tensor, data.size(), crc));
    data += tensor.bytes;
  };
  if (!graph.empty()) {
    const std::string text = string_tensor(graph);
    // The checksum is of the length as uint32, then of all that follows the varint.
    const std::string summed =
        fixed32(static_cast<uint32_t>(graph.size())) + text.substr(varint(graph.size()).size());
    add({"_CHECKPOINTABLE_OBJECT_GRAPH", 7, {}, text}, masked_crc_of(summed));
  }
  for (const MadeTensor& tensor : tensors) add(tensor, masked_crc_of(tensor.bytes));
  return bundle;
}

MadeBundle swin_like_bundle(int shards) {
  const std::string value = "/.ATTRIBUTES/VARIABLE_VALUE";
  const std::string graph = make_graph({
      {{{"keras_api", 1}, {"variables", 2}, {"layers", 3}, {"head", 4}, {"scalar", 8}, {"none", 9}}, {}},
      {{{"deep", 5}}, {}},
      {{{"0", 5}, {"1", 6}}, {}},
      {{{"10", 7}, {"0", 10}}, {}},
      {{{"kernel", 5}, {"owner", 0}}, {}},
      {{}, {{"VARIABLE_VALUE", "variables/0" + value}}},
      {{}, {{"VARIABLE_VALUE", "variables/1" + value}}},
      {{{"kernel", 6}, {"index", 11}}, {}},
      {{}, {{"VARIABLE_VALUE", "variables/3" + value}}},
      {{}, {{"VARIABLE_VALUE", "variables/4" + value}}},
      {{{"kernel", 12}}, {}},
      {{}, {{"VARIABLE_VALUE", "variables/2" + value}}},
      {{}, {{"VARIABLE_VALUE", "variables/5" + value}}},
  });
  const int last = shards - 1;
  const int64_t index[] = {-1, int64_t{1} << 40};
  return make_bundle(
      {
          {"variables/0" + value, 1, {2, 3}, f32_bytes({1, 2, 3, 4, 5, 6}), last},
          {"variables/1" + value, 1, {1}, f32_bytes({-7}), 0},
          {"variables/2" + value, 9, {2}, {reinterpret_cast<const char*>(index), sizeof(index)}, last},
          {"variables/3" + value, 1, {}, f32_bytes({0.5f}), last},
          {"variables/4" + value, 1, {0}, "", 0},
          {"variables/5" + value, 1, {4}, f32_bytes({9, 8, 7, 6}), 0},
      },
      graph, shards);
}

std::string make_saved_model_pb(const Shape& input, const Shape& output, size_t graph_bytes) {
  const auto values = [](const char* name, const Shape& shape) {
    return proto_bytes(1, name) + proto_bytes(2, proto_bytes(1, "x:0") + proto_bytes(3, proto_shape(shape)));
  };
  const std::string signature = proto_bytes(1, values("input_1", input)) +
                                proto_bytes(2, values("output_1", output)) +
                                proto_bytes(3, "tensorflow/serving/predict");
  const std::string meta_graph =
      proto_bytes(1, proto_bytes(4, "serve") + proto_bytes(5, "2.15.1")) +
      proto_bytes(2, std::string(graph_bytes, '\0')) +
      proto_bytes(5, proto_bytes(1, "__saved_model_init_op") + proto_bytes(2, "")) +
      proto_bytes(5, proto_bytes(1, "serving_default") + proto_bytes(2, signature));
  return proto_number(1, 1) + proto_bytes(2, meta_graph);
}

std::vector<Member> saved_model_members(const MadeBundle& bundle) {
  std::vector<Member> members = {{"assets/", "", 'd'},
                                 {"fingerprint.pb", "any"},
                                 {"saved_model.pb", make_saved_model_pb({-1, 224, 224, 3}, {-1, 10}, 3000)},
                                 {"variables/", "", 'd'},
                                 {"variables/variables.index", bundle.index()}};
  for (size_t i = 0; i < bundle.shards.size(); ++i) {
    members.push_back(
        {fmt::format("variables/variables.data-{:05}-of-{:05}", i, bundle.shards.size()), bundle.shards[i]});
  }
  return members;
}

}  // namespace swinzoo
