// A disk that stalls or is slow: every fsync and fdatasync of a process waits, and everything else of it goes on. For programs that
// call these through the C library (all of ours), by a small library that the process is started with.
//
// Threads: any one at a time.
#ifndef DROVER_TESTS_SUPPORT_STALLED_DISK_H_
#define DROVER_TESTS_SUPPORT_STALLED_DISK_H_

#include <chrono>
#include <map>
#include <string>

namespace drover::testing {

class StalledDisk {
 public:
  // `path`: a file of its own, in a directory that is there. It exists while the disk stalls or is slow.
  explicit StalledDisk(std::string path);

  // What the process is started with.
  [[nodiscard]] std::map<std::string, std::string> environment() const;

  void Stall();
  // Every sync that begins from now on takes so much longer.
  void Slow(std::chrono::milliseconds delay);
  // Whoever waits goes on within a few milliseconds.
  void GoOn();

 private:
  const std::string path_;
};

}  // namespace drover::testing

#endif  // DROVER_TESTS_SUPPORT_STALLED_DISK_H_
