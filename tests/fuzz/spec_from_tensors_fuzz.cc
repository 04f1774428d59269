// What is worked out from the tensors and the metadata of a checkpoint: the input is a safetensors file.
#include "tests/fuzz/input.h"
#include "zoo/architecture.h"
#include "zoo/canonical.h"
#include "zoo/spec_from_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  fuzz::InputFile input("fuzz.safetensors", fuzz::bytes_of(data, size));
  fuzz::read_or_refuse([&] {
    const auto checkpoint = open_checkpoint(input.path());
    fuzz::read_or_refuse([&] { zoo::canonical_spec(*checkpoint, "fuzz"); });
    fuzz::read_or_refuse([&] { zoo::weights_digest(zoo::canonical_digests(*checkpoint, "fuzz")); });
    const auto spec = zoo::spec_from_tensors(*checkpoint, "fuzz", zoo::Catalog::built_in());
    if (spec) zoo::build_plan(*spec);
  });
  return 0;
}
