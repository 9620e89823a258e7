// Loaded into a process before its other libraries (LD_PRELOAD): the clock that can be set is off by as many seconds as the file
// says that DROVER_CLOCK_FILE names; the others run as ever. See shifted_clock.h.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

using GetTime = int (*)(clockid_t, timespec*);

// 0 where there is no such file.
time_t Shift() {
  const char* const file = std::getenv("DROVER_CLOCK_FILE");
  if (file == nullptr) return 0;
  const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[24];
  const ssize_t got = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  text[got < 0 ? 0 : got] = '\0';
  return std::atol(text);
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) {
  static const auto real = reinterpret_cast<GetTime>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += Shift();
  return result;
}

int gettimeofday(timeval* time, void*) {
  timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  *time = {now.tv_sec, now.tv_nsec / 1'000};
  return 0;
}

time_t time(time_t* out) {
  timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
