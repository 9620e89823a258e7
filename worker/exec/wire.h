// What worker, reaper and shims say to each other over the control socket (SOCK_SEQPACKET, so a message arrives whole).
//
// Both ends are always the same binary (the reaper is executed from /proc/self/exe), so structs travel as they are. The worker's
// end is one descriptor; the other end is shared by the reaper, which alone reads it, and the shims, which only report. So the
// worker reads end-of-file exactly when the reaper and every shim are gone, and with them every task.
#ifndef DROVER_WORKER_EXEC_WIRE_H_
#define DROVER_WORKER_EXEC_WIRE_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/exec/fd.h"
#include "worker/exec/process_runner.h"

namespace drover::worker::exec {

// ---- worker -> reaper ----

struct StartMessage {  // with four descriptors: spec, stdin, stdout, stderr
  std::uint64_t run = 0;
};
struct KillMessage {
  std::uint64_t run = 0;
  std::int64_t grace_ns = 0;
  KilledBy reason = KilledBy::kNobody;
};
// Followed by the will's bytes.
struct WillMessage {};
// This worker runs handlers: the reaper ends it when the page says so (lease.h).
struct WatchMessage {
  pid_t worker = -1;
};
// The orderly end: no last word.
struct GoodbyeMessage {};

// ---- reaper or shim -> worker ----

// The reaper is ready.
struct HelloMessage {};

struct StartedMessage {
  std::uint64_t run = 0;
};
// Followed by the line.
struct ProgressMessage {
  std::uint64_t run = 0;
};
// Where a start failed; the worker makes the sentence, for it knows the spec.
enum class Stage : std::uint8_t { kNone, kSpec, kFork, kDirectory, kCwd, kExec, kLease };
struct ExitMessage {  // with a descriptor of its result, if it left one
  std::uint64_t run = 0;
  Exit::Kind kind = Exit::Kind::kLost;
  KilledBy killed_by = KilledBy::kNobody;
  Stage stage = Stage::kNone;
  std::int32_t code = 0;
  std::int32_t signal = 0;
  std::int32_t error = 0;
};

enum class MessageType : std::uint8_t { kStart = 1, kKill, kWill, kWatch, kGoodbye, kHello, kStarted, kProgress, kExit };

// Longest will. A message is the type's byte, the struct, the tail.
inline constexpr std::size_t kWillBytesMax = 16 * 1024;
inline constexpr std::size_t kMessageBytesMax = 64 + kWillBytesMax;
inline constexpr int kStartFds = 4;

template <typename T>
std::string Pack(MessageType type, const T& body, absl::string_view tail = "") {
  std::string message(1, static_cast<char>(type));
  message.append(reinterpret_cast<const char*>(&body), sizeof body);
  message.append(tail.data(), tail.size());
  return message;
}
template <typename T>
std::optional<T> Unpack(absl::string_view message) {
  if (message.size() < 1 + sizeof(T)) return std::nullopt;
  T body;
  __builtin_memcpy(static_cast<void*>(&body), message.data() + 1, sizeof body);
  return body;
}
inline MessageType TypeOf(absl::string_view message) {
  return static_cast<MessageType>(message[0]);
}

// Both retry EINTR and never raise SIGPIPE. Send: 0, or errno (EAGAIN if the socket is full and `wait` is false).
int SendMessage(int socket, absl::string_view message, const std::vector<int>& fds, bool wait);
struct Received {
  std::string message;  // empty: end of file
  std::vector<Fd> fds;
  int error = 0;
};
Received ReceiveMessage(int socket, bool wait);

// ---- the spec, in a memfd because a command line may be megabytes ----

struct ProgramSpec {
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=value, unique names; the shim adds its own
  std::string cwd;
  std::int64_t time_limit_ns = 0;
  std::int64_t grace_ns = 0;
  bool needs_lease = false;
};

std::string EncodeSpec(const ProgramSpec& spec);
std::optional<ProgramSpec> DecodeSpec(absl::string_view bytes);

// A memfd with these contents, at offset 0; not open, with errno set, on failure.
Fd BytesFd(const char* name, absl::string_view bytes);
// All of a memfd; nullopt with errno set on failure.
std::optional<std::string> ReadAllOf(int fd);

}  // namespace drover::worker::exec

#endif  // DROVER_WORKER_EXEC_WIRE_H_
