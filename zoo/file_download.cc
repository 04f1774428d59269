#include "zoo/file_download.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include "formats/error.h"
#include "formats/number.h"
#include "formats/sha256.h"
#include "zoo/hub_settings.h"

namespace swinzoo::zoo {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSmallSegment = 1024 * 1024;  // bytes
constexpr uint64_t kLargeSegment = 16 * 1024 * 1024;
constexpr uint64_t kParallelFrom = 8 * 1024 * 1024;  // below it, one connection
constexpr int kMaxChanges = 3;
constexpr int kWrongAnswers = 2;  // of another size, before they are believed
constexpr std::chrono::milliseconds kProgressEvery{50};

// What the server names this version of the file by; empty where it doesn't.
std::string version_of(const HttpResponse& response) {
  const std::string etag = response.header("etag");
  return !etag.empty() ? etag : response.header("last-modified");
}

struct ContentRange {
  uint64_t first = 0;
  uint64_t end = 0;
  uint64_t total = 0;
};

// "bytes 100-199/200"; nothing for anything else, and for an unknown total.
std::optional<ContentRange> parse_content_range(std::string_view value) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  if (!value.starts_with(kUnit) || dash == value.npos || slash == value.npos || slash < dash)
    return std::nullopt;
  const auto first = whole_number<uint64_t>(value.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = whole_number<uint64_t>(value.substr(dash + 1, slash - dash - 1));
  const auto total = whole_number<uint64_t>(value.substr(slash + 1));
  if (!first || !last || !total || *first > *last || *last >= *total) return std::nullopt;
  return ContentRange{*first, *last + 1, *total};
}

// The file's size by this answer, where it tells.
std::optional<uint64_t> total_of(const HttpResponse& response) {
  if (response.status != 206) return whole_number<uint64_t>(response.header("content-length"));
  const auto range = parse_content_range(response.header("content-range"));
  return range ? std::optional(range->total) : std::nullopt;
}

HttpOutcome problem_of(const HttpOutcome& outcome, const std::string& problem) {
  HttpOutcome failure = outcome;
  failure.problem = problem;
  return failure;
}

// An ETag without its quotes; empty for anything else.
std::string unquoted(std::string_view etag) {
  const size_t first = etag.find('"');
  const size_t last = etag.rfind('"');
  return std::string(first < last ? etag.substr(first + 1, last - first - 1) : "");
}

}  // namespace

void require_disk_space(const fs::path& folder, uint64_t bytes) {
  struct statvfs status;
  if (::statvfs(folder.c_str(), &status) != 0) return;
  const uint64_t free = static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  if (bytes <= free) return;
  fail(ErrorCode::kDiskFull, "{}: {} bytes are needed and {} are free: {} are missing", folder.string(),
       bytes, free, bytes - free);
}

// One connection: takes the bytes from `position` to `end`, a block at a time.
class FileDownload::Range : public HttpReceiver {
 public:
  Range(FileDownload& file, uint64_t first, uint64_t end, HttpRequest request)
      : file_(file), request_(std::move(request)), position_(first), end_(end), buffer_(kBlock) {
    load_block();
  }

  const HttpRequest& request() const { return request_; }
  uint64_t position() const { return position_; }
  uint64_t end() const { return end_; }
  uint64_t flushed() const { return position_ - (filled_ - flushed_in_block_); }
  Verdict verdict() const { return verdict_; }

  // From now on it takes [first, end), the answer's body starting at byte `body`.
  void retarget(uint64_t body, uint64_t first, uint64_t end) {
    flush();
    skip_ = first - body;
    position_ = first;
    end_ = end;
    load_block();
  }

  std::string begin(const HttpResponse& response) override { return file_.accept(*this, response); }

  std::string append(std::span<const std::byte> bytes) override {
    const size_t skipped = std::min<uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    file_.result_.fetched += bytes.size();
    bytes = bytes.subspan(skipped);
    if (bytes.size() > end_ - position_) {
      verdict_ = Verdict::kWrongSize;
      return fmt::format("the server sent more bytes than the {} up to which they were asked for", end_);
    }
    file_.written_ += bytes.size();
    while (!bytes.empty()) {
      const size_t count = std::min<size_t>(bytes.size(), kBlock - filled_);
      std::memcpy(buffer_.data() + filled_, bytes.data(), count);
      filled_ += count;
      position_ += count;
      bytes = bytes.subspan(count);
      if (filled_ == kBlock || position_ == file_.end()) finish_block();
    }
    return "";
  }

  void end(const HttpOutcome& outcome) override { file_.ended(*this, outcome); }

  void set_verdict(Verdict verdict) { verdict_ = verdict; }

