#include "eval/disturbance.h"

#include <catch2/catch.hpp>

using namespace swinzoo::eval;

TEST_CASE("the processors' times are the first line of /proc/stat") {
  // user nice system idle iowait irq softirq steal guest guest_nice; guest is in user already
  const auto times = parse_proc_stat("cpu  100 10 20 3000 400 1 2 50 60 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n", 100);
  REQUIRE(times.has_value());
  CHECK(times->busy == Approx(1.33));
  CHECK(times->idle == Approx(34));
  CHECK(times->steal == Approx(0.5));
  for (const char* text : {"", "cpu", "cpu  1 2 3", "cpu  1 2 3 4 5 6 x 8", "cpu0 1 2 3 4 5 6 7 8"}) {
    CHECK_FALSE(parse_proc_stat(text, 100).has_value());
  }
}

TEST_CASE("what others took lies between two looks at the counters") {
  SystemCounters before, after;
  before.processors = {10, 100, 1};
  before.own_seconds = 2;
  before.context_switches = 5;
  before.throttled = 1;
  after = before;
  CHECK_FALSE(disturbance_between(before, after).steal.has_value());  // no time has passed
  after.processors = {16, 101, 4};
  after.own_seconds = 5;
  after.context_switches = 9;
  after.throttled = 3;
  const Disturbance found = disturbance_between(before, after);
  CHECK(*found.steal == Approx(30));  // 3 of 10 s
  CHECK(*found.other_load > 0.2);     // 3 s of 6 were ours: at least 0.3 of one processor
  CHECK(found.own_seconds == 3);
  CHECK(found.context_switches == 4);
  CHECK(found.throttled == 2);
  after.own_seconds = 50;  // counters of the process are finer than those of the machine
  CHECK(*disturbance_between(before, after).other_load == 0);
  after.processors.reset();
  CHECK_FALSE(disturbance_between(before, after).other_load.has_value());
}

TEST_CASE("this system's counters go on") {
  const SystemCounters before = system_counters();
  volatile double sum = 0;
  for (int i = 0; i < 1'000'000; ++i) sum = sum + i;
  const SystemCounters after = system_counters();
  CHECK(after.own_seconds >= before.own_seconds);
  REQUIRE(before.processors.has_value());
  CHECK(after.processors->busy >= before.processors->busy);
}
