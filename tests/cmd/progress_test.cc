#include "cmd/progress.h"

#include <catch2/catch.hpp>

#include "cmd/transfer_progress.h"

using namespace swinzoo::cmd;

TEST_CASE("bytes are written in powers of a thousand") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1000) == "1.0 kB");
  CHECK(bytes_text(999949) == "999.9 kB");
  CHECK(bytes_text(999950) == "1.0 MB");
  CHECK(bytes_text(1.5e12) == "1.5 TB");
}

TEST_CASE("progress says how far and how fast and how long still") {
  ProgressState state{"model.safetensors", 25'000'000, 100'000'000, Unit::kBytes, 5, 5e6, ""};
  CHECK(progress_text(state, 0) == "model.safetensors  25% 25.0 MB/100.0 MB, 5.0 MB/s, 0:15 left");
  CHECK(progress_text(state, 80) ==
        "model.safetensors  25% [====>            ] 25.0 MB/100.0 MB, 5.0 MB/s, 0:15 left");
  state.done = state.total;
  CHECK(progress_text(state, 0) == "model.safetensors 100% 100.0 MB/100.0 MB, 5.0 MB/s");
}

TEST_CASE("progress of counts takes a note and an unknown total") {
  ProgressState state{"eval", 50, 200, Unit::kCount, 10, 5, "top-1 81.2"};
  CHECK(progress_text(state, 0) == "eval  25% 50/200, 5.0/s, 0:30 left, top-1 81.2");
  state.total = 0;
  CHECK(progress_text(state, 200) == "eval 50, 5.0/s, top-1 81.2");
  state = {"eval", 1, 100000, Unit::kCount, 1, 1, ""};
  CHECK(progress_text(state, 0) == "eval   0% 1/100000, 1.0/s, 27:46:39 left");
}

TEST_CASE("progress never gets wider than the terminal") {
  const ProgressState state{"a_rather_long_name.safetensors", 1, 3, Unit::kBytes, 1, 1, "and a note"};
  for (size_t width = 1; width < 200; ++width) CHECK(progress_text(state, width).size() <= width);
}

TEST_CASE("files on their way have a line each, and one for all") {
  const std::vector<ProgressState> files = {{"a.json", 10, 10, Unit::kBytes, 1, 0, ""},
                                            {"b.safetensors", 25, 100, Unit::kBytes, 1, 5, ""},
                                            {"c.bin", 7, 0, Unit::kBytes, 1, 0, ""}};
  ProgressState all{"2/3", 35, 110, Unit::kBytes, 1, 5, ""};
  CHECK(transfer_lines(files, all, 0, 10) ==
        std::vector<std::string>{"b.safetensors  25% 25 B/100 B, 5 B/s, 0:15 left", "c.bin         7 B",
                                 "2/3            31% 35 B/110 B, 5 B/s, 0:15 left"});
  CHECK(transfer_lines(files, all, 0, 2) ==
        std::vector<std::string>{"b.safetensors  25% 25 B/100 B, 5 B/s, 0:15 left",
                                 "2/3            31% 35 B/110 B, 5 B/s, 0:15 left"});
  CHECK(transfer_lines({files[1]}, all, 0, 10) ==
        std::vector<std::string>{"b.safetensors  25% 25 B/100 B, 5 B/s, 0:15 left"});
  for (size_t width = 1; width < 120; ++width) {
    for (const std::string& line : transfer_lines(files, all, width, 10)) CHECK(line.size() <= width);
  }
}
