// What a model is given of each clip of tests/data/video, as PyAV and OpenCV make it.
#include "eval/video_views.h"

#include <tbb/parallel_for.h>

#include <catch2/catch.hpp>

#include "eval/bilinear.h"
#include "eval/video_decoder.h"
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

zoo::ModelSpec small_spec() {
  zoo::ModelSpec spec;
  spec.id = "small";
  spec.dimensions.frames = 7;
  spec.dimensions.image_size = 34;
  return spec;
}

std::vector<float> all_views(const ViewReader& reader, const VideoViews& views) {
  const auto size = static_cast<size_t>(reader.view_size());
  std::vector<float> floats(size * static_cast<size_t>(views.views()));
  for (int64_t view = 0; view < views.views(); ++view) {
    views.fill(view, std::span(floats).subspan(static_cast<size_t>(view) * size, size));
  }
  return floats;
}

std::vector<float> all_views(const ViewReader& reader, const fs::path& path) {
  return all_views(reader, reader.read(path, 1));
}

}  // namespace

TEST_CASE("frames are resized exactly as OpenCV does") {
  for (const auto& [name, value] : clips()) {
    INFO(name);
    const json::object& expected = value.as_object();
    const int64_t width = expected.at("resized_size").as_array()[0].as_int64();
    const int64_t height = expected.at("resized_size").as_array()[1].as_int64();
    VideoDecoder decoder(kClips / std::string(name));
    BilinearResizer resizer;
    Image image;
    std::vector<uint8_t> all;
    std::vector<uint8_t> resized(static_cast<size_t>(3 * width * height));
    while (decoder.next()) {
      decoder.convert(image);
      resizer.resize(image, width, height, {0, 0, width, height}, resized);
      all.insert(all.end(), resized.begin(), resized.end());
      // A window's pixels are those of the whole.
      std::vector<uint8_t> window(3 * 5 * 4);
      resizer.resize(image, width, height, {9, 11, 5, 4}, window);
      for (size_t y = 0; y < 4; ++y) {
        const auto row =
            resized.begin() + static_cast<ptrdiff_t>(3 * ((11 + y) * static_cast<size_t>(width) + 9));
        CHECK(std::equal(row, row + 15, window.begin() + static_cast<ptrdiff_t>(15 * y)));
      }
    }
    CHECK(sha256_hex(std::as_bytes(std::span(all))) == expected.at("resized").as_string());
  }
}

TEST_CASE("a view is its clip's frames, cropped and normalised") {
  const fs::path path = kClips / "wide_b_frames.mp4";
  const ViewReader reader(find_video_recipe("kinetics"), small_spec());
  const VideoViews views = reader.read(path, 2);
  CHECK(views.total_frames() == 40);
  REQUIRE(views.views() == 12);
  const std::vector<float> floats = all_views(reader, views);

  std::vector<Image> frames;
  for (VideoDecoder decoder(path); decoder.next();) decoder.convert(frames.emplace_back());
  const auto indices = frame_indices(reader.recipe(), 7, 40);
  const FrameSize size = resized_frame({96, 64}, 34);
  BilinearResizer resizer;
  std::vector<uint8_t> crop(3 * 34 * 34);
  const std::array<double, 3> mean = {123.675, 116.28, 103.53}, std = {58.395, 57.12, 57.375};
  double largest = 0;
  for (size_t view = 0; view < 12; ++view) {  // crop by crop
    for (size_t t = 0; t < 7; ++t) {
      const auto frame = static_cast<size_t>(indices[view % 4][t]);
      resizer.resize(frames[frame], size.width, size.height, three_crops(size, 34)[view / 4], crop);
      for (size_t i = 0; i < crop.size(); ++i) {
        const double expected = (crop[i] - mean[i % 3]) / std[i % 3];
        const float found = floats[((view * 3 + i % 3) * 7 + t) * 34 * 34 + i / 3];
        largest = std::max(largest, std::abs(expected - found));
      }
    }
  }
  CHECK(largest < 1e-6);
}

TEST_CASE("several videos are read at once, each the same as alone") {
  const ViewReader reader(find_video_recipe("ssv2"), small_spec());
  std::vector<fs::path> paths;
  for (const auto& [name, value] : clips()) paths.push_back(kClips / std::string(name));
  std::vector<std::vector<float>> alone, together(4 * paths.size());
  for (const fs::path& path : paths) alone.push_back(all_views(reader, path));
  tbb::parallel_for(size_t{0}, together.size(),
                    [&](size_t i) { together[i] = all_views(reader, paths[i % paths.size()]); });
  for (size_t i = 0; i < together.size(); ++i) CHECK(together[i] == alone[i % paths.size()]);
}

TEST_CASE("a container that lies about its frames changes nothing") {
  const TemporaryFolder folder;
  std::string file = read_text(kClips / "mpeg4.avi");
  const size_t header = file.find("strh");
  REQUIRE(header != std::string::npos);
  REQUIRE(static_cast<int>(file[header + 8 + 32]) == 15);  // dwLength
  for (const char lie : {'\x05', '\x7f'}) {
    file[header + 8 + 32] = lie;
    write_text(folder.path() / "lie.avi", file);
    const ViewReader reader(find_video_recipe("kinetics"), small_spec());
    const VideoViews views = reader.read(folder.path() / "lie.avi", 1);
    CHECK(views.total_frames() == 15);
    CHECK(all_views(reader, views) == all_views(reader, kClips / "mpeg4.avi"));
  }
}

TEST_CASE("videos are read for models of square RGB clips only") {
  const VideoRecipe& recipe = find_video_recipe("ssv2");
  zoo::ModelSpec spec = small_spec();
  spec.dimensions.image_width = 40;
  CHECK(code_of([&] { ViewReader(recipe, spec); }) == ErrorCode::kUnsupported);
  spec = small_spec();
  spec.dimensions.in_chans = 1;
  CHECK(code_of([&] { ViewReader(recipe, spec); }) == ErrorCode::kUnsupported);
  spec = small_spec();
  spec.dimensions.frames = 0;
  CHECK(code_of([&] { ViewReader(recipe, spec); }) == ErrorCode::kUnsupported);
}

TEST_CASE("the fingerprint of a video's preprocessing names all that pixels depend on") {
  const ViewReader kinetics(find_video_recipe("kinetics"), small_spec());
  const ViewReader ssv2(find_video_recipe("ssv2"), small_spec());
  CHECK(kinetics.fingerprint() != ssv2.fingerprint());
  CHECK_THAT(kinetics.fingerprint(),
             Catch::Contains("libavcodec") && Catch::Contains("4 clips of 7 frames, interval 2"));
  zoo::ModelSpec spec = small_spec();
  spec.preprocessing.mean[0] = 0.5;
  CHECK(ViewReader(find_video_recipe("ssv2"), spec).fingerprint() != ssv2.fingerprint());
}
