// saved_model.pb, whole and in pieces of 7 bytes, as archives give it.
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "formats/meta_graph.h"
#include "tests/fuzz/input.h"

namespace swinzoo::fuzz {
namespace {

using Facts = std::map<std::string, std::string>;

Facts read(const uint8_t* data, size_t size, int piece) {
  Facts facts{{"refused", "yes"}};
  google::protobuf::io::ArrayInputStream stream(data, static_cast<int>(size), piece);
  read_or_refuse([&] { facts = read_meta_graphs(stream); });
  return facts;
}

}  // namespace
}  // namespace swinzoo::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::require(fuzz::read(data, size, -1) == fuzz::read(data, size, 7), "pieces change nothing");
  return 0;
}
