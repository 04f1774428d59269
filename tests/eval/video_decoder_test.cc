// Every clip of tests/data/video, frame by frame as PyAV gives it, and files that are none.
#include "eval/video_decoder.h"

#include <catch2/catch.hpp>
#include <random>

#include "formats/error.h"
#include "formats/sha256.h"
#include "tests/error_code.h"
#include "tests/eval/video_cases.h"
#include "tests/process.h"
#include "tests/text_files.h"

using namespace swinzoo;
using namespace swinzoo::eval;
namespace fs = std::filesystem;

namespace {

class Files {
 public:
  fs::path write(const std::string& name, const std::string& text) const {
    write_text(folder_.path() / name, text);
    return folder_.path() / name;
  }

 private:
  TemporaryFolder folder_;
};

template <typename Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// The frames' RGB, one after another.
std::vector<uint8_t> decoded(const fs::path& path, int threads, Image& image) {
  VideoDecoder decoder(path, threads);
  std::vector<uint8_t> all;
  while (decoder.next()) {
    decoder.convert(image);
    all.insert(all.end(), image.rgb.begin(), image.rgb.end());
  }
  return all;
}

int64_t count_frames(const fs::path& path) {
  VideoDecoder decoder(path);
  while (decoder.next()) {
  }
  return decoder.frames();
}

// A second of silence.
std::string flv_of_sound() {
  std::string file("FLV\x01\x04\0\0\0\x09\0\0\0\0", 13);
  for (int i = 0; i < 10; ++i) {
    const std::string samples = std::string(1, '\x3a') + std::string(250, '\0');
    file += std::string("\x08\0\0", 3) + static_cast<char>(samples.size()) + std::string("\0\0", 2) +
            static_cast<char>(i * 10) + std::string(4, '\0') + samples + std::string("\0\0\1\6", 4);
  }
  return file;
}

}  // namespace

TEST_CASE("videos decode exactly as PyAV does") {
  REQUIRE(clips().size() >= 8);
  for (const auto& [name, value] : clips()) {
    INFO(name);
    const json::object& expected = value.as_object();
    for (const int threads : {1, 3}) {
      Image image;
      const std::vector<uint8_t> all = decoded(kClips / std::string(name), threads, image);
      CHECK(image.width == expected.at("size").as_array()[0].as_int64());
      CHECK(image.height == expected.at("size").as_array()[1].as_int64());
      CHECK(all.size() == image.rgb.size() * static_cast<size_t>(expected.at("frames").as_int64()));
      CHECK(sha256_hex(std::as_bytes(std::span(all))) == expected.at("decoded").as_string());
    }
    CHECK(VideoDecoder(kClips / std::string(name)).likely_frames() == expected.at("frames").as_int64());
  }
}

TEST_CASE("a video's container is told by its content, never by its name") {
  const Files files;
  for (const char* name : {"short.mp4", "tall.webm", "mpeg4.avi"}) {
    for (const char* ending : {".mp4", ".webm", ".jpg", ".txt", ""}) {
      const fs::path path = files.write(std::string("clip") + ending, read_text(kClips / name));
      CHECK(count_frames(path) == clips().at(name).as_object().at("frames").as_int64());
    }
  }
}

TEST_CASE("files that are no videos are refused") {
  const Files files;
  const auto refusal = [&](const std::string& content) {
    return message_of([&] { count_frames(files.write("clip.mp4", content)); });
  };
  const auto code = [&](const std::string& content) {
    return code_of([&] { count_frames(files.write("clip.mp4", content)); });
  };
  CHECK_THAT(refusal(""), Catch::Contains("clip.mp4: the file is empty"));
  CHECK(code("") == ErrorCode::kCorrupt);
  CHECK_THAT(refusal("no video at all\n"), Catch::Contains("clip.mp4: no video file"));
  CHECK(code("no video at all\n") == ErrorCode::kCorrupt);
  CHECK_THAT(refusal(flv_of_sound()), Catch::Contains("clip.mp4: the file holds no video"));
  CHECK(code(flv_of_sound()) == ErrorCode::kUnsupported);
  const std::string image = read_text(fs::path(SWINZOO_TEST_DATA) / "preprocess" / "images" / "rgb.png");
  CHECK(code(image) == ErrorCode::kCorrupt);
  CHECK(code_of([] { VideoDecoder("no/such/clip.mp4"); }) == ErrorCode::kNotFound);
  CHECK(code_of([] { VideoDecoder(kClips.string()); }) == ErrorCode::kFailed);
}

TEST_CASE("a playlist opens no other file") {
  const Files files;
  const std::string clip = (kClips / "short.mp4").string();
  for (const std::string& list : std::vector<std::string>{
           "ffconcat version 1.0\nfile '" + clip + "'\n",
           "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + clip + "\n#EXT-X-ENDLIST\n",
           "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
           "a=rtpmap:96 H264/90000\n"}) {
    INFO(list);
    CHECK(code_of([&] { count_frames(files.write("clip.mp4", list)); }) == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a video that ends early is refused, or all of its frames are there") {
  const Files files;
  for (const char* name : {"wide_b_frames.mp4", "tall.webm"}) {
    const std::string whole = read_text(kClips / name);
    const int64_t frames = clips().at(name).as_object().at("frames").as_int64();
    size_t refused = 0;
    for (size_t length = 1; length < whole.size(); length += 97) {
      INFO(name << " cut to " << length);
      const fs::path path = files.write("cut", whole.substr(0, length));
      int64_t found = frames;  // what is missing may be behind the last frame
      try {
        found = count_frames(path);
      } catch (const Error& error) {
        CHECK((error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported));
        CHECK_THAT(error.what(), Catch::Contains("cut: "));
        ++refused;
      }
      CHECK(found == frames);
    }
    CHECK(refused * 97 > whole.size() * 9 / 10);
  }
}

TEST_CASE("a damaged video is decoded or refused, never more") {
  const Files files;
  std::mt19937 random(8);
  for (const auto& [name, value] : clips()) {
    const std::string whole = read_text(kClips / std::string(name));
    for (int round = 0; round < 25; ++round) {
      std::string damaged = whole;
      for (int i = 0; i <= round; ++i)
        damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
      const fs::path path = files.write("damaged", damaged);
      Image image;
      try {
        decoded(path, 1, image);
      } catch (const Error& error) {
        CHECK_THAT(error.what(), Catch::Contains("damaged: "));
      }
    }
  }
}

TEST_CASE("a frame of more pixels than any screen has is refused before it is allocated") {
  const Files files;
  const std::string header = "YUV4MPEG2 W60000 H60000 F25:1 C420\nFRAME\n";
  CHECK(code_of([&] { count_frames(files.write("clip.y4m", header + std::string(1000, 'x'))); }) ==
        ErrorCode::kCorrupt);
}