  // Writes what is only in memory yet.
  void flush() {
    const auto bytes = std::span(buffer_).first(filled_).subspan(flushed_in_block_);
    if (!bytes.empty()) file_.partial_.write(position_ - bytes.size(), bytes);
    flushed_in_block_ = filled_;
  }

 private:
  // The part of the block that is in the file already, so that the whole block can be digested.
  void load_block() {
    filled_ = flushed_in_block_ = position_ % kBlock;
    if (filled_ > 0) file_.partial_.read(position_ - filled_, std::span(buffer_).first(filled_));
  }

  void finish_block() {
    flush();
    file_.partial_.journal_block((position_ - 1) / kBlock,
                                 digest_of_block(std::span(buffer_).first(filled_)));
    filled_ = flushed_in_block_ = 0;
  }

  FileDownload& file_;
  const HttpRequest request_;
  uint64_t position_;
  uint64_t end_;  // UINT64_MAX = to the end of a file of unknown size
  uint64_t skip_ = 0;
  std::vector<std::byte> buffer_;  // of the block that `position` is in
  size_t filled_ = 0;
  size_t flushed_in_block_ = 0;
  Verdict verdict_ = Verdict::kGood;
};

FileDownload::FileDownload(const DownloadRequest& request, const TransferOptions& options,
                           Transport& transport)
    : request_(request),
      options_(options),
      transport_(transport),
      partial_(
          request.unfinished.empty() ? fs::path(request.target.string() + ".incomplete") : request.unfinished,
          url_for_messages(request.url)),
      retries_(options.note) {}

FileDownload::~FileDownload() {
  for (const auto& range : ranges_) transport_.cancel(*range);
}

std::string FileDownload::name() const {
  return request_.name.empty() ? request_.target.filename().string() : request_.name;
}

// Joined with what is missing before and after it.
void FileDownload::add_missing(uint64_t first, uint64_t end) {
  if (first >= end) return;
  const auto next = missing_.upper_bound(first);
  if (next != missing_.begin() && std::prev(next)->second == first) {
    first = std::prev(next)->first;
  }
  if (next != missing_.end() && next->first == end) {
    end = next->second;
    missing_.erase(next);
  }
  missing_[first] = end;
}

uint64_t FileDownload::missing() const {
  uint64_t bytes = 0;
  for (const auto& [first, end] : missing_) bytes += end - first;
  for (const auto& range : ranges_) bytes += range->end() - range->position();
  return bytes;
}

// The bytes that stand in the file from its start on.
uint64_t FileDownload::ready() const {
  uint64_t lowest = missing_.empty() ? end() : missing_.begin()->first;
  for (const auto& range : ranges_) lowest = std::min(lowest, range->flushed());
  return lowest;
}

void FileDownload::start_digest() {
  digest_ = std::make_unique<PrefixDigest>(partial_, request_.digest, partial_.size().value_or(0),
                                           partial_.take_claims(), [this] { transport_.wake(); });
}

void FileDownload::start_over(std::optional<uint64_t> size) {
  for (const auto& range : ranges_) transport_.cancel(*range);
  ranges_.clear();
  digest_.reset();
  partial_.restart(size);
  missing_.clear();
  add_missing(0, end());
  is_confirmed_ = false;
  resolved_.reset();
}

void FileDownload::open() {
  // Without a version nor a digest nothing would show that two runs fetched two different files.
  if (partial_.resume(request_.size) && !(partial_.etag().empty() && request_.digest.empty())) {
    for (size_t block = 0; block < partial_.claims().size(); ++block) {
      if (!partial_.claims()[block]) add_missing(block * kBlock, std::min((block + 1) * kBlock, end()));
    }
    return;
  }
  if (!request_.earlier.empty() && request_.size) {
    const uint64_t taken = partial_.take_over(request_.earlier, *request_.size, options_.cancelled);
    if (taken > 0) {
      add_missing(taken, *request_.size);
      return;
    }
  }
  start_over(request_.size);
}

uint64_t FileDownload::disk_space_needed() const {
  const uint64_t size = partial_.size().value_or(0);
  return size - std::min(size, partial_.bytes_on_disk());
}

uint64_t FileDownload::segment() const {
  if (!serves_ranges_ || options_.connections == 1 || (partial_.size() && end() < kParallelFrom))
    return UINT64_MAX;
  if (!partial_.size()) return kLargeSegment;
  // Ever smaller ones, so that the last connections end together.
  uint64_t left = 0;
  for (const auto& [first, last] : missing_) left += last - first;
  const uint64_t share = left / (4 * static_cast<uint64_t>(options_.connections));
  return std::clamp(share / kBlock * kBlock, kSmallSegment, kLargeSegment);
}

