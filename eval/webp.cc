// WebP by libwebp, lossy and lossless, as Pillow reads it with libwebp's WebPAnimDecoder: of an animation the
// first frame, at its place on the canvas, which is black around it; alpha is dropped, not blended. Sources:
// Pillow's PIL/WebPImagePlugin.py and src/_webp.c, libwebp's src/demux/anim_decode.c.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <new>

#include "eval/image_format.h"
#include "formats/error.h"

namespace swinzoo::eval {

namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

struct Frame {
  WebPIterator iterator = {};

  Frame() = default;
  ~Frame() { WebPDemuxReleaseIterator(&iterator); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
};

// The size of the whole file, as its header has it.
uint64_t claimed_bytes(std::span<const std::byte> bytes) {
  uint64_t size = 0;
  for (size_t i = 0; i < 4; ++i) size |= std::to_integer<uint64_t>(bytes[4 + i]) << 8 * i;
  return size + 8;
}

}  // namespace

void decode_webp(std::span<const std::byte> bytes, const std::string& name, Image& image) {
  const WebPData data = {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  const std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemux(&data));
  Frame frame;
  if (demuxer == nullptr || WebPDemuxGetFrame(demuxer.get(), 1, &frame.iterator) == 0) {
    if (bytes.size() >= 8 && claimed_bytes(bytes) > bytes.size()) {
      fail(ErrorCode::kCorrupt, "{}: truncated WebP: it has {} of {} bytes", name, bytes.size(),
           claimed_bytes(bytes));
    }
    fail(ErrorCode::kCorrupt, "{}: damaged WebP: its chunks make no image", name);
  }
  allocate_image(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                 WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT), name, image);
  const WebPIterator& part = frame.iterator;
  if (part.width != image.width || part.height != image.height) std::ranges::fill(image.rgb, uint8_t{0});

  const int64_t stride = 3 * image.width;
  const int64_t offset = part.y_offset * stride + 3 * part.x_offset;
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0)
    fail(ErrorCode::kFailed, "libwebp is of another version than its headers");
  config.output.colorspace = MODE_RGB;
  config.output.is_external_memory = 1;
  config.output.u.RGBA = {image.rgb.data() + offset, static_cast<int>(stride),
                          image.rgb.size() - static_cast<size_t>(offset)};
  const VP8StatusCode status = WebPDecode(part.fragment.bytes, part.fragment.size, &config);
  if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
  if (status != VP8_STATUS_OK)
    fail(ErrorCode::kCorrupt, "{}: damaged WebP: its image data does not decode", name);
}

std::string webp_version() {
  const int version = WebPGetDecoderVersion();
  return fmt::format("libwebp {}.{}.{}", version >> 16, version >> 8 & 0xff, version & 0xff);
}

}  // namespace swinzoo::eval
