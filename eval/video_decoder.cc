#include "eval/video_decoder.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstdarg>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "eval/frame_converter.h"
#include "formats/error.h"
#include "formats/mapped_file.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

// The containers that are read. FFmpeg knows hundreds, playlists of other files among them.
constexpr const char* kContainers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,ogg,asf,ivf,nut,gif,m4v,h264,hevc,"
    "obu,av1,yuv4mpegpipe,rm,dv,mxf,swf";

// Larger frames are refused before they are allocated: 8K, 7680 x 4320, has half of that.
constexpr int64_t kMostPixels = int64_t{1} << 26;

constexpr int kBufferSize = 1 << 16;

// What FFmpeg last said on this thread about something being wrong; it says the most in its log.
thread_local std::string last_complaint;

void take_log(void* source, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  std::array<char, 256> line = {};
  int print_prefix = 0;
  av_log_format_line2(source, level, format, arguments, line.data(), static_cast<int>(line.size()),
                      &print_prefix);
  std::string text(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '.')) text.pop_back();
  if (!text.empty()) last_complaint = std::move(text);
}

[[noreturn]] void fail_ffmpeg(const std::string& name, const char* what, int error) {
  const ErrorCode code = error == AVERROR(ENOMEM) ? ErrorCode::kFailed : ErrorCode::kCorrupt;
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text = {};
  av_strerror(error, text.data(), text.size());
  if (last_complaint.empty()) fail(code, "{}: {}: {}", name, what, text.data());
  fail(code, "{}: {}: {} ({})", name, what, text.data(), last_complaint);
}

template <auto release>
struct Release {
  template <typename T>
  void operator()(T* pointer) const {
    release(&pointer);
  }
};

