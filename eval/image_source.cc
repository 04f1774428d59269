#include "eval/image_source.h"

#include <algorithm>
#include <map>

#include "eval/image_folder.h"
#include "formats/error.h"
#include "formats/tar.h"

namespace fs = std::filesystem;

namespace swinzoo::eval {

ImageSource ImageSource::all_in(const fs::path& data) {
  ImageSource source(data);
  if (!fs::exists(data)) fail(ErrorCode::kNotFound, "{}: no such file or folder", data.string());
  if (fs::is_directory(data)) {
    source.paths_ = list_images(data);
    return source;
  }
  source.archive_ = std::make_shared<MappedFile>(data);
  std::vector<TarMember> members = list_tar(*source.archive_);
  std::erase_if(members, [](const TarMember& member) { return !is_image_name(member.name); });
  if (members.empty()) {
    fail(ErrorCode::kNotFound, "{}: no images; expected members that end in .jpg, .jpeg, .png or .webp",
         data.string());
  }
  std::sort(members.begin(), members.end(),
            [](const TarMember& a, const TarMember& b) { return natural_less(a.name, b.name); });
  for (TarMember& member : members) {
    source.paths_.push_back(std::move(member.name));
    source.members_.push_back(member.bytes);
  }
  return source;
}

ImageSource ImageSource::listed(const fs::path& data, std::vector<std::string> paths) {
  ImageSource source(data);
  source.paths_ = std::move(paths);
  if (!fs::exists(data)) fail(ErrorCode::kNotFound, "{}: no such file or folder", data.string());
  if (fs::is_directory(data)) return source;
  source.archive_ = std::make_shared<MappedFile>(data);
  std::map<std::string, std::span<const std::byte>> members;
  for (TarMember& member : list_tar(*source.archive_)) members[std::move(member.name)] = member.bytes;
  for (const std::string& path : source.paths_) source.members_.push_back(members[path]);
  return source;
}

ImageSource ImageSource::named(const fs::path& data, std::vector<std::string> paths) {
  ImageSource source(data);
  source.paths_ = std::move(paths);
  return source;
}

std::string ImageSource::name_of(size_t image) const {
  return archive_ == nullptr ? (data_ / paths_[image]).string()
                             : fmt::format("{}: {}", data_.string(), paths_[image]);
}

ImageBytes ImageSource::read(size_t image) const {
  if (archive_ == nullptr) {
    const fs::path path = data_ / paths_[image];
    if (fs::is_directory(path)) fail(ErrorCode::kCorrupt, "{}: is a folder", path.string());
    auto file = std::make_shared<const MappedFile>(path);
    return {file, file->bytes()};
  }
  if (members_[image].data() == nullptr) {
    fail(ErrorCode::kNotFound, "{}: no such member, or an empty one", name_of(image));
  }
  return {archive_, members_[image]};
}

}  // namespace swinzoo::eval
