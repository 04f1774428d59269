#include "zoo/prefix_digest.h"

#include <algorithm>

#include "formats/start_thread.h"

namespace swinzoo::zoo {

PrefixDigest::PrefixDigest(const PartialFile& file, const std::string& digest, uint64_t size,
                           std::vector<std::optional<BlockDigest>> claims, std::function<void()> wake)
    : file_(file), claims_(std::move(claims)), wake_(std::move(wake)) {
  if (digest.size() == 40) git_sha1_.emplace(digest, size);
  thread_ = start_thread([this] { run(); });
}

PrefixDigest::~PrefixDigest() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::optional<uint64_t> PrefixDigest::take_bad_block() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
  if (bad_block_) ready_ = *bad_block_ * kBlock;
  return std::exchange(bad_block_, std::nullopt);
}

void PrefixDigest::publish(uint64_t ready, bool is_whole) {
  {
    const std::lock_guard lock(mutex_);
    if (bad_block_ || (ready == ready_ && is_whole == is_whole_)) return;
    ready_ = ready;
    is_whole_ = is_whole;
  }
  changed_.notify_one();
}

uint64_t PrefixDigest::digested() const {
  const std::lock_guard lock(mutex_);
  return digested_;
}

PrefixDigest::Result PrefixDigest::result() {
  const std::string sha256 = sha256_.hex();
  return {sha256, git_sha1_ ? git_sha1_->hex() : sha256};
}

// One block, or the part of it that is there.
bool PrefixDigest::step(std::unique_lock<std::mutex>& lock, std::vector<std::byte>& buffer) {
  changed_.wait(lock, [&] { return stop_ || (!bad_block_ && digested_ < ready_); });
  if (stop_) return false;
  const uint64_t block = digested_ / kBlock;
  const uint64_t end = std::min(ready_, (block + 1) * kBlock);
  const uint64_t offset = digested_;
  lock.unlock();
  const auto bytes = std::span(buffer).first(end - offset);
  file_.read(offset, bytes);
  const bool is_claimed = block < claims_.size() && claims_[block];
  const bool is_good = !is_claimed || digest_of_block(bytes) == *claims_[block];
  if (is_claimed) claims_[block].reset();
  if (is_good) sha256_.update(bytes);
  if (is_good && git_sha1_) git_sha1_->update(bytes);
  lock.lock();
  if (is_good) digested_ = end;
  if (!is_good) bad_block_ = block;
  if (!is_good || (is_whole_ && digested_ == ready_)) wake_();
  return true;
}

void PrefixDigest::run() {
  std::vector<std::byte> buffer(kBlock);
  std::unique_lock lock(mutex_);
  try {
    while (step(lock, buffer)) {
    }
  } catch (...) {
    if (!lock.owns_lock()) lock.lock();
    error_ = std::current_exception();
    wake_();
  }
}

}  // namespace swinzoo::zoo
