#include <hwy/highway.h>
#include <jconfig.h>  // libjpeg-turbo: jpeglib.h without its need of <cstdio> before it
#include <oneapi/tbb/version.h>
#include <png.h>

#include <Eigen/Core>
#include <boost/version.hpp>

#include "eval/image_format.h"
#include "eval/machine.h"
#include "eval/system_files.h"

#define SWINZOO_TEXT_OF(token) #token
#define SWINZOO_TEXT(macro) SWINZOO_TEXT_OF(macro)

namespace swinzoo::eval {

extern const char* const kGitCommit;  // git_commit.cc, made at each build by cmake/git_commit.cmake

void set_build(Machine& machine) {
  machine.swinzoo_version = SWINZOO_VERSION;
  machine.commit = kGitCommit;
  machine.compiler = SWINZOO_COMPILER;
  machine.build_type = SWINZOO_BUILD_TYPE;
  machine.build_flags = SWINZOO_BUILD_FLAGS;
  machine.sanitizer = SWINZOO_SANITIZER;
  machine.boost =
      fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
  machine.eigen = fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  machine.tbb = TBB_VERSION_STRING;
  machine.libjpeg = SWINZOO_TEXT(LIBJPEG_TURBO_VERSION);
  machine.libpng = PNG_LIBPNG_VER_STRING;
  std::string_view libraries = SWINZOO_LIBRARIES;
  while (!libraries.empty()) machine.libraries.emplace_back(trimmed(take(libraries, ',')));
  machine.libraries.push_back(fmt::format("Highway {}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH));
  machine.libwebp = webp_version().substr(std::string_view("libwebp ").size());
}

}  // namespace swinzoo::eval