bool FileDownload::wants_connection(Clock::time_point now) const {
  if (is_done_ || missing_.empty() || now < not_before_) return false;
  if (ranges_.empty()) return true;
  return is_confirmed_ && serves_ranges_ && ranges_.size() < width_;
}

void FileDownload::connect() {
  auto node = missing_.extract(missing_.begin());
  const uint64_t first = node.key();
  const uint64_t last = node.mapped();
  const uint64_t boundary = first / kBlock * kBlock;
  const uint64_t stop = last - first <= segment() ? last : std::min(last, boundary + segment());
  add_missing(stop, last);

  HttpRequest request = resolved_.value_or(HttpRequest{request_.url, request_.auth});
  if (serves_ranges_ && (first > 0 || stop != end())) {
    request.range = stop == end() ? fmt::format("{}-", first) : fmt::format("{}-{}", first, stop - 1);
  }
  ranges_.push_back(std::make_unique<Range>(*this, first, stop, request));
  transport_.start(std::move(request), *ranges_.back());
}

FileDownload::Verdict FileDownload::judge(const Range& range, const HttpResponse& response) const {
  const auto total = total_of(response);
  if (response.status == 206) {
    const auto sent = parse_content_range(response.header("content-range"));
    if (!sent || sent->first != range.position() || sent->end > range.end()) return Verdict::kWrongRange;
  }
  if (request_.size && total && *total != *request_.size) return Verdict::kWrongSize;
  const bool is_known = is_confirmed_ || !partial_.etag().empty();
  if (is_known && version_of(response) != partial_.etag()) return Verdict::kChanged;
  if (is_known && total && partial_.size() && *total != end()) return Verdict::kChanged;
  return Verdict::kGood;
}

// Looks at an answer before its body; what it returns ends it.
std::string FileDownload::accept(Range& range, const HttpResponse& response) {
  range.set_verdict(judge(range, response));
  switch (range.verdict()) {
    case Verdict::kWrongRange:
      return fmt::format("the server did not send the bytes from {} on", range.position());
    case Verdict::kWrongSize:
      return fmt::format("expected {} bytes, the server has {}", *request_.size, *total_of(response));
    case Verdict::kChanged:
      return "the file changed on the server";
    case Verdict::kGood:
      break;
  }
  if (!partial_.size()) {
    const auto total = total_of(response);
    digest_.reset();
    partial_.restart(total);
    require_disk_space(request_.target.parent_path(), disk_space_needed());
    missing_.clear();
    if (total && range.end() < *total) add_missing(range.end(), *total);
    if (total && range.end() > *total) range.retarget(range.position(), range.position(), *total);
  }
  if (!is_confirmed_) {
    is_confirmed_ = true;
    partial_.set_etag(version_of(response));
  }
  if (!resolved_) {
    resolved_ = HttpRequest{response.url, response.with_auth ? request_.auth : HttpAuth{}};
    result_.url = url_for_messages(response.url);
  }
  if (response.status != 206) take_whole(range);
  return "";
}

// The answer has everything, from the first byte on, whatever was asked for: one connection takes all that is
// missing.
void FileDownload::take_whole(Range& range) {
  if (!range.request().range.empty()) serves_ranges_ = false;
  uint64_t first = range.position();
  for (const auto& other : ranges_) {
    if (other.get() == &range) continue;
    other->flush();
    first = std::min(first, other->position());
    transport_.cancel(*other);
  }
  std::erase_if(ranges_, [&](const auto& other) { return other.get() != &range; });
  if (!missing_.empty()) first = std::min(first, missing_.begin()->first);
  missing_.clear();
  range.retarget(0, first, end());
}

void FileDownload::ended(Range& range, const HttpOutcome& outcome) {
  range.flush();
  const auto found =
      std::find_if(ranges_.begin(), ranges_.end(), [&](const auto& r) { return r.get() == &range; });
  const std::unique_ptr<Range> owned = std::move(*found);
  ranges_.erase(found);
  const bool is_good = outcome.problem.empty() && outcome.response.ok();
  if (is_good && !partial_.size()) partial_.end_at(range.position());
  const uint64_t first = range.position();
  const uint64_t last = std::min(range.end(), end());
  add_missing(first, last);

  if (range.verdict() == Verdict::kChanged) return changed();
  if (range.verdict() == Verdict::kWrongRange) serves_ranges_ = false;
  if (range.verdict() == Verdict::kWrongSize && ++wrong_sizes_ == kWrongAnswers) {
    nothing_kept(fmt::format("{}, {} times", outcome.problem, kWrongAnswers));
  }
  if (!outcome.problem.empty()) return failed(outcome);
  if (!outcome.response.ok()) return refused(range, outcome);
  if (first < last) failed(problem_of(outcome, "the server sent less than it was asked for"));
}