// Bytes in memory, as FFmpeg reads a file.
class Input {
 public:
  explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferSize));
    if (buffer != nullptr) context_ = avio_alloc_context(buffer, kBufferSize, 0, this, &read, nullptr, &seek);
    if (context_ == nullptr) {
      av_free(buffer);
      throw std::bad_alloc();
    }
  }
  ~Input() {
    av_freep(&context_->buffer);
    avio_context_free(&context_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  AVIOContext* context() { return context_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  int64_t size() const { return static_cast<int64_t>(bytes_.size()); }

  static int read(void* self, uint8_t* to, int most) {
    auto& input = *static_cast<Input*>(self);
    const int64_t count = std::min<int64_t>(most, input.size() - input.position_);
    if (count <= 0) return AVERROR_EOF;
    std::memcpy(to, input.bytes_.data() + input.position_, static_cast<size_t>(count));
    input.position_ += count;
    return static_cast<int>(count);
  }

  static int64_t seek(void* self, int64_t offset, int whence) {
    auto& input = *static_cast<Input*>(self);
    if (whence == AVSEEK_SIZE) return input.size();
    if (whence == SEEK_END) offset += input.size();
    if (whence == SEEK_CUR) offset += input.position_;
    if (offset < 0) return AVERROR(EINVAL);
    return input.position_ = std::min(offset, input.size());
  }

  std::span<const std::byte> bytes_;
  int64_t position_ = 0;
  AVIOContext* context_ = nullptr;
};

using Container = std::unique_ptr<AVFormatContext, Release<&avformat_close_input>>;
using Codec = std::unique_ptr<AVCodecContext, Release<&avcodec_free_context>>;
using Packet = std::unique_ptr<AVPacket, Release<&av_packet_free>>;
using Frame = std::unique_ptr<AVFrame, Release<&av_frame_free>>;

template <typename T>
T* not_null(T* pointer) {
  if (pointer == nullptr) throw std::bad_alloc();
  return pointer;
}

// A number as EBML stores it: the leading zeros of its first byte say how many bytes follow. None at the
// file's end, or for the number that means "unknown".
std::optional<uint64_t> take_ebml_number(std::span<const std::byte> bytes, size_t& at) {
  if (at >= bytes.size()) return std::nullopt;
  const auto first = std::to_integer<uint8_t>(bytes[at]);
  const auto length = static_cast<size_t>(std::countl_zero(first)) + 1;
  if (length > 8 || bytes.size() - at < length) return std::nullopt;
  uint64_t number = first & (0xffU >> length);
  for (size_t i = 1; i < length; ++i) number = number << 8 | std::to_integer<uint64_t>(bytes[at + i]);
  at += length;
  if (number == (uint64_t{1} << (7 * length)) - 1) return std::nullopt;
  return number;
}

// Whether the segment of a Matroska or WebM file should go on behind the file's end. Of the containers that
// are common FFmpeg reads only these without a word.
bool is_cut_matroska(std::span<const std::byte> bytes) {
  constexpr uint32_t kHeader = 0x1a45dfa3, kSegment = 0x18538067;
  size_t at = 0;
  const auto starts_with = [&](uint32_t id) {
    for (int shift = 24; shift >= 0; shift -= 8, ++at) {
      if (at >= bytes.size() || std::to_integer<uint8_t>(bytes[at]) != (id >> shift & 0xff)) return false;
    }
    return true;
  };
  if (!starts_with(kHeader)) return false;
  const std::optional<uint64_t> header = take_ebml_number(bytes, at);
  if (!header.has_value()) return false;
  if (*header > bytes.size() - at) return true;
  at += static_cast<size_t>(*header);
  if (!starts_with(kSegment)) return false;
  const std::optional<uint64_t> segment = take_ebml_number(bytes, at);
  return segment.has_value() && *segment > bytes.size() - at;
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

Container open_container(Input& input, const std::string& name) {
  if (input.bytes().empty()) fail(ErrorCode::kCorrupt, "{}: the file is empty", name);
  if (is_cut_matroska(input.bytes())) fail(ErrorCode::kCorrupt, "{}: the file ends early", name);
  AVFormatContext* context = not_null(avformat_alloc_context());
  context->pb = input.context();
  context->io_open = &refuse_to_open;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  const int opened = avformat_open_input(&context, nullptr, nullptr, &options);  // frees it where it fails
  av_dict_free(&options);
  if (opened < 0) fail_ffmpeg(name, "no video file that FFmpeg can read", opened);
  Container container(context);
  const int found = avformat_find_stream_info(context, nullptr);
  if (found < 0) fail_ffmpeg(name, "no streams in the video file", found);
  return container;
}

// The stream that is decoded: the first of pictures that move.
AVStream& find_video(AVFormatContext& container, const std::string& name) {
  for (unsigned i = 0; i < container.nb_streams; ++i) {
    AVStream& stream = *container.streams[i];
    const bool is_cover = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_cover) return stream;
  }
  fail(ErrorCode::kUnsupported, "{}: the file holds no video, only {} other stream{}", name,
       container.nb_streams, container.nb_streams == 1 ? "" : "s");
}

Codec open_codec(const AVStream& stream, const std::string& name, int threads) {
  const AVCodec* decoder = avcodec_find_decoder(stream.codecpar->codec_id);
  if (decoder == nullptr) {
    fail(ErrorCode::kUnsupported, "{}: FFmpeg has no decoder for {}", name,
         avcodec_get_name(stream.codecpar->codec_id));
  }
  Codec codec(not_null(avcodec_alloc_context3(decoder)));
  const int set = avcodec_parameters_to_context(codec.get(), stream.codecpar);
  if (set < 0) fail_ffmpeg(name, "the video stream's header is damaged", set);
  codec->thread_count = threads;
  codec->max_pixels = kMostPixels;
  codec->pkt_timebase = stream.time_base;
  const int opened = avcodec_open2(codec.get(), decoder, nullptr);
  if (opened < 0) fail_ffmpeg(name, fmt::format("{} can't be decoded", decoder->name).c_str(), opened);
  return codec;
}

}  // namespace

struct VideoDecoder::State {
  State(std::span<const std::byte> bytes, std::string file, int threads)
      : name(std::move(file)),
        input(bytes),
        container(open_container(input, name)),
        stream(find_video(*container, name)),
        codec(open_codec(stream, name, threads)),
        packet(not_null(av_packet_alloc())),
        frame(not_null(av_frame_alloc())) {
    for (unsigned i = 0; i < container->nb_streams; ++i) {
      if (container->streams[i] != &stream) container->streams[i]->discard = AVDISCARD_ALL;
    }
  }

  // Reads the stream's next packet; false at the end.
  bool read() {
    while (true) {
      av_packet_unref(packet.get());
      const int got = av_read_frame(container.get(), packet.get());
      if (got == AVERROR_EOF) return false;
      if (got < 0) fail_ffmpeg(name, "the file is damaged", got);
      if (packet->stream_index != stream.index) continue;
      if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0)
        fail_ffmpeg(name, "the file is damaged, or ends early", AVERROR_INVALIDDATA);
      return true;
    }
  }

  std::string name;
  Input input;
  Container container;
  AVStream& stream;
  Codec codec;
  Packet packet;
  Frame frame;
  FrameConverter converter;
};

