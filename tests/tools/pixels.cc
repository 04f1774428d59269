// pixels: what swinzoo makes of image and video files, for comparison with Pillow, PyAV and OpenCV, and how
// long it takes.
//
// It answers a line of standard input at a time, each with a path at its end:
//   decode PATH                     the image, 8-bit RGB
//   crop RECIPE PATH                resized and cropped
//   floats RECIPE PATH              the model's input, float32 planes
//   frames PATH                     a video's frames one after another, 8-bit RGB
//   resized SIDE PATH               the same, resized to a shorter side of SIDE
//   time REPEATS RECIPE PATH        nanoseconds of processor time that reading, decoding and converting to
//   floats
//                                   took, as text
// where RECIPE is IMAGE_SIZE CROP_PCT CROP_MODE INTERPOLATION MEAN STD, the mean and std of three numbers
// each. An answer is a line "ok WIDTH HEIGHT BYTES", with as many bytes after it, or "error CODE MESSAGE".
#include <time.h>

#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "eval/bilinear.h"
#include "eval/preprocess.h"
#include "eval/video_decoder.h"
#include "eval/video_recipe.h"
#include "formats/error.h"

namespace {

using namespace swinzoo;

int64_t thread_nanoseconds() {
  timespec time = {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

struct Recipe {
  int64_t image_size = 0;
  zoo::Preprocessing preprocessing;

  bool operator==(const Recipe&) const = default;
};

Recipe read_recipe(std::istream& in) {
  Recipe recipe;
  zoo::Preprocessing& preprocessing = recipe.preprocessing;
  std::string mode, interpolation;
  in >> recipe.image_size >> preprocessing.crop_pct >> mode >> interpolation;
  for (double& mean : preprocessing.mean) in >> mean;
  for (double& std : preprocessing.std) in >> std;
  preprocessing.crop_mode = mode == "center"   ? zoo::CropMode::kCenter
                            : mode == "squash" ? zoo::CropMode::kSquash
                                               : zoo::CropMode::kBorder;
  preprocessing.interpolation =
      interpolation == "bicubic" ? zoo::Interpolation::kBicubic : zoo::Interpolation::kBilinear;
  return recipe;
}

std::string read_path(std::istream& in) {
  std::string path;
  std::getline(in >> std::ws, path);
  return path;
}

void answer(int64_t width, int64_t height, const void* data, size_t size) {
  std::cout << "ok " << width << ' ' << height << ' ' << size << '\n';
  std::cout.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

void answer(const eval::Image& image) {
  answer(image.width, image.height, image.rgb.data(), image.rgb.size());
}

// side: 0 for frames as they are.
void answer_with_frames(const std::string& path, int64_t side) {
  eval::VideoDecoder decoder(path, 2);
  eval::BilinearResizer resizer;
  eval::Image frame;
  eval::FrameSize size;
  std::vector<uint8_t> frames;
  while (decoder.next()) {
    decoder.convert(frame);
    if (decoder.frames() == 1) size = {frame.width, frame.height};
    if (side == 0) {
      frames.insert(frames.end(), frame.rgb.begin(), frame.rgb.end());
      continue;
    }
    if (decoder.frames() == 1) size = eval::resized_frame(size, side);
    const size_t start = frames.size();
    frames.resize(start + static_cast<size_t>(3 * size.width * size.height));
    resizer.resize(frame, size.width, size.height, {0, 0, size.width, size.height},
                   std::span(frames).subspan(start));
  }
  answer(size.width, size.height, frames.data(), frames.size());
}

void run(const std::string& line) {
  std::istringstream in(line);
  std::string command;
  in >> command;
  if (command == "decode") return answer(eval::read_image(read_path(in)));
  if (command == "frames") return answer_with_frames(read_path(in), 0);
  if (command == "resized") {
    int64_t side = 0;
    in >> side;
    return answer_with_frames(read_path(in), side);
  }
  int repeats = 0;
  if (command == "time") in >> repeats;
  const Recipe recipe = read_recipe(in);
  const std::string path = read_path(in);
  if (!in) fail(ErrorCode::kUsage, "no command: {}", line);
  if (command == "crop") {
    return answer(eval::resize_and_crop(eval::read_image(path), recipe.preprocessing, recipe.image_size));
  }
  static std::unique_ptr<eval::Preprocessor> preprocessor;
  static Recipe last;
  if (preprocessor == nullptr || recipe != last) {
    preprocessor = std::make_unique<eval::Preprocessor>(recipe.preprocessing, recipe.image_size);
  }
  last = recipe;
  std::vector<float> floats(static_cast<size_t>(3 * recipe.image_size * recipe.image_size));
  if (command == "floats") {
    preprocessor->read(path, floats);
    return answer(recipe.image_size, recipe.image_size, floats.data(), floats.size() * sizeof(float));
  }
  if (command != "time") fail(ErrorCode::kUsage, "no command: {}", line);
  const int64_t start = thread_nanoseconds();
  for (int i = 0; i < repeats; ++i) preprocessor->read(path, floats);
  const std::string time = std::to_string(thread_nanoseconds() - start);
  answer(recipe.image_size, recipe.image_size, time.data(), time.size());
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line); std::cout.flush()) {
    try {
      run(line);
    } catch (const Error& error) {
      std::cout << "error " << static_cast<int>(error.code()) << ' ' << error.what() << '\n';
    }
  }
}
