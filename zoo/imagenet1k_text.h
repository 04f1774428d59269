// The classes of ImageNet-1k: imagenet1k_classes.txt, embedded at build time.
#pragma once

#include <string>

namespace swinzoo::zoo {

std::string imagenet1k_text();

}  // namespace swinzoo::zoo
