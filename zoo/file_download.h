// One file of download(): which ranges of it are missing, the connections that fetch them, and what became of
// it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "zoo/download.h"
#include "zoo/partial_file.h"
#include "zoo/prefix_digest.h"
#include "zoo/transport.h"

namespace swinzoo::zoo {

// Throws kDiskFull, saying how much is missing, if the folder's disk has fewer bytes free.
void require_disk_space(const std::filesystem::path& folder, uint64_t bytes);

// Not thread-safe. The request, the options and the transport outlive it. Errors are download()'s.
class FileDownload {
 public:
  using Clock = std::chrono::steady_clock;

  FileDownload(const DownloadRequest& request, const TransferOptions& options, Transport& transport);
  ~FileDownload();

  // Finds out what an earlier run left. REQUIRES: called once, first.
  void open();
  uint64_t disk_space_needed() const;  // bytes, as far as the size is known

  // Whether another connection would be of use now.
  bool wants_connection(Clock::time_point now) const;
  void connect();
  size_t connections() const { return ranges_.size(); }
  // When wants_connection() may change by itself.
  Clock::time_point pauses_until() const { return not_before_; }

  // Whether nothing more is to be done.
  bool is_done() const { return is_done_; }
  // After each Transport::poll(): takes what the digest found, finishes, tells of progress.
  void tend();
  Downloaded take_result() { return std::move(result_); }

 private:
  class Range;
  enum class Verdict { kGood, kChanged, kWrongRange, kWrongSize };

  std::string name() const;
  uint64_t end() const { return partial_.size().value_or(UINT64_MAX); }
  uint64_t missing() const;
  uint64_t ready() const;
  uint64_t segment() const;
  void add_missing(uint64_t first, uint64_t end);

  void start_over(std::optional<uint64_t> size);
  void start_digest();
  Verdict judge(const Range& range, const HttpResponse& response) const;
  std::string accept(Range& range, const HttpResponse& response);
  void take_whole(Range& range);
  void ended(Range& range, const HttpOutcome& outcome);
  void failed(const HttpOutcome& outcome);
  void refused(const Range& range, const HttpOutcome& outcome);
  void changed();
  void finish();
  void wrong_bytes(const std::string& problem);
  bool add_wrong_blocks(const std::string& problem);
  [[noreturn]] void nothing_kept(const std::string& problem);
  void tell_progress();

  const DownloadRequest& request_;
  const TransferOptions& options_;
  Transport& transport_;
  PartialFile partial_;
  std::unique_ptr<PrefixDigest> digest_;
  std::map<uint64_t, uint64_t> missing_;  // first byte -> end of what no connection fetches
  std::vector<std::unique_ptr<Range>> ranges_;
  bool is_confirmed_ = false;            // an answer of the version that is being fetched has come
  bool serves_ranges_ = true;            // as far as is known
  size_t width_ = SIZE_MAX;              // connections that the server bears
  std::optional<HttpRequest> resolved_;  // where the redirects led last
  Retries retries_;
  Clock::time_point not_before_ = {};
  uint64_t written_ = 0;         // bytes that came, less those skipped
  uint64_t written_before_ = 0;  // at the last failure that counted
  int changes_ = 0;
  int wrong_sizes_ = 0;
  bool is_second_try_ = false;
  bool is_done_ = false;
  Clock::time_point told_ = {};
  Downloaded result_;
};

}  // namespace swinzoo::zoo
