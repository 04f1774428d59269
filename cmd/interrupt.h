// ^C: long work ends tidily at the first, and at once at the second.
#pragma once

namespace swinzoo::cmd {

// From now on SIGINT only sets a flag; a second one kills the process as if this had not been called. Where
// SIGINT is ignored already (a job in the background) it stays so. Call it once, from the main thread.
void install_interrupt_handler();

// Whether SIGINT came. Any thread.
bool interrupted();

}  // namespace swinzoo::cmd
