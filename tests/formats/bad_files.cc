#include "tests/formats/bad_files.h"

#include <zlib.h>

namespace swinzoo {
namespace {

template <typename T>
void put(std::string& to, T number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

uint32_t crc_of(const std::string& bytes) {
  return static_cast<uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

// What local and central headers share: version to the length of the extra field.
void put_common(std::string& to, const ZipMaker::Entry& entry) {
  put<uint16_t>(to, 20);
  put<uint16_t>(to, entry.flags);
  put<uint16_t>(to, entry.method);
  put<uint32_t>(to, 0);  // time and date
  put<uint32_t>(to, entry.crc);
  put<uint32_t>(to, static_cast<uint32_t>(entry.bytes.size()));
  put<uint32_t>(to, entry.size);
  put<uint16_t>(to, static_cast<uint16_t>(entry.name.size()));
  put<uint16_t>(to, 0);
}

}  // namespace

ZipMaker::Entry ZipMaker::stored(const std::string& name, const std::string& bytes) {
  return {name, bytes, crc_of(bytes), static_cast<uint32_t>(bytes.size())};
}

ZipMaker::Entry ZipMaker::deflated(const std::string& name, const std::string& bytes) {
  z_stream stream{};
  REQUIRE(::deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string small(::deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(small.data());
  stream.avail_out = static_cast<uInt>(small.size());
  REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  small.resize(stream.total_out);
  ::deflateEnd(&stream);
  return {name, small, crc_of(bytes), static_cast<uint32_t>(bytes.size()), 8};
}

ZipMaker& ZipMaker::add(const Entry& entry) {
  last_ = data_.size();
  data_ += "PK\3\4";
  put_common(data_, entry);
  data_ += entry.name + entry.bytes;
  return add_again(entry);
}

ZipMaker& ZipMaker::add_again(const Entry& entry) {
  directory_ += "PK\1\2";
  put<uint16_t>(directory_, 20);
  put_common(directory_, entry);
  directory_.append(10, '\0');  // comment, disk, attributes
  put<uint32_t>(directory_, static_cast<uint32_t>(last_));
  directory_ += entry.name;
  ++count_;
  return *this;
}

std::string ZipMaker::finish() const {
  std::string archive = data_ + directory_ + "PK\5\6";
  put<uint32_t>(archive, 0);
  put<uint16_t>(archive, count_);
  put<uint16_t>(archive, count_);
  put<uint32_t>(archive, static_cast<uint32_t>(directory_.size()));
  put<uint32_t>(archive, static_cast<uint32_t>(data_.size()));
  put<uint16_t>(archive, 0);
  return archive;
}

}  // namespace swinzoo
