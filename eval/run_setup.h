// How runs are told apart: which fields of a Run say how it was measured, and which on what machine and by
// what build.
//
// One table in run_setup.cc gives each such field a role. Who asks takes the roles that matter to it:
//
//   role                                                     history  compare  folder of bench
//   asked: by the command line                               by it    by it    by it, failed runs too
//   input: the size of the model's images                    by it    by it    by it
//   images: those of eval                                    by name  digest   -
//   derived: what model, code and processor made of it       by it    notes    by it
//   model: weights, and what follows from them               -        notes    by it
//   machine: processor, cores, memory, governor              by it    judges   by it
//   build: its type and sanitizers                           -        judges   by it
//   version: of swinzoo, its compiler and the kernel         -        -        by it
//
// Compare does not tell runs apart by what is derived, since a change of it is what one wants to see the
// effect of; nor does the history by versions. The model's name is everybody's own to look at.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/run.h"

namespace swinzoo::eval {

// What the history keeps a run by, beside machine, commit and entry, as "name=value" pairs between spaces.
// The images are named by the last part of their path, so that they may lie elsewhere. These texts stand in
// files: a field that is added here must be one that most runs lack.
std::string history_configuration(const Run& run);

// What two runs of compare must have in common to be repeats of each other or to stand against each other, as
// values in a fixed order. A flag that is off is as one that an older version did not write; folders of
// images count by the last part of their path.
std::vector<std::string> compared_setup(const Run& run);

// The names of the fields by which compared_setup() tells two runs apart.
std::vector<std::string> compared_difference(const Run& a, const Run& b);

// The last part of a path, whether or not it ends in a slash: what images are called wherever they lie.
std::string last_part(const std::filesystem::path& path);

// Whether two runs of bench are the same measurement, which need not be made twice: the same model, setup,
// machine, build and versions. is_same_request() looks at what the command line asked for only.
bool is_same_measurement(const Run& a, const Run& b);
bool is_same_request(const Run& a, const Run& b);

// What must be equal for two timings to be worth comparing, as 16 hex digits: the first of the SHA-256 of the
// lines "cpu=", "cores=", "memory_gib=" (rounded), "cpu_features=" (in alphabetical order), "governor=" of a
// run. System and kernel are left out: their updates are events of a history, and not another machine.
std::string machine_fingerprint(const Run& run);
std::string this_machines_fingerprint();

// The names of the fields of the machine and the build that differ, so that times can't be compared.
std::vector<std::string> machine_difference(const Run& a, const Run& b);

// How the model ran: "fp32, 2 threads, 1 streams, batch 8", and what else is not as usual.
std::string setup_text(const Run& run);

// What is not as usual, a word each: "with preprocessing", "pinned", "profiled".
std::vector<std::string> unusual_words(const Run& run);

}  // namespace swinzoo::eval
