#include "eval/frame_converter.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstring>
#include <new>
#include <utility>

#include "formats/error.h"

namespace swinzoo::eval {
namespace {

constexpr int kNoPosition = -513;  // swscale's: as the pixel format has it

using ChromaPosition = std::pair<int, int>;  // across and down, in 1/256 of a sample of luma
constexpr ChromaPosition kInTheMiddle = {kNoPosition, kNoPosition};

// Where a frame says that its chroma samples lie; else in the middle.
ChromaPosition chroma_position(int location, const AVPixFmtDescriptor& format) {
  int x = 128, y = 128;
  if (location > AVCHROMA_LOC_UNSPECIFIED && location < AVCHROMA_LOC_NB) {
    avcodec_enum_to_chroma_pos(&x, &y, static_cast<AVChromaLocation>(location));
  }
  return {format.log2_chroma_w > 0 ? x * ((1 << format.log2_chroma_w) - 1) : kNoPosition,
          format.log2_chroma_h > 0 ? y * ((1 << format.log2_chroma_h) - 1) : kNoPosition};
}

// The format with a row of chroma for each row of luma that frames of 4:2:0 go through, or AV_PIX_FMT_NONE.
// swscale before version 8 takes the nearest row, or the mean of two, where it has no code for just this
// conversion; 8 interpolates. Frames of an odd width are converted with a sample of chroma for each pixel.
AVPixelFormat raised_format(const AVPixFmtDescriptor& format, int id, int width, int height) {
  const bool is_420 = format.log2_chroma_h == 1 && format.log2_chroma_w == 1;
  if (!is_420 || (format.flags & AV_PIX_FMT_FLAG_PLANAR) == 0) return AV_PIX_FMT_NONE;
  const bool has_code = id == AV_PIX_FMT_YUV420P || id == AV_PIX_FMT_YUVJ420P || id == AV_PIX_FMT_YUVA420P;
  if (has_code && height % 2 == 0) return AV_PIX_FMT_NONE;
  if (width % 2 != 0) return AV_PIX_FMT_YUV444P16;
  return format.comp[0].depth > 8 ? AV_PIX_FMT_YUV422P14 : AV_PIX_FMT_YUV422P;
}

// Null where swscale does not know a format.
SwsContext* make_scaler(int width, int height, int from, bool from_is_full, ChromaPosition chroma, int to,
                        int flags) {
  SwsContext* scaler = sws_alloc_context();
  if (scaler == nullptr) throw std::bad_alloc();
  const auto set = [&](const char* name, int64_t value) { av_opt_set_int(scaler, name, value, 0); };
  set("srcw", width);
  set("srch", height);
  set("src_format", from);
  set("src_range", from_is_full);
  set("src_h_chr_pos", chroma.first);
  set("src_v_chr_pos", chroma.second);
  set("dstw", width);
  set("dsth", height);
  set("dst_format", to);
  set("dst_range", from_is_full && to != AV_PIX_FMT_RGB24);
  set("sws_flags", flags);
  if (sws_init_context(scaler, nullptr, nullptr) >= 0) return scaler;
  sws_freeContext(scaler);
  return nullptr;
}

// Conversion from YUV goes by this matrix (AVColorSpace).
void set_matrix(SwsContext* scaler, int space) {
  int *from, *to;
  int from_range, to_range, brightness, contrast, saturation;
  if (sws_getColorspaceDetails(scaler, &from, &from_range, &to, &to_range, &brightness, &contrast,
                               &saturation) < 0) {
    return;  // not from YUV
  }
  sws_setColorspaceDetails(scaler, sws_getCoefficients(space), from_range, to, to_range, brightness, contrast,
                           saturation);
}

}  // namespace

void FrameConverter::Release::operator()(AVFrame* frame) const { av_frame_free(&frame); }
void FrameConverter::Release::operator()(SwsContext* scaler) const { sws_freeContext(scaler); }

FrameConverter::Frame FrameConverter::allocate(int format, int width, int height) {
  Frame frame(av_frame_alloc());
  if (frame == nullptr) throw std::bad_alloc();
  frame->format = format;
  frame->width = width;
  frame->height = height;
  if (av_frame_get_buffer(frame.get(), 0) < 0) throw std::bad_alloc();
  return frame;
}

// Every `fields`-th row, from the field's first.
FrameConverter::Planes FrameConverter::planes_of(const AVFrame& frame, int fields, int field) {
  const auto* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  const bool has_palette = (format->flags & AV_PIX_FMT_FLAG_PAL) != 0;
  Planes planes = {};
  for (size_t i = 0; i < planes.data.size() && frame.data[i] != nullptr; ++i) {
    const bool has_rows = !has_palette || i == 0;
    planes.data[i] = frame.data[i] + (has_rows ? static_cast<ptrdiff_t>(frame.linesize[i]) * field : 0);
    planes.stride[i] = frame.linesize[i] * fields;
  }
  return planes;
}

void FrameConverter::prepare(const Kind& kind, const std::string& name) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(kind.format));
  const int height = kind.height / kind.fields;
  to_rgb_ = nullptr;
  raise_ = nullptr;
  raised_ = nullptr;
  if (format != nullptr) {
    const bool is_rgb = (format->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    const bool is_full = kind.range == AVCOL_RANGE_JPEG && !is_rgb;
    const ChromaPosition chroma = chroma_position(kind.chroma, *format);
    const AVPixelFormat raised = raised_format(*format, kind.format, kind.width, height);
    if (raised == AV_PIX_FMT_NONE) {
      to_rgb_.reset(
          make_scaler(kind.width, height, kind.format, is_full, chroma, AV_PIX_FMT_RGB24, SWS_BILINEAR));
    } else {
      constexpr int kFlags = SWS_BILINEAR | SWS_ACCURATE_RND;
      raise_.reset(make_scaler(kind.width, height, kind.format, is_full, chroma, raised, kFlags));
      raised_ = allocate(raised, kind.width, height);
      to_rgb_.reset(make_scaler(kind.width, height, raised, is_full, kInTheMiddle, AV_PIX_FMT_RGB24, kFlags));
    }
    if (to_rgb_ != nullptr && !is_rgb) set_matrix(to_rgb_.get(), kind.space);
  }
  if (to_rgb_ == nullptr || (raised_ != nullptr) != (raise_ != nullptr)) {
    fail(ErrorCode::kUnsupported, "{}: frames of the pixel format {} can't be converted to RGB", name,
         format == nullptr ? "?" : format->name);
  }
  rgb_ = allocate(AV_PIX_FMT_RGB24, kind.width, kind.height);
  kind_ = kind;
}

