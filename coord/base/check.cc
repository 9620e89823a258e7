#include "coord/base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace drover::base::internal {

CheckFailure::CheckFailure(const char* file, int line, const char* condition) {
  words_ << file << ":" << line << ": check failed: " << condition << " ";
}

CheckFailure::~CheckFailure() {
  words_ << "\n";
  const std::string words = words_.str();
  std::fwrite(words.data(), 1, words.size(), stderr);
  std::fflush(stderr);
  std::abort();
}

}  // namespace drover::base::internal
