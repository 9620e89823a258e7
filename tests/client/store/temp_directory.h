// A directory of its own for one test, removed with everything in it afterwards.
#ifndef DROVER_TESTS_CLIENT_STORE_TEMP_DIRECTORY_H_
#define DROVER_TESTS_CLIENT_STORE_TEMP_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace drover::store {

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drover-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace drover::store

#endif  // DROVER_TESTS_CLIENT_STORE_TEMP_DIRECTORY_H_
