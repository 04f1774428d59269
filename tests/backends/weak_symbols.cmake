#Objects of different instruction sets share no weak symbol, \
    so that the linker can 't put one' s code where another's is
#meant.usage : cmake - DNM = nm - DOBJECTS = "a.o;b.o" - P weak_symbols.cmake
cmake_minimum_required(VERSION 3.25) set(seen "") foreach (object IN LISTS OBJECTS)
    execute_process(COMMAND $ {
      NM
    } --format = posix ${object} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
        string(REGEX MATCHALL "[^ \n]+ [WVu]" symbols "${text}") list(LENGTH symbols count)
            message(STATUS "${object}: ${count} weak symbols") if (count LESS 2)
                message(FATAL_ERROR "${object}: nothing was read") endif() foreach (symbol IN LISTS symbols)
                    string(REGEX REPLACE
                           " .$"
                           "" name "${symbol}")
#A pointer to the C++ runtime's exception personality: data, the same everywhere.
                        if (name MATCHES "^DW\\.ref\\.") continue() endif() if (name IN_LIST seen)
                            message(FATAL_ERROR "${object}: shares ${name}") endif() list(APPEND mine ${name})
                                endforeach() list(APPEND seen ${mine}) set(mine "") endforeach()