VideoDecoder::VideoDecoder(std::span<const std::byte> bytes, std::string name, int threads) {
  assert(threads >= 1);
  static const bool quiet = (av_log_set_callback(&take_log), true);
  static_cast<void>(quiet);
  last_complaint.clear();
  state_ = std::make_unique<State>(bytes, std::move(name), threads);
}

VideoDecoder::VideoDecoder(const fs::path& path, int threads)
    : VideoDecoder(std::make_unique<MappedFile>(path), threads) {}

VideoDecoder::VideoDecoder(std::unique_ptr<MappedFile> file, int threads)
    : VideoDecoder(file->bytes(), file->path().string(), threads) {
  file_ = std::move(file);
}

VideoDecoder::~VideoDecoder() = default;

bool VideoDecoder::next() {
  State& state = *state_;
  while (true) {
    const int received = avcodec_receive_frame(state.codec.get(), state.frame.get());
    if (received >= 0) {
      ++frames_;
      return true;
    }
    if (received == AVERROR_EOF) {
      if (frames_ == 0) fail(ErrorCode::kCorrupt, "{}: the video has no frames", state.name);
      return false;
    }
    if (received != AVERROR(EAGAIN)) fail_ffmpeg(state.name, "a frame is damaged", received);
    const int sent = avcodec_send_packet(state.codec.get(), state.read() ? state.packet.get() : nullptr);
    if (sent < 0) fail_ffmpeg(state.name, "a frame is damaged", sent);
  }
}

void VideoDecoder::convert(Image& image) { state_->converter.convert(*state_->frame, state_->name, image); }

int64_t VideoDecoder::likely_frames() {
  State& state = *state_;
  if (state.stream.nb_frames > 0) return state.stream.nb_frames;
  int64_t packets = 0;
  while (state.read()) ++packets;
  return packets;
}

bool is_video_name(const fs::path& path) {
  constexpr std::string_view kEndings[] = {".mp4",  ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg",
                                           ".mpeg", ".ts",  ".flv", ".ogv",  ".wmv", ".3gp", ".gif"};
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::find(kEndings, ending) != std::end(kEndings);
}

std::string video_decoder_versions() {
  const auto version = [](const char* name, unsigned number) {
    return fmt::format("{} {}.{}.{}", name, AV_VERSION_MAJOR(number), AV_VERSION_MINOR(number),
                       AV_VERSION_MICRO(number));
  };
  return version("libavformat", avformat_version()) + ", " + version("libavcodec", avcodec_version()) + ", " +
         version("libswscale", swscale_version());
}

}  // namespace swinzoo::eval
