// Where the bytes of a data set's images come from: the files of a folder, or the members of a tar archive,
// which is mapped and never unpacked.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/mapped_file.h"

namespace swinzoo::eval {

// An image's file as it is stored; `bytes` live as long as `file`.
struct ImageBytes {
  std::shared_ptr<const MappedFile> file;
  std::span<const std::byte> bytes;
};

// Immutable, so safe to share between threads.
class ImageSource {
 public:
  // All images in a folder (list_images) or a tar archive, in the natural order of their paths. Throws
  // kNotFound if there is no such file or folder, or no image in it, and what list_tar throws.
  static ImageSource all_in(const std::filesystem::path& data);

  // Those of the folder or archive that somebody listed, in that order; whether an image is there is seen
  // when it is read.
  static ImageSource listed(const std::filesystem::path& data, std::vector<std::string> paths);

  // Names alone, of images that nobody will read.
  static ImageSource named(const std::filesystem::path& data, std::vector<std::string> paths);

  // From the folder or the archive's top on.
  const std::vector<std::string>& paths() const { return paths_; }

  // What messages call an image.
  std::string name_of(size_t image) const;

  // Throws kNotFound if the image is not there, kCorrupt if a folder is, and as MappedFile does.
  ImageBytes read(size_t image) const;

 private:
  explicit ImageSource(std::filesystem::path data) : data_(std::move(data)) {}

  std::filesystem::path data_;
  std::vector<std::string> paths_;
  std::shared_ptr<const MappedFile> archive_;        // null: data_ is a folder
  std::vector<std::span<const std::byte>> members_;  // of the archive, one a path; no data(): not there
};

}  // namespace swinzoo::eval
