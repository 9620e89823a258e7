// Loaded into a process before its other libraries (LD_PRELOAD): fsync and fdatasync wait as the file says that DROVER_STALL_FILE
// names: a number is of milliseconds, an empty file stalls them until it is gone. See stalled_disk.h.
#include <dlfcn.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using Sync = int (*)(int);

constexpr long kNanosPerMilli = 1'000'000;
constexpr timespec kLookAgain = {0, 2 * kNanosPerMilli};

// False: there is no such file.
bool Read(const char* path, char (&text)[16]) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t got = ::read(fd, text, sizeof text - 1);
  text[got < 0 ? 0 : got] = '\0';
  ::close(fd);
  return true;
}

int SyncWhenTheDiskDoes(const char* name, int fd) {
  const auto sync = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name));
  const char* const file = std::getenv("DROVER_STALL_FILE");
  char text[16];
  while (file != nullptr && Read(file, text)) {
    if (text[0] != '\0') {
      const long millis = std::atol(text);
      const timespec delay = {millis / 1'000, millis % 1'000 * kNanosPerMilli};
      ::nanosleep(&delay, nullptr);
      break;
    }
    ::nanosleep(&kLookAgain, nullptr);
  }
  return sync(fd);
}

}  // namespace

extern "C" {

int fsync(int fd) {
  return SyncWhenTheDiskDoes("fsync", fd);
}

int fdatasync(int fd) {
  return SyncWhenTheDiskDoes("fdatasync", fd);
}

}  // extern "C"
