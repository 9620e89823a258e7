#include "tests/support/preload.h"

#include <cstdlib>
#include <filesystem>

namespace drover::testing {

std::map<std::string, std::string> Preloading(const std::string& library) {
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe").parent_path() / library;
  const char* const asan = std::getenv("ASAN_OPTIONS");
  return {{"LD_PRELOAD", path.string()},
          // A sanitizer's runtime wants to be the first library; none of ours overrides what it needs.
          {"ASAN_OPTIONS", (asan == nullptr ? std::string() : std::string(asan) + ":") + "verify_asan_link_order=0"}};
}

}  // namespace drover::testing
