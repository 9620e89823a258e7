// Loaded into a process before its other libraries (LD_PRELOAD): while the file that DROVER_STALL_FILE names exists, fsync and
// fdatasync wait. See stalled_disk.h.
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using Sync = int (*)(int);

constexpr timespec kLookAgain = {0, 2'000'000};

int SyncWhenNotStalled(const char* name, int fd) {
  const auto sync = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name));
  const char* const file = std::getenv("DROVER_STALL_FILE");
  while (file != nullptr && ::access(file, F_OK) == 0) ::nanosleep(&kLookAgain, nullptr);
  return sync(fd);
}

}  // namespace

extern "C" {

int fsync(int fd) {
  return SyncWhenNotStalled("fsync", fd);
}

int fdatasync(int fd) {
  return SyncWhenNotStalled("fdatasync", fd);
}

}  // extern "C"