void FrameConverter::convert(const AVFrame& frame, const std::string& name, Image& image) {
  const int fields = frame.interlaced_frame != 0 && frame.height % 2 == 0 ? 2 : 1;
  const Kind kind = {frame.width,       frame.height,         fields, frame.format, frame.colorspace,
                     frame.color_range, frame.chroma_location};
  if (to_rgb_ == nullptr || kind != kind_) prepare(kind, name);
  const auto scale = [&](SwsContext* scaler, const Planes& from, const Planes& to) {
    if (sws_scale(scaler, from.data.data(), from.stride.data(), 0, frame.height / fields, to.data.data(),
                  to.stride.data()) < 0) {
      fail(ErrorCode::kUnsupported, "{}: a frame can't be converted to RGB", name);
    }
  };
  for (int field = 0; field < fields; ++field) {
    Planes from = planes_of(frame, fields, field);
    if (raise_ != nullptr) {
      const Planes raised = planes_of(*raised_, 1, 0);
      scale(raise_.get(), from, raised);
      from = raised;
    }
    scale(to_rgb_.get(), from, planes_of(*rgb_, fields, field));
  }
  image.width = frame.width;
  image.height = frame.height;
  const size_t row = 3 * static_cast<size_t>(frame.width);
  image.rgb.resize(row * static_cast<size_t>(frame.height));
  for (int y = 0; y < frame.height; ++y) {
    std::memcpy(image.rgb.data() + row * static_cast<size_t>(y),
                rgb_->data[0] + static_cast<ptrdiff_t>(rgb_->linesize[0]) * y, row);
  }
}

}  // namespace swinzoo::eval
