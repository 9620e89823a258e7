// Starting a process with a small library of ours before its others, which takes the place of a few functions of the C library.
#ifndef DROVER_TESTS_SUPPORT_PRELOAD_H_
#define DROVER_TESTS_SUPPORT_PRELOAD_H_

#include <map>
#include <string>

namespace drover::testing {

// The environment for it. `library`: a file's name; it lies where this program does.
std::map<std::string, std::string> Preloading(const std::string& library);

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_PRELOAD_H_
