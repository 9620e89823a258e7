// A disk that stalls: while it does, every fsync and fdatasync of a process waits, and everything else of it goes on. For programs
// that call these through the C library (all of ours), by a small library that the process is started with.
//
// Threads: any one at a time.
#ifndef DROVER_TESTS_SUPPORT_STALLED_DISK_H_
#define DROVER_TESTS_SUPPORT_STALLED_DISK_H_

#include <map>
#include <string>

namespace drover::testing {

class StalledDisk {
 public:
  // `path`: a file of its own, in a directory that is there. It exists while the disk stalls.
  explicit StalledDisk(std::string path);

  // What the process is started with.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  void Stall();
  // Whoever waits goes on within a few milliseconds.
  void GoOn();

 private:
  const std::string path_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_STALLED_DISK_H_
