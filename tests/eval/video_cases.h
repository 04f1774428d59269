// The clips of tests/data/video, and what others make of them (make_video_cases.py).
#pragma once

#include <filesystem>

#include "formats/json.h"

namespace swinzoo::eval {

inline const std::filesystem::path kClips = std::filesystem::path(SWINZOO_TEST_DATA) / "video";

inline const json::object& video_cases() {
  static const json::value file = read_json(kClips / "expected.json");
  return file.as_object();
}

inline const json::object& clips() { return video_cases().at("clips").as_object(); }

}  // namespace swinzoo::eval
