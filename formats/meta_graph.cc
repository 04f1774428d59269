#include "formats/meta_graph.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>

#include "formats/error.h"
#include "formats/tensor.h"
#include "tensorflow.pb.h"

namespace swinzoo {
namespace {

using google::protobuf::io::CodedInputStream;
using Facts = std::map<std::string, std::string>;

constexpr int kLargestPart = 4 << 20;
constexpr const char* kTag = "serve";
constexpr const char* kSignature = "serving_default";

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5 };

constexpr uint32_t tag_of(uint32_t field) { return field << 3 | kLengthDelimited; }

[[noreturn]] void fail_damaged() {
  fail(ErrorCode::kCorrupt, "the SavedModel message is damaged or cut short");
}

int read_length(CodedInputStream& in) {
  int length = 0;
  if (!in.ReadVarintSizeAsInt(&length)) fail_damaged();
  return length;
}

// Steps over a field. Groups, which TensorFlow has none of, count as damage.
void skip(CodedInputStream& in, uint32_t tag) {
  uint64_t ignored = 0;
  bool skipped = false;
  switch (tag & 7) {
    case kVarint:
      skipped = in.ReadVarint64(&ignored);
      break;
    case kFixed64:
      skipped = in.Skip(8);
      break;
    case kLengthDelimited:
      skipped = in.Skip(read_length(in));
      break;
    case kFixed32:
      skipped = in.Skip(4);
      break;
  }
  if (!skipped) fail_damaged();
}

template <typename Message>
Message read_part(CodedInputStream& in) {
  const int length = read_length(in);
  if (length > kLargestPart) {
    fail(ErrorCode::kUnsupported, "a part of the SavedModel message has {} bytes; at most {} are read",
         length, kLargestPart);
  }
  std::string bytes;
  Message message;
  if (!in.ReadString(&bytes, length) || !message.ParseFromString(bytes)) fail_damaged();
  return message;
}

using Values = google::protobuf::RepeatedPtrField<tensorflow::SignatureDef::Entry>;

void note_shape(const char* key, const Values& values, Facts& facts) {
  if (values.size() != 1 || values[0].value().tensor_shape().unknown_rank()) return;
  Shape shape;
  for (const auto& dim : values[0].value().tensor_shape().dim()) shape.push_back(dim.size());
  facts[key] = to_string(shape);
}

// Reads one up to the limit that is set.
void read_meta_graph(CodedInputStream& in, Facts& facts) {
  Facts found;
  bool serves = false;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == tag_of(1)) {
      const auto info = read_part<tensorflow::MetaInfoDef>(in);
      serves = std::find(info.tags().begin(), info.tags().end(), kTag) != info.tags().end();
      if (!info.tensorflow_version().empty()) found["tensorflow_version"] = info.tensorflow_version();
    } else if (tag == tag_of(5)) {
      const auto signature = read_part<tensorflow::SignatureEntry>(in);
      if (signature.key() != kSignature) continue;
      note_shape("signature.input_shape", signature.value().inputs(), found);
      note_shape("signature.output_shape", signature.value().outputs(), found);
    } else {
      skip(in, tag);
    }
  }
  if (!in.ConsumedEntireMessage() || in.BytesUntilLimit() != 0) fail_damaged();
  if (serves) facts = std::move(found);
}

}  // namespace

Facts read_meta_graphs(google::protobuf::io::ZeroCopyInputStream& stream) {
  CodedInputStream in(&stream);
  Facts facts;
  bool found = false;
  while (const uint32_t tag = in.ReadTag()) {
    if (tag == tag_of(2)) {
      found = true;
      const CodedInputStream::Limit limit = in.PushLimit(read_length(in));
      read_meta_graph(in, facts);
      in.PopLimit(limit);
    } else {
      skip(in, tag);
    }
  }
  if (!found || !in.ConsumedEntireMessage()) fail_damaged();
  return facts;
}

}  // namespace swinzoo
