// ^C: long work ends tidily at the first, and at once at the second.
#pragma once

#include <csignal>

namespace swinzoo::cmd {

// From now on the signal only sets a flag; a second one kills the process as if this had not been called.
// Where it is ignored already (a job in the background) it stays so. Call it once a signal, from the main
// thread.
void install_interrupt_handler(int signal = SIGINT);

// Whether such a signal came. Any thread.
bool interrupted();

}  // namespace swinzoo::cmd
