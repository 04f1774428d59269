#include "cmd/sweep.h"

#include <fmt/format.h>

#include <algorithm>

#include "formats/error.h"
#include "formats/number.h"

namespace swinzoo::cmd {
namespace {

constexpr size_t kMostNumbers = 1000;

int streams_of(Mode mode, int threads) {
  if (mode == Mode::kLatency) return 1;
  return threads <= 4 ? threads : std::max(4, threads / 4);
}

}  // namespace

std::vector<int> parse_numbers(std::string_view text, const char* option, int most) {
  std::vector<int> numbers;
  const auto add = [&](int64_t number) {
    if (std::ranges::find(numbers, number) == numbers.end()) numbers.push_back(static_cast<int>(number));
    if (numbers.size() > kMostNumbers)
      fail(ErrorCode::kUsage, "{}: more than {} numbers", option, kMostNumbers);
  };
  for (std::string_view rest = text;;) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const auto number = [&](std::string_view digits) {
      const auto value = whole_number<int>(digits);
      if (value.has_value() && *value >= 1 && *value <= most) return *value;
      fail(ErrorCode::kUsage,
           "{}: expected numbers of 1 to {}, or ranges such as 1-8, 1-9+2 and 1-64*2; found '{}'", option,
           most, part);
    };
    const size_t dash = part.find('-');
    const int first = number(part.substr(0, dash));
    if (dash == std::string_view::npos) {
      add(first);
    } else {
      const std::string_view range = part.substr(dash + 1);
      const size_t sign = range.find_first_of("+*");
      const bool is_product = sign != std::string_view::npos && range[sign] == '*';
      const int last = number(range.substr(0, sign));
      const int step = sign == std::string_view::npos ? 1 : number(range.substr(sign + 1));
      if (first > last || (is_product && step == 1)) {
        fail(ErrorCode::kUsage, "{}: the range '{}' does not rise to its end", option, part);
      }
      for (int64_t value = first; value <= last; value = is_product ? value * step : value + step) add(value);
    }
    if (part.size() == rest.size()) return numbers;
    rest.remove_prefix(part.size() + 1);
  }
}

std::string to_text(const Configuration& configuration) {
  const LoadSetting& load = configuration.load;
  return fmt::format("{}, {} threads, {} streams, batch {}", backends::name_of(load.precision), load.threads,
                     load.streams, configuration.batch);
}

std::vector<Configuration> configurations_of(const Sweep& sweep) {
  std::vector<Configuration> found;
  for (const backends::Precision precision : sweep.precisions) {
    for (const int threads : sweep.threads) {
      const std::vector<int> by_mode = {streams_of(sweep.mode, threads)};
      for (const int streams : sweep.streams.empty() ? by_mode : sweep.streams) {
        if (streams > threads) continue;
        for (const int batch : sweep.batches) found.push_back({{precision, threads, streams}, batch});
      }
    }
  }
  return found;
}

}  // namespace swinzoo::cmd
