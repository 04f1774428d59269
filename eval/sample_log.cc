#include "eval/sample_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string_view>
#include <utility>

#include "eval/run_writer.h"
#include "formats/atomic_file.h"
#include "formats/error.h"
#include "formats/write_all.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {
namespace {

constexpr const char* kCannotBeWritten = "cannot be written";

// The fields of Run that difference_of() looks at.
constexpr std::array<std::string_view, 22> kIdentity = {
    "architecture", "image_size",    "num_classes",     "weights_digest", "backend",       "isa",
    "precision",    "preprocessing", "swinzoo_version", "commit",         "compiler",      "build_type",
    "build_flags",  "sanitizer",     "samples_digest",  "labelled_by",    "valid_classes", "classifier",
    "train_digest", "data_set",      "represents",      "recipe"};

int open_file(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  if (fd < 0) fail_errno("cannot be opened", path.string());
  return fd;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail_errno("cannot be read", path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// The samples of complete lines, and how many bytes these take.
std::pair<std::vector<EvalSample>, size_t> parse_lines(std::string_view text, const fs::path& path) {
  std::vector<EvalSample> samples;
  size_t begin = 0;
  for (size_t end = 0; (end = text.find('\n', begin)) != std::string_view::npos; begin = end + 1) {
    const std::string where = fmt::format("{}:{}", path.string(), samples.size() + 1);
    from_value(parse_json(text.substr(begin, end - begin), where, JsonText::kAnyBytes), where,
               samples.emplace_back());
  }
  return {std::move(samples), begin};
}

std::string npy_header(size_t rows, size_t width) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, width);
  header.resize(kOutputsHeader - 11, ' ');
  header += '\n';
  const auto size = static_cast<uint16_t>(header.size());
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(size & 255) + static_cast<char>(size >> 8) +
         header;
}

}  // namespace

std::vector<EvalSample> read_samples(const fs::path& samples_jsonl) {
  return parse_lines(read_text(samples_jsonl), samples_jsonl).first;
}

std::string difference_of(const Run& a, const Run& b, bool with_shard) {
  const json::object fields_a = to_object(a);
  const json::object fields_b = to_object(b);
  std::vector<std::string_view> names(kIdentity.begin(), kIdentity.end());
  if (with_shard) names.push_back("shard");
  const auto text = [](const json::value* value) {
    return value == nullptr ? std::string("none") : to_json_line(*value);
  };
  for (const std::string_view name : names) {
    const json::value* of_a = find_member(fields_a, name);
    const json::value* of_b = find_member(fields_b, name);
    if (text(of_a) != text(of_b)) return fmt::format("{} was {}, is {}", name, text(of_a), text(of_b));
  }
  return "";
}

SampleLog::SampleLog(const fs::path& folder, const Run& config, std::span<const EvalSample> expected,
                     size_t width, bool restart)
    : files_{folder}, width_(width) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(ErrorCode::kFailed, "{}: cannot be made: {}", folder.string(), error.message());
  try {
    open_samples(restart);
    take_over(config, expected);
    open_outputs(expected.size());
  } catch (...) {
    ::close(samples_fd_);
    ::close(outputs_fd_);
    throw;
  }
}

SampleLog::~SampleLog() {
  ::close(samples_fd_);
  ::close(outputs_fd_);
}

// And locks it, which ends with the process, however that ends.
void SampleLog::open_samples(bool restart) {
  samples_fd_ = open_file(files_.samples(), O_RDWR | O_CREAT | O_APPEND);
  if (::flock(samples_fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    fail(ErrorCode::kFailed, "{}: another process evaluates there", files_.folder.string());
  }
  if (!restart) return;
  for (const fs::path& file : {files_.result(), files_.outputs(), files_.config()}) fs::remove(file);
  if (::ftruncate(samples_fd_, 0) != 0) fail_errno("cannot be emptied", files_.samples().string());
}

void SampleLog::take_over(const Run& config, std::span<const EvalSample> expected) {
  const std::string folder = files_.folder.string();
  auto [samples, size] = parse_lines(read_text(files_.samples()), files_.samples());
  if (!fs::exists(files_.config()) && samples.empty()) {
    write_file(files_.config(), to_json(std::span(&config, 1)));
  }
  const std::string difference = difference_of(read_run(files_.config()), config, true);
  if (!difference.empty()) {
    fail(ErrorCode::kUsage,
         "{}: holds an evaluation that was begun otherwise: {}; give another folder, or --restart to begin "
         "anew",
         folder, difference);
  }
  const auto is_same = [](const EvalSample& a, const EvalSample& b) {
    return a.path == b.path && (!a.error.empty() || a.right_classes() == b.right_classes());
  };
  if (samples.size() > expected.size() ||
      !std::equal(samples.begin(), samples.end(), expected.begin(), is_same)) {
    fail(ErrorCode::kCorrupt, "{}: its lines are not the samples of this data; --restart begins anew",
         files_.samples().string());
  }
  if (::ftruncate(samples_fd_, static_cast<off_t>(size)) != 0) {
    fail_errno("cannot be cut to its last line", files_.samples().string());
  }
  done_ = std::move(samples);
  next_ = done_.size();
}

void SampleLog::open_outputs(size_t rows) {
  const bool exists = fs::exists(files_.outputs());
  if (!exists && width_ == 0) return;
  if (!exists && next_ > 0) {
    fail(ErrorCode::kUsage, "{}: was begun without --keep-logits; leave it out, or --restart to begin anew",
         files_.folder.string());
  }
  outputs_fd_ = open_file(files_.outputs(), O_RDWR | O_CREAT);
  if (width_ == 0) {
    const uint64_t bytes =
        fs::file_size(files_.outputs()) - std::min(fs::file_size(files_.outputs()), kOutputsHeader);
    width_ = rows == 0 ? 0 : static_cast<size_t>(bytes / sizeof(float) / rows);
  }
  const std::string header = npy_header(rows, width_);
  write_all(outputs_fd_, std::as_bytes(std::span(header)), 0, kCannotBeWritten, files_.outputs());
  const auto size = static_cast<off_t>(kOutputsHeader + rows * width_ * sizeof(float));
  if (::ftruncate(outputs_fd_, size) != 0)
    fail_errno("cannot be made as large as needed", files_.outputs().string());
}

void SampleLog::add(const EvalSample& sample, std::span<const float> outputs) {
  if (outputs_fd_ >= 0 && !outputs.empty()) {
    write_all(outputs_fd_, std::as_bytes(outputs), kOutputsHeader + next_ * width_ * sizeof(float),
              kCannotBeWritten, files_.outputs());
  }
  pending_ += to_json_line(to_object(sample)) + "\n";
  ++next_;
}

void SampleLog::flush() {
  // Rows before their lines, on the disk too: a line says that its row is there.
  if (outputs_fd_ >= 0 && ::fdatasync(outputs_fd_) != 0) {
    fail_errno("cannot be brought to the disk", files_.outputs().string());
  }
  write_all(samples_fd_, std::as_bytes(std::span(pending_)), std::nullopt, kCannotBeWritten,
            files_.samples());
  pending_.clear();
}

void SampleLog::finish(const Run& result) {
  flush();
  for (const auto& [fd, path] : {std::pair(samples_fd_, files_.samples()), {outputs_fd_, files_.outputs()}}) {
    if (fd >= 0 && ::fsync(fd) != 0) fail_errno("cannot be brought to the disk", path.string());
  }
  write_file(files_.result(), to_json(std::span(&result, 1)));
}

}  // namespace swinzoo::eval