void FileDownload::failed(const HttpOutcome& outcome) {
  if (!partial_.size()) start_over(std::nullopt);  // without a size there is no going on
  resolved_.reset();
  const auto now = Clock::now();
  if (outcome.transient && now < not_before_) return;  // others failed at the same time
  const auto least = static_cast<uint64_t>(kLeastSpeed * hub_download_timeout().count());
  if (partial_.size() && written_ - written_before_ >= least) {
    written_before_ = written_;
    retries_.reset();
  }
  if (!outcome.response.ok() && !ranges_.empty()) width_ = ranges_.size();
  not_before_ = now + retries_.after(outcome);
}

void FileDownload::refused(const Range& range, const HttpOutcome& outcome) {
  if (range.request().url != request_.url) {  // a signed URL may have expired
    resolved_.reset();
    return;
  }
  if (outcome.response.status == 416) {
    serves_ranges_ = false;
    return failed(problem_of(outcome, "the server has no such range"));
  }
  if (options_.refused) options_.refused(request_, outcome.response);
  require_success(outcome.response);
}

void FileDownload::changed() {
  if (++changes_ > kMaxChanges) {
    fail(ErrorCode::kNetwork, "{}: {} was another version each time it was asked for", name(),
         url_for_messages(request_.url));
  }
  if (options_.note) options_.note(fmt::format("{}: changed on the server; starting again", name()));
  start_over(request_.size);
}

void FileDownload::tend() {
  if (is_done_ || (!digest_ && ranges_.empty() && !missing_.empty())) return;  // not begun, or done
  if (!digest_) start_digest();
  if (const auto bad = digest_->take_bad_block()) {
    add_missing(*bad * kBlock, std::min((*bad + 1) * kBlock, end()));
  }
  const bool is_whole = partial_.size() && missing_.empty() && ranges_.empty();
  digest_->publish(ready(), is_whole);
  if (is_whole && digest_->digested() == end()) finish();
  tell_progress();
}

void FileDownload::finish() {
  const PrefixDigest::Result found = digest_->result();
  digest_.reset();
  if (!request_.digest.empty() && found.digest != request_.digest) {
    return wrong_bytes(fmt::format("expected {} bytes with the digest {}, got {} with {}",
                                   request_.size.value_or(end()), request_.digest, end(), found.digest));
  }
  partial_.commit(request_.target);
  result_.size = end();
  result_.sha256 = found.sha256;
  result_.etag = unquoted(partial_.etag());
  is_done_ = true;
}

void FileDownload::nothing_kept(const std::string& problem) {
  digest_.reset();
  partial_.discard();
  fail(ErrorCode::kCorrupt, "{}: {}; nothing was kept", name(), problem);
}

void FileDownload::wrong_bytes(const std::string& problem) {
  if (is_second_try_) nothing_kept(problem + ", and the same again when they were fetched again");
  if (add_wrong_blocks(problem)) return;
  if (!request_.again_if_wrong) nothing_kept(problem);
  is_second_try_ = true;
  if (options_.note)
    options_.note(fmt::format("{}: {}; fetching it once more from scratch", name(), problem));
  start_over(request_.size);
}

// Has those blocks fetched again that don't have their digests; false if that's none.
bool FileDownload::add_wrong_blocks(const std::string& problem) {
  constexpr uint64_t kPiece = 1024 * 1024;
  std::vector<std::byte> buffer(kPiece);
  size_t wrong = 0;
  for (size_t block = 0; block < request_.block_digests.size(); ++block) {
    const uint64_t first = block * kDigestBlock;
    const uint64_t last = std::min(first + kDigestBlock, end());
    Sha256 digest;
    for (uint64_t offset = first; offset < last; offset += kPiece) {
      if (options_.cancelled && options_.cancelled()) fail(ErrorCode::kInterrupted, "interrupted");
      const auto piece = std::span(buffer).first(std::min(kPiece, last - offset));
      partial_.read(offset, piece);
      digest.update(piece);
    }
    if (digest.hex() == request_.block_digests[block]) continue;
    add_missing(first, last);
    ++wrong;
  }
  if (wrong == 0) return false;
  is_second_try_ = true;
  if (options_.note) {
    options_.note(fmt::format("{}: {}; fetching {} of its {} blocks again", name(), problem, wrong,
                              request_.block_digests.size()));
  }
  return true;
}

void FileDownload::tell_progress() {
  const auto now = Clock::now();
  if (!options_.progress || (!is_done_ && now < told_ + kProgressEvery)) return;
  told_ = now;
  const bool is_known = partial_.size().has_value();
  const uint64_t done = is_known ? end() - missing() : ready();
  options_.progress(request_, done, is_known ? end() : 0);
}

}  // namespace swinzoo::zoo
