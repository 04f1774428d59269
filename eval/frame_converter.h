// FFmpeg's frames as 8-bit RGB, as FFmpeg 8 converts them by default (docs/preprocessing.md), with an older
// libswscale: what that leaves out by itself is told to it.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "eval/image.h"

struct AVFrame;
struct SwsContext;

namespace swinzoo::eval {

// Converts frames one by one, and keeps its memory from one to the next. Not thread-safe: one for each
// thread.
class FrameConverter {
 public:
  // `name` is what messages start with. Throws kUnsupported for a pixel format that can't be converted.
  // REQUIRES: the frame is in the processor's memory.
  void convert(const AVFrame& frame, const std::string& name, Image& image);

 private:
  // What of a frame decides how it is converted.
  struct Kind {
    int width, height, fields, format, space, range, chroma;

    bool operator==(const Kind&) const = default;
  };
  // Rows of each plane in somebody's memory.
  struct Planes {
    std::array<uint8_t*, 4> data;
    std::array<int, 4> stride;
  };
  struct Release {
    void operator()(AVFrame* frame) const;
    void operator()(SwsContext* scaler) const;
  };
  using Frame = std::unique_ptr<AVFrame, Release>;
  using Scaler = std::unique_ptr<SwsContext, Release>;

  static Frame allocate(int format, int width, int height);
  static Planes planes_of(const AVFrame& frame, int fields, int field);
  void prepare(const Kind& kind, const std::string& name);

  Kind kind_ = {};
  Scaler raise_;  // null where chroma needs no rows between its own before the conversion
  Frame raised_;  // of one field
  Scaler to_rgb_;
  Frame rgb_;  // of the whole frame; FFmpeg wants its rows aligned
};

}  // namespace swinzoo::eval
