// What is made of a child's word on an HDF5 file. The input is 4 bytes N (little-endian), N bytes that the
// child sent, and the file.
#include <algorithm>
#include <cstring>
#include <set>

#include "formats/hdf5_listing.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  uint32_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  const fuzz::Bytes rest = fuzz::bytes_of(data, size).subspan(sizeof length);
  const size_t told_size = std::min<size_t>(length, rest.size());
  const std::string told = fuzz::text_of(data + sizeof length, told_size);
  const fuzz::Bytes file = rest.subspan(told_size);
  fuzz::read_or_refuse([&] {
    const Hdf5Contents contents = hdf5_contents(told, file, {{{"metadata.json", "{}"}}, {"assets/a"}});
    fuzz::require(contents.tensors.size() == contents.data_sets.size(), "a data set a tensor");
    std::set<std::string_view> names;
    for (size_t i = 0; i < contents.tensors.size(); ++i) {
      const TensorInfo& tensor = contents.tensors[i];
      const Hdf5DataSet& set = contents.data_sets[i];
      fuzz::require(names.insert(tensor.name).second, "a name once");
      fuzz::require(!tensor.name.empty() && set.info.name.ends_with(tensor.name),
                    "a tensor named by its path");
      fuzz::require(set.bytes == static_cast<size_t>(element_count(tensor.shape)) * size_of(tensor.dtype),
                    "a whole tensor");
      if (set.offset) fuzz::touch(file.subspan(*set.offset, set.bytes));
    }
  });
  return 0;
}
