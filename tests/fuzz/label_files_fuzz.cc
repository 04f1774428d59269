// The files that tell images' classes.
#include "eval/label_files.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const fuzz::InputFile text("fuzz.txt", fuzz::bytes_of(data, size));
  fuzz::read_or_refuse([&] {
    const eval::LabelFile file = eval::read_label_file(text.path());
    fuzz::require(file.images.empty() || file.images.size() == file.labels.size(), "a label an image");
  });
  fuzz::read_or_refuse([&] { eval::read_devkit_synsets(text.path()); });
  fuzz::read_or_refuse([&] { eval::read_real_labels(text.path()); });
  fuzz::read_or_refuse([&] { eval::read_valid_labels(text.path()); });
  fuzz::read_or_refuse([&] { eval::read_class_map(text.path()); });
  return 0;
}
