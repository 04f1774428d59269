// Video files: what surrounds FFmpeg's libraries, which are not instrumented. At most 4 frames of each.
#include "eval/video_decoder.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace swinzoo;
  const fuzz::InputFile file("fuzz.mp4", fuzz::bytes_of(data, size));
  fuzz::read_or_refuse([&] {
    eval::VideoDecoder decoder(file.path());
    eval::Image image;
    while (decoder.frames() < 4 && decoder.next()) {
      decoder.convert(image);
      fuzz::require(image.rgb.size() == static_cast<size_t>(image.width * image.height * 3), "a whole frame");
    }
  });
  fuzz::read_or_refuse(
      [&] { fuzz::require(eval::VideoDecoder(file.path()).likely_frames() >= 0, "a count of frames"); });
  return 0;
}
