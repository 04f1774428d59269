#include "eval/image_reader.h"

#include <utility>

namespace swinzoo::eval {
namespace {

std::vector<Preprocessor> preprocessors_of(const std::vector<ImageForm>& forms) {
  std::vector<Preprocessor> made;
  for (const ImageForm& form : forms) made.emplace_back(form.preprocessing, form.image_size);
  return made;
}

}  // namespace

ImageReader::ImageReader(const ImageSource& source, std::vector<size_t> images,
                         const std::vector<ImageForm>& forms)
    : source_(source), images_(std::move(images)), workers_(Worker{{}, preprocessors_of(forms)}) {
  for (const ImageForm& form : forms) {
    input_sizes_.push_back(static_cast<size_t>(3 * form.image_size * form.image_size));
  }
}

void ImageReader::read(size_t sample, std::span<const std::span<float>> inputs) const {
  Worker& worker = workers_.local();
  const ImageBytes stored = source_.read(images_[sample]);
  decode_image(stored.bytes, source_.name_of(images_[sample]), worker.image);
  for (size_t form = 0; form < inputs.size(); ++form) {
    if (!inputs[form].empty()) worker.forms[form](worker.image, inputs[form]);
  }
}

}  // namespace swinzoo::eval
