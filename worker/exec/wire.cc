#include "worker/exec/wire.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drover::worker::exec {
namespace {

void PutNumber(std::string& out, std::uint64_t n) {
  out.append(reinterpret_cast<const char*>(&n), sizeof n);
}
void PutString(std::string& out, absl::string_view s) {
  PutNumber(out, s.size());
  out.append(s.data(), s.size());
}

bool TakeNumber(absl::string_view& in, std::uint64_t& n) {
  if (in.size() < sizeof n) return false;
  std::memcpy(&n, in.data(), sizeof n);
  in.remove_prefix(sizeof n);
  return true;
}
bool TakeString(absl::string_view& in, std::string& s) {
  std::uint64_t size = 0;
  if (!TakeNumber(in, size) || in.size() < size) return false;
  s.assign(in.data(), size);
  in.remove_prefix(size);
  return true;
}
bool TakeStrings(absl::string_view& in, std::vector<std::string>& list) {
  std::uint64_t count = 0;
  if (!TakeNumber(in, count) || count > in.size()) return false;
  list.resize(count);
  return std::all_of(list.begin(), list.end(), [&](std::string& s) { return TakeString(in, s); });
}

}  // namespace

int SendMessage(int socket, absl::string_view message, const std::vector<int>& fds, bool wait) {
  iovec part{const_cast<char*>(message.data()), message.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kStartFds)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    const std::size_t bytes = sizeof(int) * fds.size();
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(rights), fds.data(), bytes);
  }
  while (::sendmsg(socket, &header, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT)) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

Received ReceiveMessage(int socket, bool wait) {
  Received received;
  received.message.resize(kMessageBytesMax);
  iovec part{received.message.data(), received.message.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kStartFds)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (size < 0 && errno == EINTR);
  received.error = size < 0 ? errno : 0;
  received.message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  if (size < 0) return received;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

std::string EncodeSpec(const ProgramSpec& spec) {
  std::string out;
  PutNumber(out, spec.argv.size());
  for (const std::string& s : spec.argv) PutString(out, s);
  PutNumber(out, spec.env.size());
  for (const std::string& s : spec.env) PutString(out, s);
  PutString(out, spec.cwd);
  PutNumber(out, static_cast<std::uint64_t>(spec.time_limit_ns));
  PutNumber(out, static_cast<std::uint64_t>(spec.grace_ns));
  PutNumber(out, spec.needs_lease ? 1 : 0);
  return out;
}

std::optional<ProgramSpec> DecodeSpec(absl::string_view bytes) {
  ProgramSpec spec;
  std::uint64_t time_limit = 0, grace = 0, needs_lease = 0;
  if (!TakeStrings(bytes, spec.argv) || !TakeStrings(bytes, spec.env) || !TakeString(bytes, spec.cwd) ||
      !TakeNumber(bytes, time_limit) || !TakeNumber(bytes, grace) || !TakeNumber(bytes, needs_lease) || spec.argv.empty()) {
    return std::nullopt;
  }
  spec.time_limit_ns = static_cast<std::int64_t>(time_limit);
  spec.grace_ns = static_cast<std::int64_t>(grace);
  spec.needs_lease = needs_lease != 0;
  return spec;
}

Fd BytesFd(const char* name, absl::string_view bytes) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.open()) return fd;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pwrite(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : EIO;
      fd.Close();
      errno = error;
      return fd;
    }
    done += static_cast<std::size_t>(n);
  }
  return fd;
}

std::optional<std::string> ReadAllOf(int fd) {
  std::string all;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(all.size()));
    if (n == 0) return all;
    if (n > 0) {
      all.append(buffer, static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      return std::nullopt;
    }
  }
}

}  // namespace drover::worker::exec
