// The frames of a video file as 8-bit RGB, exactly as FFmpeg converts them by default: what PyAV's
// frame.to_ndarray(format="rgb24") gives (docs/preprocessing.md).
//
// The container is told by its content, never by its name. Nothing but the file itself is ever opened:
// playlists and the like are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "eval/image.h"
#include "formats/mapped_file.h"

namespace swinzoo::eval {

// Decodes the first video stream of a file from its start to its end, a frame at a time; holds that frame and
// those that the decoder refers to. Not thread-safe: one for each thread.
class VideoDecoder {
 public:
  // A file's bytes, which outlive the decoder; `name` is what messages start with. Up to `threads` threads
  // decode, which has no influence on the pixels. Throws kCorrupt if they are no video file, are damaged or
  // end early, kUnsupported if they hold no video, or one that this build of FFmpeg can't decode. REQUIRES:
  // threads >= 1.
  VideoDecoder(std::span<const std::byte> bytes, std::string name, int threads);

  // A file. Throws kNotFound too.
  explicit VideoDecoder(const std::filesystem::path& path, int threads = 1);
  ~VideoDecoder();
  VideoDecoder(const VideoDecoder&) = delete;
  VideoDecoder& operator=(const VideoDecoder&) = delete;

  // How many frames there seem to be: what the container says, else how many packets are left in it, which
  // takes them. Only decoding all of them tells for sure. Throws kCorrupt where the file is damaged.
  int64_t likely_frames();

  // Goes to the next frame; false at the end. Throws kCorrupt where the file is damaged, or has no frame at
  // all. Damage that the decoder can hide passes, as in PyAV.
  bool next();

  // Frames that next() has gone to.
  int64_t frames() const { return frames_; }

  // The frame that next() went to, in its own size. Throws kUnsupported for a pixel format that can't be
  // converted. REQUIRES: next() returned true.
  void convert(Image& image);

 private:
  struct State;

  VideoDecoder(std::unique_ptr<MappedFile> file, int threads);

  std::unique_ptr<MappedFile> file_;  // where it is ours
  std::unique_ptr<State> state_;
  int64_t frames_ = 0;
};

// Whether a file's name ends as a video's does, in any case: .mp4, .webm, .mkv, .avi, .mov and the like.
bool is_video_name(const std::filesystem::path& path);

// FFmpeg's libraries and their versions: "libavcodec 59.37.100, libavformat 59.27.100, libswscale 6.7.100".
std::string video_decoder_versions();

}  // namespace swinzoo::eval
