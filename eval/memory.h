// How much memory there is to work with, and what a batch takes of it.
#pragma once

#include <cstdint>
#include <optional>

#include "backends/plan.h"

namespace swinzoo::eval {

// Bytes that this process may still take: what the system says is available (MemAvailable), or what the
// control groups' limits leave where that is less. Nothing where the system doesn't tell.
std::optional<int64_t> available_memory();

// About what one input more in a batch takes: twice the input (the next one is made ready meanwhile), and the
// cpu backend's two buffers of the largest result of a step.
int64_t bytes_of_input(const backends::Plan& plan);

// The batch that fits into three quarters of `available`, at most `wanted`, at least 1. Other things want
// memory too, and what is not there ends a process without a word.
int64_t fitting_batch(int64_t wanted, int64_t bytes_of_each, std::optional<int64_t> available);

}  // namespace swinzoo::eval
